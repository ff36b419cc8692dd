"""From the text in the editor to objects: decode, try on the registry without writing, say what is wrong at which line.

`check` is behind the editor's marks and the button alike; `create` writes. Both act as the person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from django.utils.translation import gettext

from podlab.apis import scheme
from podlab.apis.decode import DecodeError, Document, decode_yaml, json_type, position_of
from podlab.apis.decode_errors import MAX_BYTES
from podlab.apis.scheme import Resource
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.registry.operations import WriteOptions

MOST_DOCUMENTS = 100


class Problem(TypedDict):
    """`path` is the field's, "" where there is none; `document` counts the documents of the text from 0."""

    line: int
    column: int
    severity: Literal["error", "warning"]
    message: str
    path: str
    document: int


@dataclass(frozen=True, slots=True)
class Item:
    """One document that names a kind which is served here."""

    document: Document
    resource: Resource
    namespace: str
    index: int = 0

    @property
    def text(self) -> str:
        meta = self.document.obj.get("metadata") or {}
        return f"{self.resource.singular}/{meta.get('name') or meta.get('generateName', '') + '…'}"


@dataclass(frozen=True, slots=True)
class Report:
    problems: list[Problem]
    objects: list[str]  # "pod/web"

    @property
    def fine(self) -> bool:
        return bool(self.objects) and not any(problem["severity"] == "error" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Created:
    resource: str
    singular: str
    namespace: str
    name: str
    uid: str
    warnings: tuple[str, ...]


def text_of(raw: bytes) -> str:
    """What the editor sent, or a DecodeError at the first byte that is no text."""
    if len(raw) > MAX_BYTES:
        raise too_large()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise DecodeError(gettext("This is not text: it holds bytes that are not UTF-8."), line, column) from None


def too_large() -> DecodeError:
    return DecodeError(gettext("The text is larger than 3 MiB, more than the API accepts."), 1, 1)


def check(client: Client, namespace: str, text: str) -> Report:
    """Try every document on the registry as if it were created, writing nothing."""
    try:
        documents = decode_yaml(text)
    except DecodeError as error:
        return Report([of_decoding(error)], [])
    found, problems = items(documents, namespace)
    for item in found:
        try:
            written = _create(client, item, dry_run=True)
        except ApiError as error:
            problems += of_refusal(item, error)
        else:
            problems += [of_warning(item, words) for words in written.warnings]
    return Report(sorted(problems, key=lambda problem: problem["line"]), [item.text for item in found])


def create(client: Client, namespace: str, text: str) -> tuple[list[Created], Report]:
    """Create every document in order. Nothing is written unless all of them are fine by themselves; a document that
    fails all the same ends the row, and what was created before it stays, as with kubectl."""
    report = check(client, namespace, text)
    if not report.fine:
        return [], report
    found, _ = items(decode_yaml(text), namespace)
    created: list[Created] = []
    for item in found:
        try:
            written = _create(client, item, dry_run=False)
        except ApiError as error:
            return created, Report(of_refusal(item, error), report.objects)
        meta = written.obj["metadata"]
        place = meta.get("namespace", "")
        created.append(
            Created(item.resource.key, item.resource.singular, place, meta["name"], meta["uid"], written.warnings)
        )
    return created, report


def _create(client: Client, item: Item, *, dry_run: bool) -> Any:
    options = WriteOptions(dry_run=dry_run, duplicates=tuple(item.document.strict_texts()), field_manager="podlab-web")
    return client.create(item.resource.key, item.document.obj, namespace=item.namespace, options=options)


def items(documents: Sequence[Document], namespace: str) -> tuple[list[Item], list[Problem]]:
    """What may be created, and what is wrong with the rest."""
    known: list[Item] = []
    problems: list[Problem] = []
    for index, document in enumerate(documents[:MOST_DOCUMENTS]):
        if document.obj is None:
            continue
        found = _resource(document.obj)
        if isinstance(found, str):
            problems.append({**problem(document, "kind", found), "document": index})
            continue
        meta = document.obj.get("metadata")
        own = meta.get("namespace") if isinstance(meta, dict) else None
        place = (own if isinstance(own, str) and own else namespace) if found.namespaced else ""
        known.append(Item(document, found, place, index))
    if len(documents) > MOST_DOCUMENTS:
        text = gettext("There are more than {most} documents in the text.").format(most=MOST_DOCUMENTS)
        problems.append(problem(documents[MOST_DOCUMENTS], "", text))
    return known, problems


def _resource(obj: Any) -> Resource | str:
    """What the document is, or what is wrong with it, in kubectl's words."""
    if not isinstance(obj, dict):
        return gettext("A manifest is a mapping with apiVersion, kind and metadata.")
    version, kind = obj.get("apiVersion"), obj.get("kind")
    if not isinstance(version, str) or not version:
        return gettext("apiVersion not set")
    if not isinstance(kind, str) or not kind:
        return gettext("kind not set")
    found = scheme.by_kind(version, kind)
    return found if found is not None else f'no matches for kind "{kind}" in version "{version}"'


_FIELD = re.compile(r'(?:unknown|duplicate) field "([^"]+)"')
# encoding/json names the type that it found and the path, without indexes.
_TYPE = re.compile(r"cannot unmarshal (.+) into Go struct field \w+\.(\S+) of type")
_FIELD_FIRST = re.compile(r"(spec|metadata|data)[\w.\[\]-]*:")
_LINE = re.compile(r"^\s*line (\d+): ")


def of_refusal(item: Item, error: ApiError) -> list[Problem]:
    """What the server said, at the fields of that document."""
    return [{**one, "document": item.index} for one in _causes(item, error)]


def of_warning(item: Item, words: str) -> Problem:
    """Warnings begin with the field that they are about, if with any."""
    path = words.partition(":")[0] if _FIELD_FIRST.match(words) else ""
    return {**problem(item.document, path, words, severity="warning"), "document": item.index}


def _causes(item: Item, error: ApiError) -> list[Problem]:
    """One problem a cause; strict decoding errors carry the fields in their text."""
    causes = (error.details or {}).get("causes") or []
    if causes:
        return [_of_cause(item.document, cause) for cause in causes]
    duplicates = [_of_line(text) for text in item.document.duplicate_texts() if _LINE.match(text)]
    fields = _FIELD.findall(error.message)
    if "strict decoding error" in error.message and (fields or duplicates):
        unknown = [problem(item.document, name, _words(error.message, name)) for name in fields]
        return [*unknown, *duplicates]
    wrong_type = _TYPE.search(error.message)
    path = "metadata.name" if error.code == 409 else ""
    if wrong_type:
        found, names = wrong_type.groups()
        path = next(_paths(item.document.obj, names.split("."), found.partition(" ")[0]), names)
    return [problem(item.document, path, error.message)]


def _paths(value: Any, steps: Sequence[str], type: str, path: str = "") -> Iterator[str]:
    """Every path by these names to a value of that JSON type, through lists by their indexes."""
    if not steps and json_type(value).partition(" ")[0] == type:
        yield path
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _paths(one, steps, type, f"{path}[{index}]")
    elif isinstance(value, dict) and steps and steps[0] in value:
        yield from _paths(value[steps[0]], steps[1:], type, f"{path}.{steps[0]}".removeprefix("."))


def _words(message: str, field: str) -> str:
    kind = "duplicate" if f'duplicate field "{field}"' in message else "unknown"
    return f'{kind} field "{field}"'


def _of_cause(document: Document, cause: Manifest) -> Problem:
    field = cause.get("field") or ""
    text = cause.get("message") or cause.get("reason") or ""
    return problem(document, field, f"{field}: {text}" if field else text)


def _of_line(text: str) -> Problem:
    found = _LINE.match(text)
    line = int(found[1]) if found else 1
    return _at(line, 1, _LINE.sub("", text))


def of_decoding(error: DecodeError) -> Problem:
    return _at(error.line, error.column, error.message)


def _at(line: int, column: int, message: str) -> Problem:
    return {"line": line, "column": column, "severity": "error", "message": message, "path": "", "document": 0}


def problem(document: Document, path: str, message: str, *, severity: Literal["error", "warning"] = "error") -> Problem:
    position = position_of(document, path)
    line, column = (position.line, position.column) if position is not None else (1, 1)
    return {**_at(line, column, message), "severity": severity, "path": path}
