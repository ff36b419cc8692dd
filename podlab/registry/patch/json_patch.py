"""application/json-patch+json (RFC 6902), with the leniencies of the library that Kubernetes uses (evanphx/json-patch):
`replace` and `copy` take a missing field of a map for null, and a negative index counts from the end."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from podlab.apis import status_errors
from podlab.apis.types import Manifest
from podlab.registry.patch.errors import json_type, not_applicable

MAX_OPERATIONS = 10_000
_TEXTS = ("op", "path", "from")
_OPERATIONS = frozenset({"add", "remove", "replace", "move", "copy", "test"})


@dataclass(frozen=True, slots=True)
class Operation:
    op: str
    path: tuple[str, ...]
    source: tuple[str, ...] = ()
    value: Any = None


def parse(patch: Any, *, strict: bool = True) -> tuple[Operation, ...]:
    """`strict`: the patch is first decoded into a list of structs, which checks the types of their fields; that is so
    unless fieldValidation is Ignore (patch.go, applyJSPatch). Null is a patch without operations."""
    items = [] if patch is None else patch
    if not isinstance(items, list):
        raise _undecodable(items, "[]handlers.jsonPatchOp", "jsonpatch.Patch", strict)
    for item in items:
        if item is not None and not isinstance(item, dict):
            raise _undecodable(item, "handlers.jsonPatchOp", "jsonpatch.Operation", strict)
        if strict:
            _check_fields(item or {})
    if len(items) > MAX_OPERATIONS:
        text = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(items)}"
        raise status_errors.too_large(text)
    return tuple(_operation(item or {}) for item in items)


def unknown_fields(patch: Any) -> tuple[str, ...]:
    """The strict decoding errors of a patch, as far as they are about fields that no operation has."""
    items = patch if isinstance(patch, list) else []
    return tuple(
        f'unknown field "[{index}].{name}"'
        for index, item in enumerate(items)
        for name in (item if isinstance(item, dict) else ())
        if name not in (*_TEXTS, "value")
    )


def _undecodable(value: Any, wanted: str, unchecked: str, strict: bool) -> status_errors.ApiError:
    text = f"json: cannot unmarshal {json_type(value)} into Go value of type {wanted if strict else unchecked}"
    return status_errors.bad_request(f"error decoding patch: {text}" if strict else text)


def _check_fields(item: Manifest) -> None:
    for name, value in item.items():
        if name in _TEXTS and not isinstance(value, str | None):
            text = f"json: cannot unmarshal {json_type(value)} into Go struct field jsonPatchOp.{name} of type string"
            raise status_errors.bad_request(f"error decoding patch: {text}")


def _operation(item: Manifest) -> Operation:
    op = item.get("op")
    if op not in _OPERATIONS or (op in ("add", "test") and "value" not in item):
        raise not_applicable()
    source = _pointer(item.get("from")) if op in ("move", "copy") else ()
    return Operation(str(op), _pointer(item.get("path")), source, item.get("value"))


def _pointer(text: Any) -> tuple[str, ...]:
    """RFC 6901. The whole document ("") cannot be patched."""
    if not isinstance(text, str) or not text.startswith("/"):
        raise not_applicable()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def apply(obj: Manifest, operations: Sequence[Operation]) -> Manifest:
    for operation in operations:
        _apply(obj, operation)
    return obj


def _apply(document: Any, operation: Operation) -> None:
    holder, last = _parent(document, operation.path)
    if operation.op == "add":
        _add(holder, last, copy.deepcopy(operation.value))
    elif operation.op == "remove":
        _remove(holder, last)
    elif operation.op == "replace":
        _put(holder, last, copy.deepcopy(operation.value))
    elif operation.op == "test":
        if _get(holder, last) != operation.value:
            raise not_applicable()
    else:
        from_holder, from_last = _parent(document, operation.source)
        value = copy.deepcopy(_get(from_holder, from_last))
        if operation.op == "move":
            _remove(from_holder, from_last)
            holder, last = _parent(document, operation.path)
        _add(holder, last, value)


def _parent(document: Any, path: tuple[str, ...]) -> tuple[Any, str]:
    holder = document
    for part in path[:-1]:
        holder = _get(holder, part)
    if not isinstance(holder, dict | list):
        raise not_applicable()
    return holder, path[-1]


def _get(holder: Any, part: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(part)
    if isinstance(holder, list):
        return holder[_index(holder, part)]
    raise not_applicable()


def _put(holder: Any, part: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[part] = value
    else:
        holder[_index(holder, part)] = value


def _add(holder: Any, part: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[part] = value
    elif part == "-":
        holder.append(value)
    else:
        holder.insert(_index(holder, part, end=True), value)


def _remove(holder: Any, part: str) -> None:
    if isinstance(holder, dict):
        if part not in holder:
            raise not_applicable()
        del holder[part]
    else:
        del holder[_index(holder, part)]


def _index(holder: list[Any], part: str, *, end: bool = False) -> int:
    """The position that `part` names; with `end`, the place after the last element counts too."""
    size = len(holder) + (1 if end else 0)
    if not part.removeprefix("-").isdecimal() or not part.isascii():
        raise not_applicable()
    position = int(part)
    if not -size <= position < size:
        raise not_applicable()
    return position + size if position < 0 else position
