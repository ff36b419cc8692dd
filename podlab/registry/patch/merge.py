"""application/merge-patch+json (RFC 7396): maps are merged, null deletes, anything else replaces."""

from __future__ import annotations

import copy
from typing import Any

from podlab.apis.types import Manifest
from podlab.registry.patch.errors import wrong_type


def check(patch: Any) -> None:
    if not isinstance(patch, dict):
        raise wrong_type(patch, "map[string]interface {}")


def apply(obj: Manifest, patch: Manifest) -> Manifest:
    merged: Manifest = merge(obj, patch)
    return merged


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396, MergePatch."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    out = dict(target) if isinstance(target, dict) else {}
    for field, value in patch.items():
        if value is None:
            out.pop(field, None)
        else:
            out[field] = merge(out.get(field), value)
    return out
