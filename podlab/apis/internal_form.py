"""A pod template as Go prints the internal struct: every field, by its Go name, set or not.

Some refusals quote such a struct ("spec.template: Invalid value: {...}: field is immutable"), and validation builds the
value here. Source: pkg/apis/core/types.go; the fields are in internal_fields.txt.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from podlab.apis.types import Manifest

_FIELDS = Path(__file__).parent / "internal_fields.txt"
_NAMES = {"CephFS": "cephfs", "StorageOS": "storageos", "WWIDs": "wwids"}
_META = ("name", "generateName", "labels", "annotations", "finalizers")
# Fields of a pod's spec that the internal form keeps in the security context.
_MOVED = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")


@cache
def _structs() -> dict[str, tuple[tuple[str, str], ...]]:
    found = {}
    for line in _FIELDS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, *fields = line.split(" ")
            pairs = (field.partition(":") for field in fields)
            found[name] = tuple((field, kind) for field, _, kind in pairs)
    return found


def pod_template(template: Manifest) -> Manifest:
    return struct("PodTemplateSpec", template)


def struct(name: str, given: Manifest) -> Manifest:
    """`given` in the form of the API as the internal struct `name`."""
    if name == "ObjectMeta":
        return {field: _plain(given[field]) for field in _META if given.get(field)}
    if name == "PodSpec":
        moved = {field: given[field] for field in _MOVED if field in given}
        given = {**given, "securityContext": {**moved, **(given.get("securityContext") or {})}}
    out: Manifest = {}
    for field, kind in _structs()[name]:
        if not field:
            inner = given.get("metadata") or {} if kind == "ObjectMeta" else given
            out.update(struct(kind, inner))
        else:
            out[field] = _value(kind, given.get(_json_name(field)))
    return out


def _value(kind: str, value: Any) -> Any:
    inner = kind.lstrip("*[")
    if inner in _structs():
        if kind.startswith("["):
            return [struct(inner, item or {}) for item in value] if value is not None else None
        return None if value is None and kind.startswith("*") else struct(inner, value or {})
    if value is None:
        return None if kind in ("*", "[") else json.loads(kind)
    return _plain(value)


def _plain(value: Any) -> Any:
    """Maps by key; a label selector, which is a struct, has its labels first."""
    if isinstance(value, dict):
        order = sorted(value, key=lambda key: (key == "matchExpressions", key))
        return {key: _plain(value[key]) for key in order}
    return [_plain(item) for item in value] if isinstance(value, list) else value


@cache
def _json_name(field: str) -> str:
    """The name in the API of a Go field: HostPID is hostPID, FSGroup is fsGroup, IP is ip."""
    if field in _NAMES:
        return _NAMES[field]
    match = re.match(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]+$|[A-Z]", field)
    first = match[0] if match else ""
    return first.lower() + field[len(first) :]
