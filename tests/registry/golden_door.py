"""A door to the registry that speaks paths and bodies but no HTTP, for the recordings of a Kubernetes API server.

PODLAB_GOLDENS names their folder; its own runner normalises and compares. What belongs to the API server alone (Tables,
watches, media types) is not asked here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from podlab.apis import decode, scheme, status_errors
from podlab.apis.status_errors import ApiError
from podlab.registry.client import Client
from podlab.registry.operations import WriteOptions, Written

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/[a-z]+s(?:/|$)))?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[a-z]+))?)?$"
)
_NOT_HERE = re.compile(
    r"as=Table|as=Partial|events\.k8s\.io|/log|/exec|eviction|ephemeralcontainers|resize|apply-patch|\"watch\""
)


def folder() -> Path | None:
    named = os.environ.get("PODLAB_GOLDENS")
    return Path(named) if named else None


def runner() -> ModuleType:
    """The recordings' own runner, as a module."""
    found = folder()
    assert found is not None
    spec = importlib.util.spec_from_file_location("golden_runner", found / "run_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases(*groups: str) -> list[dict[str, Any]]:
    """Those whose every step this door can take."""
    found = folder()
    if found is None:
        return []
    out = []
    for group in groups:
        for line in (found / "api" / f"{group}.jsonl").read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            if not _NOT_HERE.search(line) and all(_served(step) for step in case["steps"]):
                out.append(case)
    return out


# Query parameters that reach the registry; the API server checks the others.
_TAKEN = {
    "dryRun", "fieldValidation", "labelSelector", "fieldSelector", "limit", "continue", "gracePeriodSeconds",
    "propagationPolicy",
}  # fmt: skip


def _served(step: dict[str, Any]) -> bool:
    """Whether the step is one for the registry."""
    query, body = step.get("query") or {}, step.get("body")
    if set(query) - _TAKEN and query.get("resourceVersionMatch") != "Exact":
        return False
    if not isinstance(body, dict | list | None) or "?" in step["path"] or step["expect"]["code"] in (405, 406, 415):
        return False
    match = _PATH.match(step["path"].partition("?")[0].replace("<ns>", "ns"))
    if match is None:
        return False
    resource = scheme.by_plural(match["group"] or "", match["version"], match["plural"])
    return resource is not None and match["sub"] in (None, "status", "binding", "finalize")


class Door:
    """Has the `request` of the runner's HTTP client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, stream: Any = None
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            code, answer, warnings = self._answer(method, path, body, headers or {})
        except ApiError as error:
            return error.code, _Headers(), json.dumps(error.to_status()).encode()
        return code, _Headers(warnings), json.dumps(answer).encode()

    def _answer(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any, tuple[str, ...]]:
        parts = urlsplit(path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        match = _PATH.match(parts.path)
        if match is None:
            raise status_errors.no_such_path()
        resource = scheme.by_plural(match["group"] or "", match["version"], match["plural"])
        if resource is None:
            raise status_errors.no_such_path()
        raw = body.encode() if isinstance(body, str) else body or b""
        verb = getattr(self, f"_{method.lower()}")
        answered: tuple[int, Any, tuple[str, ...]] = verb(resource.key, match, query, raw, headers)
        return answered

    def _post(self, key: str, match: Any, query: Any, raw: bytes, headers: Any) -> Any:
        document = _decoded(raw, headers)
        if match["sub"] == "binding":
            meta, target = document.obj.get("metadata") or {}, document.obj.get("target") or {}
            self.client.bind(
                match["namespace"], match["name"], target.get("name", ""), uid=meta.get("uid"),
                annotations=meta.get("annotations"),
            )  # fmt: skip
            return 201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, ()
        written = self.client.create(
            key, document.obj, namespace=match["namespace"] or "", options=_options(query, document)
        )
        return 201, written.obj, written.warnings

    def _get(self, key: str, match: Any, query: Any, raw: bytes, headers: Any) -> Any:
        if match["name"]:
            return 200, self.client.get(key, match["namespace"] or "", match["name"]).obj, ()
        exact = query.get("resourceVersionMatch") == "Exact"
        page = self.client.list(
            key,
            match["namespace"],
            label_selector=query.get("labelSelector", ""),
            field_selector=query.get("fieldSelector", ""),
            limit=int(query.get("limit") or 0),
            continue_=query.get("continue", ""),
            exact=int(query["resourceVersion"]) if exact else None,
        )
        return 200, self._list(key, [item.obj for item in page.items], page.metadata()), ()

    def _list(self, key: str, items: list[Any], metadata: Any) -> Any:
        resource = scheme.by_key(key)
        assert resource is not None
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": metadata,
            "items": items,
        }

    def _put(self, key: str, match: Any, query: Any, raw: bytes, headers: Any) -> Any:
        document = _decoded(raw, headers)
        written = self.client.update(
            key, match["namespace"] or "", match["name"], document.obj, subresource=match["sub"] or "",
            options=_options(query, document),
        )  # fmt: skip
        return _code(written), written.obj, written.warnings

    def _patch(self, key: str, match: Any, query: Any, raw: bytes, headers: Any) -> Any:
        document = _decoded(raw, headers)
        written = self.client.patch(
            key, match["namespace"] or "", match["name"], headers["Content-Type"], document.obj,
            subresource=match["sub"] or "", options=_options(query, document),
        )  # fmt: skip
        return _code(written), written.obj, written.warnings

    def _delete(self, key: str, match: Any, query: Any, raw: bytes, headers: Any) -> Any:
        body = json.loads(raw) if raw else {}
        grace = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
        wanted = body.get("preconditions") or {}
        dry_run = query.get("dryRun") == "All"
        if not match["name"]:
            deleted = self.client.delete_collection(
                key, match["namespace"] or "", label_selector=query.get("labelSelector", ""),
                field_selector=query.get("fieldSelector", ""), dry_run=dry_run,
            )  # fmt: skip
            return 200, self._list(key, [item.obj for item in deleted], {"resourceVersion": "1"}), ()
        gone = self.client.delete(
            key,
            match["namespace"] or "",
            match["name"],
            grace=None if grace is None else int(grace),
            uid=wanted.get("uid"),
            resource_version=wanted.get("resourceVersion"),
            propagation=body.get("propagationPolicy", query.get("propagationPolicy")),
            dry_run=dry_run,
        )
        return 200, gone.answer, ()


class _Headers(dict[str, str]):
    def __init__(self, warnings: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.warnings = warnings

    def get_all(self, name: str, default: Any = None) -> Any:
        if name == "Warning":
            return [f"299 - {json.dumps(text)}" for text in self.warnings]
        return default


def _code(written: Written) -> int:
    return 201 if written.created else 200


def _options(query: dict[str, str], document: decode.Document) -> WriteOptions:
    return WriteOptions(
        dry_run=query.get("dryRun") == "All",
        field_validation=query.get("fieldValidation", "Warn"),
        duplicates=tuple(document.strict_texts()),
    )


def _decoded(raw: bytes, headers: dict[str, str]) -> decode.Document:
    if "yaml" in headers.get("Content-Type", ""):
        return decode.decode_yaml(raw.decode())[0]
    return decode.decode_json(raw)
