"""The patches that Kubernetes knows, but for apply patches, which are `registry.applying`'s. `compile` checks one and
returns what applies it.

Called by `decoding.patched`, again on every conflict. Source: apiserver/pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from podlab.apis import schema, status_errors
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest
from podlab.registry.patch import json_patch, merge, strategic

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
ACCEPTED = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH)


@dataclass(frozen=True, slots=True)
class Change:
    """A patch that can be made. `quoted`: how a refusal of its result shows a patch that was merged as a map of Go
    values; "" shows the result, as JSON. `unknown` are the strict decoding errors of the patch itself."""

    make: Callable[[Manifest], Manifest]
    quoted: str = ""
    unknown: tuple[str, ...] = ()


def compile(resource: Resource, patch_type: str, patch: Any, *, strict: bool = True) -> Change:
    """`patch` is decoded JSON. What comes back may change the object that it is given. `strict` is whether fields are
    validated at all (`fieldValidation` is not Ignore)."""
    if patch_type == JSON_PATCH:
        operations = json_patch.parse(patch, strict=strict)
        unknown = json_patch.unknown_fields(patch) if strict else ()
        return Change(lambda obj: json_patch.apply(obj, operations), unknown=unknown)
    if patch_type == MERGE_PATCH:
        merge.check(patch)
        return Change(lambda obj: merge.apply(obj, patch))
    if patch_type == STRATEGIC_MERGE_PATCH:
        strategic.check(patch)
        definition = schema.definition_of(resource)
        return Change(lambda obj: strategic.apply(obj, patch, definition), quoted=strategic.shown(patch))
    raise status_errors.unsupported_media_type(ACCEPTED)
