"""What the editor knows of a kind: every field with its type, values and the API's sentences, from the lab's own schema. Pure."""

from __future__ import annotations

from functools import cache
from typing import Any

from podlab.apis import schema
from podlab.apis.schema import Type
from podlab.web.forms import choices

_LONGEST = 600


@cache
def of_kind(api_version: str, kind: str) -> dict[str, Any] | None:
    """{"root": name, "types": {name: {field: {...}}}}; None for a kind that the schema does not have."""
    root = schema.definition_of_kind(api_version, kind)
    if root is None:
        return None
    types: dict[str, dict[str, Any]] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name in types:
            continue
        found = schema.fields(name)
        types[name] = {key: _field(name, one) for key, one in sorted(found.items())}
        waiting += [ref for one in found.values() if (ref := _inner(one.type))]
    return {"root": root, "types": types}


def _inner(kind: Type) -> str:
    """The definition of the objects in it, however deep in lists and maps."""
    if kind.item is not None:
        return _inner(kind.item)
    return kind.ref if kind.sort == "object" else ""


def _field(definition: str, field: schema.Field) -> dict[str, Any]:
    told: dict[str, Any] = {"type": _words(field.type)}
    if inner := _inner(field.type):
        told["of"] = inner
    if field.required:
        told["required"] = True
    allowed = choices.of(definition, field.name) or (("true", "false") if field.type.sort == "boolean" else ())
    if allowed:
        told["values"] = list(allowed)
    if text := schema.description(definition, field.name):
        told["doc"] = text if len(text) <= _LONGEST else f"{text[:_LONGEST].rsplit(' ', 1)[0]} …"
    return told


def _words(kind: Type) -> str:
    """The type as `kubectl explain` writes it: []Container, map[string]string."""
    if kind.sort == "array" and kind.item is not None:
        return f"[]{_words(kind.item)}"
    if kind.sort == "map" and kind.item is not None:
        return f"map[string]{_words(kind.item)}"
    return kind.ref.rsplit(".", 1)[-1] if kind.ref else kind.sort
