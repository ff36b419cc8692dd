"""What the schema says about the parts of an object: which of them are owned whole, and how list elements are told apart.

Source: structured-merge-diff/v6/schema, and its form in client-go/applyconfigurations/internal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from podlab.apis import schema
from podlab.registry.apply import fieldset

Sort = Literal["leaf", "struct", "map", "list", "set", "free"]

# Structs that Go holds by value: they are there even in an empty object, so nobody comes to own them by filling them.
_BY_VALUE = frozenset(
    {"metadata", "spec", "status", "template", "jobTemplate", "strategy", "updateStrategy", "loadBalancer", "source"}
)
# The only defaults that keys of lists have in Kubernetes' schema; another required key is empty when it is missing.
_KEY_DEFAULTS = {"protocol": "TCP"}


@dataclass(frozen=True, slots=True)
class ListKey:
    name: str
    default: Any  # None = the key is left out when it is missing


@dataclass(frozen=True, slots=True)
class Shape:
    """`leaf` also stands for lists and maps that are owned whole, `free` for what has no schema. `always`: Go's empty
    object has the field already. `scalar` is the schema's sort of a leaf, for error texts."""

    sort: Sort
    definition: str = ""
    item: Shape | None = None
    keys: tuple[ListKey, ...] = ()
    always: bool = False
    scalar: str = ""

    def field(self, name: str) -> Shape:
        """The shape of what lies under `name`; FREE for fields that the schema does not know."""
        if self.sort == "struct":
            return fields(self.definition).get(name, FREE)
        return self.item or FREE

    def key_of(self, item: Any) -> str:
        """The path element of a list item; "" when it has none of its keys."""
        if self.sort == "set":
            return fieldset.value(item)
        if not isinstance(item, dict):
            return ""
        values = [(key.name, item.get(key.name, key.default)) for key in self.keys]
        known = [(name, value) for name, value in values if value is not None]
        return fieldset.key(known) if known else ""


FREE = Shape("free")


def of(definition: str) -> Shape:
    """The shape of a whole object."""
    return Shape("struct", definition)


@cache
def fields(definition: str) -> dict[str, Shape]:
    return {name: _shape(known) for name, known in schema.fields(definition).items()}


def _shape(known: schema.Field) -> Shape:
    kind = known.type
    if kind.sort == "object":
        if schema.is_atomic(kind.ref) or known.map_type == "atomic":
            return Shape("leaf", kind.ref, scalar="object")
        return Shape("struct", kind.ref, always=known.name in _BY_VALUE)
    if kind.sort == "map":
        atomic = known.map_type == "atomic"
        return Shape("leaf", scalar="object") if atomic else Shape("map", item=_item(kind.item))
    if kind.sort == "array":
        return _list(known)
    return FREE if kind.sort == "any" else Shape("leaf", scalar=kind.sort)


def _list(known: schema.Field) -> Shape:
    if known.list_type == "set":
        return Shape("set", item=_item(known.type.item), always=known.required)
    if known.list_type == "map" and known.type.item is not None:
        inside = schema.fields(known.type.item.ref)
        keys = tuple(ListKey(name, _default(inside[name])) for name in known.map_keys)
        return Shape("list", item=_item(known.type.item), keys=keys, always=known.required)
    return Shape("leaf", item=_item(known.type.item), scalar="array")


def _default(field: schema.Field) -> Any:
    if field.name in _KEY_DEFAULTS:
        return _KEY_DEFAULTS[field.name]
    if not field.required:
        return None
    return 0 if field.type.sort == "integer" else ""


def _item(kind: schema.Type | None) -> Shape:
    if kind is None or kind.sort == "any":
        return FREE
    if kind.sort == "object":
        return Shape("leaf", kind.ref, scalar="object") if schema.is_atomic(kind.ref) else Shape("struct", kind.ref)
    if kind.sort == "map":
        return Shape("map", item=_item(kind.item))
    return Shape("leaf", item=_item(kind.item), scalar=kind.sort)
