"""The patches that Kubernetes knows, but for apply patches, which are `registry.applying`'s. `compile` checks one and
returns the function that applies it.

Called by `client.Client.patch`; `updating.rewrite` runs the result, again on every conflict. Source:
apiserver/pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

from collections.abc import Callable
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

Change = Callable[[Manifest], Manifest]


def compile(resource: Resource, patch_type: str, patch: Any) -> Change:
    """`patch` is decoded JSON. The function that comes back may change the object that it is given."""
    if patch_type == JSON_PATCH:
        operations = json_patch.parse(patch)
        return lambda obj: json_patch.apply(obj, operations)
    if patch_type == MERGE_PATCH:
        merge.check(patch)
        return lambda obj: merge.apply(obj, patch)
    if patch_type == STRATEGIC_MERGE_PATCH:
        strategic.check(patch)
        definition = schema.definition_of(resource)
        return lambda obj: strategic.apply(obj, patch, definition)
    raise status_errors.unsupported_media_type(ACCEPTED)
