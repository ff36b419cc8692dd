"""Which fields an object has, and which of them a write changed: objects in, sets of paths out. Pure.

Sources: structured-merge-diff/v6/typed/{tofieldset,compare}.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from podlab.apis.types import Manifest
from podlab.registry.apply import fieldset
from podlab.registry.apply.fieldset import FieldSet
from podlab.registry.apply.shapes import Shape


@dataclass(frozen=True, slots=True)
class Difference:
    """`changed` is what was added or got another value."""

    changed: FieldSet
    removed: FieldSet


def field_set(shape: Shape, obj: Manifest) -> FieldSet:
    """The fields that somebody states by applying `obj`: leaves, empty maps, and the elements of lists and maps."""
    return _children(shape, obj)


def _children(shape: Shape, obj: Manifest) -> FieldSet:
    out = {}
    for name, value in obj.items():
        below = shape.field(name)
        node = _node(below, value)
        if shape.sort in ("map", "free"):
            node = fieldset.node_of(True, fieldset.below(node))
        if node is not None:
            out[fieldset.field(name)] = node
    return out


def _node(shape: Shape, value: Any) -> FieldSet | None:
    """None for a part that has no path of its own: a list without elements."""
    if shape.sort == "leaf" or value is None:
        return {}
    if isinstance(value, dict):
        return (_children(shape, value) or None) if value else {}
    if shape.sort in ("list", "set") and isinstance(value, list):
        return _elements(shape, value) or None
    return {}


def _elements(shape: Shape, items: list[Any]) -> FieldSet:
    out: FieldSet = {}
    for item in items:
        element = shape.key_of(item)
        if element:
            inside = _children(shape.field(""), item) if isinstance(item, dict) and shape.sort == "list" else {}
            out[element] = fieldset.node_of(True, inside) or {}
    return out


def difference(shape: Shape, old: Manifest, new: Manifest) -> Difference:
    """What an update did to the fields of an object."""
    changed: FieldSet = {}
    removed: FieldSet = {}
    _maps(shape, old, new, changed, removed)
    return Difference(changed, removed)


def _maps(shape: Shape, old: Manifest, new: Manifest, changed: FieldSet, removed: FieldSet) -> None:
    for name, value in new.items():
        before = old.get(name)
        if value == before and name in old:
            continue
        below = shape.field(name)
        if name in old or below.always:
            _both(below, before, value, fieldset.field(name), changed, removed)
        else:
            changed[fieldset.field(name)] = _whole(below, value)
    for name, before in old.items():
        if name not in new:
            below = shape.field(name)
            if below.always:
                _both(below, before, None, fieldset.field(name), changed, removed)
            else:
                removed[fieldset.field(name)] = _whole(below, before)


def _both(shape: Shape, old: Any, new: Any, element: str, changed: FieldSet, removed: FieldSet) -> None:
    """A part that is on both sides, and differs."""
    more: FieldSet = {}
    less: FieldSet = {}
    if shape.sort in ("struct", "map", "free") and _is(dict, old) and _is(dict, new) and (old or new):
        _maps(shape, old or {}, new or {}, more, less)
    elif shape.sort in ("list", "set") and _is(list, old) and _is(list, new) and (old or new):
        _lists(shape, old or [], new or [], more, less)
    elif (old or None) != (new or None) or (old is not None and new is not None):
        changed[element] = {}
        return
    if more:
        changed[element] = more
    if less:
        removed[element] = less


def _is(kind: type, value: Any) -> bool:
    return value is None or isinstance(value, kind)


def _lists(shape: Shape, old: list[Any], new: list[Any], changed: FieldSet, removed: FieldSet) -> None:
    before, after = _by_key(shape, old), _by_key(shape, new)
    item = shape.field("")
    for element, found in after.items():
        known = before.get(element)
        if known is None:
            changed[element] = _whole(item, found[0]) if len(found) == 1 else {}
        elif known != found:
            if len(known) == len(found) == 1:
                _both(item, known[0], found[0], element, changed, removed)
            else:  # elements that share a key are owned together
                changed[element] = {}
    for element, known in before.items():
        if element not in after:
            removed[element] = _whole(item, known[0]) if len(known) == 1 else {}


def _by_key(shape: Shape, items: list[Any]) -> dict[str, list[Any]]:
    out: dict[str, list[Any]] = {}
    for item in items:
        out.setdefault(shape.key_of(item), []).append(item)
    return out


def _whole(shape: Shape, value: Any) -> FieldSet:
    """A part that is on one side only: every path in it, that of the part itself included."""
    children: FieldSet = {}
    if shape.sort in ("struct", "map", "free") and isinstance(value, dict):
        children = {fieldset.field(name): _whole(shape.field(name), inside) for name, inside in value.items()}
    elif shape.sort in ("list", "set") and isinstance(value, list):
        item = shape.field("")
        children = {shape.key_of(inside): _whole(item, inside) for inside in value}
        children.pop("", None)
    return {fieldset.SELF: {}, **children} if children else {}
