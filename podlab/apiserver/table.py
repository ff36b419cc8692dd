"""Objects as rows of a Table or as PartialObjectMetadata: what `kubectl get` prints. Pure.

Columns and cells come from `apis.printers`; here they get their envelope and the row's object.
Source: apiserver/pkg/endpoints/handlers/response.go, registry/rest/table.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from podlab.apis import printers, status_errors
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest

_INCLUDES = frozenset({"", "Metadata", "Object", "None"})


def include_of(value: str) -> str:
    """The query parameter includeObject: Metadata (also when empty), Object or None."""
    if value not in _INCLUDES:
        raise status_errors.bad_request(
            "Unable to convert to Table as requested: includeObject: Invalid value: "
            f"\"{value}\": must be 'Metadata', 'Object', 'None', or empty"
        )
    return value or "Metadata"


def partial(obj: Manifest, version: str) -> Manifest:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj.get("metadata") or {},
    }


def partial_list(objects: Sequence[Manifest], metadata: Manifest, version: str) -> Manifest:
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "items": [partial(obj, version) for obj in objects] or None,  # a nil slice in Go
    }


def table(
    resource: Resource,
    objects: Sequence[Manifest],
    metadata: Manifest,
    *,
    version: str,
    include: str,
    now: datetime,
    columns: bool = True,
) -> Manifest:
    """`columns` False leaves the definitions out, as in every event of a watch but the first."""
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": _definitions(resource) if columns else None,
        "rows": [_row(resource, obj, version, include, now) for obj in objects],
    }


def _definitions(resource: Resource) -> list[dict[str, Any]]:
    return [column.to_json() for column in printers.columns(resource)]


def _row(resource: Resource, obj: Manifest, version: str, include: str, now: datetime) -> Manifest:
    row: Manifest = {"cells": list(printers.row(resource, obj, now))}
    conditions = printers.row_conditions(resource, obj)
    if conditions:
        row["conditions"] = conditions
    if include == "Object":
        row["object"] = obj
    else:
        row["object"] = None if include == "None" else partial(obj, version)
    return row
