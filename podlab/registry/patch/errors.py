"""Refusals that the patches share."""

from __future__ import annotations

from typing import Any

from podlab.apis import status_errors


def not_applicable() -> status_errors.ApiError:
    """What Kubernetes says of a JSON patch that does not fit the object: the generic 422."""
    text = "the server rejected our request due to an error in our request"
    return status_errors.ApiError(422, "Invalid", text, details={})


def wrong_type(patch: Any, wanted: str) -> status_errors.ApiError:
    """The body of the patch is JSON, but not an object or list as it should be."""
    if patch is None:
        return status_errors.bad_request("Invalid JSON Patch")
    what = f"json: cannot unmarshal {json_type(patch)} into Go value of type {wanted}"
    return status_errors.bad_request(f"error decoding patch: {what}")


def json_type(value: Any) -> str:
    """As encoding/json names the types of JSON values."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def go_text(value: Any) -> str:
    """A value as Go's %v prints it: map[a:1 b:[x y]]."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{field}:{go_text(item)}" for field, item in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_text(item) for item in value) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
