"""Bytes for an answer: JSON or YAML, Status for errors, Warning headers. Called by every view of the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import yaml
from django.http import HttpResponse

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apiserver.negotiation import JSON, YAML, Accept

# client-go stops reading warnings beyond this; apiserver/pkg/endpoints/filters/warning.go.
_WARNING_BUDGET = 4096


class ApiResponse(HttpResponse):
    """A response that can carry several Warning headers, which Django's mapping cannot."""

    warnings: tuple[str, ...] = ()

    def items(self) -> Any:
        return self._with_warnings()

    def _with_warnings(self) -> Iterator[tuple[str, str]]:
        yield from super().items()
        for text in self.warnings:
            yield "Warning", warning_header(text)


def warning_header(text: str) -> str:
    """RFC 7234 quoting. Headers travel as latin-1, and clients read UTF-8 out of them."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    quoted = clean.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'.encode().decode("latin-1")


def dump(data: Any) -> bytes:
    encoded: bytes = msgspec.json.encode(data)
    return encoded


def dump_pretty(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=2).encode() + b"\n"


def dump_yaml(data: Any) -> bytes:
    """Sorted keys and unindented lists, as sigs.k8s.io/yaml prints."""
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=2**30, default_flow_style=False)
    return str(text).encode()


class _Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]
    """Never anchors: a value that occurs twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_RESOLVER = yaml.resolver.Resolver()
# What Go's library takes for a number, or quotes for older readers, beside what Python's does.
_ODD = re.compile(
    r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[yYnN]"
)


def _text(dumper: Any, value: str) -> Any:
    """What would be read as something else is quoted twice, what has lines is a block; of the rest the emitter decides
    (goyaml.v2, encode.go)."""
    style = None
    if "\n" in value:
        style = "|"
    elif _ODD.fullmatch(value) or _RESOLVER.resolve(yaml.ScalarNode, value, (True, False)) != _STRING:  # type: ignore[no-untyped-call]
        style = '"'
    return dumper.represent_scalar(_STRING, value, style=style)


_STRING = "tag:yaml.org,2002:str"
_Dumper.add_representer(str, _text)


def from_data(
    data: Manifest, accept: Accept, *, code: int = 200, warnings: Sequence[str] = (), content_type: str = ""
) -> ApiResponse:
    if accept.media_type == YAML:
        return from_bytes(dump_yaml(data), code=code, warnings=warnings, content_type=YAML)
    body = dump_pretty(data) if accept.pretty else dump(data)
    return from_bytes(body, code=code, warnings=warnings, content_type=content_type or JSON)


def from_bytes(body: bytes, *, code: int = 200, warnings: Sequence[str] = (), content_type: str = JSON) -> ApiResponse:
    response = ApiResponse(body, content_type=content_type, status=code)
    response["Cache-Control"] = "no-cache, private"
    response.warnings = _within_budget(warnings)
    return response


def _within_budget(warnings: Sequence[str]) -> tuple[str, ...]:
    kept, size = [], 0
    for text in dict.fromkeys(warnings):
        size += len(text)
        if size > _WARNING_BUDGET:
            break
        kept.append(text)
    return tuple(kept)


def nothing() -> ApiResponse:
    """204."""
    response = ApiResponse(status=204)
    response["Cache-Control"] = "no-cache, private"
    return response


def from_error(error: ApiError, accept: Accept) -> ApiResponse:
    response = from_data(error.to_status(), accept, code=error.code, warnings=error.warnings)
    _set(response, error.headers)
    return response


def _set(response: ApiResponse, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        response[name] = value


def text(body: str, *, code: int = 200) -> ApiResponse:
    return from_bytes(body.encode(), code=code, content_type="text/plain; charset=utf-8")
