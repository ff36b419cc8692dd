"""Joins what is applied with what is there, and takes away what is no longer applied. Pure.

Sources: structured-merge-diff/v6/typed/{merge,remove}.go, merge/update.go (prune).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podlab.apis.types import Manifest
from podlab.registry.apply import fieldset
from podlab.registry.apply.fieldset import FieldSet
from podlab.registry.apply.shapes import Shape

_GONE: Any = object()


def merged(shape: Shape, live: Manifest, applied: Manifest) -> Manifest:
    """`applied` wins; what it does not speak of stays. A null in it takes a field away."""
    out = dict(live)
    for name, value in applied.items():
        below = shape.field(name)
        if value is None:
            out.pop(name, None)
        else:
            out[name] = _merged(below, live.get(name), value)
    return out


def _merged(shape: Shape, live: Any, applied: Any) -> Any:
    if shape.sort in ("struct", "map", "free") and isinstance(applied, dict):
        return merged(shape, live if isinstance(live, dict) else {}, applied)
    if shape.sort in ("list", "set") and isinstance(applied, list):
        return _lists(shape, live if isinstance(live, list) else [], applied)
    return applied


def _lists(shape: Shape, live: list[Any], applied: list[Any]) -> list[Any]:
    """The order of `applied` for its own elements; elements of others keep their place among those that both have."""
    theirs = [(shape.key_of(item), item) for item in live]
    ours = [(shape.key_of(item), item) for item in applied]
    there = dict(reversed(theirs))  # of elements that share a key the first one counts
    item = shape.field("")
    out: list[Any] = []
    for element, value in _ordered(theirs, ours):
        if element in there and value is not _GONE:
            out.append(_merged(item, there[element], value))
        else:
            out.append(there[element] if value is _GONE else _merged(item, None, value))
    return out


def _ordered(theirs: list[tuple[str, Any]], ours: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """(element, applied value) in the order of the result; _GONE stands for elements that only the live list has."""
    wanted = dict(ours)
    known = {element for element, _ in theirs}
    shared = iter([element for element, _ in ours if element in known])
    awaited = next(shared, None)
    done: set[str] = set()
    left, right = 0, 0
    while left < len(theirs) or right < len(ours):
        here = theirs[left][0] if left < len(theirs) else None
        if here is not None and here not in wanted:
            yield here, _GONE
            left += 1
            continue
        if here is not None and (here in done or (right < len(ours) and here not in (awaited, ours[right][0]))):
            left += 1  # it comes, or has come, where the applied list has it
            continue
        if right >= len(ours):
            break
        element, value = ours[right]
        yield element, value
        done.add(element)
        right += 1
        if element == here:
            left += 1
        if element == awaited:
            awaited = next(shared, None)


def pruned(shape: Shape, obj: Manifest, dropped: FieldSet, owned: FieldSet) -> Manifest:
    """Without the fields in `dropped` that nobody owns any more, each with all that is below it. A named field counts as
    owned when something below it is; an element of a list only when it is owned itself."""
    out = {}
    for name, value in obj.items():
        element = fieldset.field(name)
        if element in dropped:
            if element not in owned:
                continue
            value = _pruned(shape.field(name), value, dropped[element], owned[element])
            if value is _GONE:
                continue
        out[name] = value
    return out


def _pruned(shape: Shape, value: Any, dropped: FieldSet, owned: FieldSet) -> Any:
    if shape.sort in ("struct", "map", "free") and isinstance(value, dict) and value:
        return pruned(shape, value, dropped, owned) or _GONE
    if shape.sort in ("list", "set") and isinstance(value, list) and value:
        return list(_kept(shape, value, dropped, owned)) or _GONE
    return value


def _kept(shape: Shape, items: list[Any], dropped: FieldSet, owned: FieldSet) -> Iterator[Any]:
    item = shape.field("")
    for value in items:
        element = shape.key_of(value)
        if element not in dropped:
            yield value
            continue
        node = owned.get(element)
        if fieldset.is_member(dropped[element]) and (node is None or not fieldset.is_member(node)):
            continue
        inside = _pruned(item, value, dropped[element], node or {})
        if inside is not _GONE:
            yield inside
