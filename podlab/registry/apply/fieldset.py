"""Sets of field paths, held in the very form in which managedFields stores them (FieldsV1).

A set maps path elements ("f:spec", 'k:{"name":"c"}', 'v:"x"') to nodes. A node is again such a map; the path that leads to
it is a member when the node is empty or has the key ".". Sets share their parts, so nothing here changes its arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

FieldSet = dict[str, Any]
Path = tuple[str, ...]

SELF = "."
_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_ORDER = {"f": 0, "k": 1, "v": 2, "i": 3}


def field(name: str) -> str:
    return f"f:{name}"


def key(values: Iterable[tuple[str, Any]]) -> str:
    """The element of an associative list with these keys, which are sorted by name."""
    return "k:" + _dump(dict(sorted(values)))


def value(item: Any) -> str:
    """The element of a list that is a set."""
    return "v:" + _dump(item)


def _dump(item: Any) -> str:
    return _ENCODE(item)


def is_member(node: FieldSet) -> bool:
    return not node or SELF in node


def node_of(member: bool, children: FieldSet) -> FieldSet | None:
    """None when nothing is in it."""
    if not children:
        return {} if member else None
    return {SELF: {}, **children} if member else children


def _below(node: FieldSet) -> FieldSet:
    return {name: child for name, child in node.items() if name != SELF} if SELF in node else node


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    if not one or not other:
        return one or other
    out = dict(one)
    for name, node in other.items():
        out[name] = _union(out[name], node) if name in out else node
    return out


def _union(one: FieldSet, other: FieldSet) -> FieldSet:
    if one is other:
        return one
    joined = node_of(is_member(one) or is_member(other), union(_below(one), _below(other)))
    return joined if joined is not None else {}


def difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """The members of `one` that are not members of `other`."""
    if not other:
        return one
    out = {}
    for name, node in one.items():
        if name in other:
            theirs = other[name]
            left = node_of(is_member(node) and not is_member(theirs), difference(_below(node), _below(theirs)))
            if left is not None:
                out[name] = left
        else:
            out[name] = node
    return out


def intersection(one: FieldSet, other: FieldSet) -> FieldSet:
    out = {}
    for name, node in one.items():
        if name in other:
            theirs = other[name]
            both = node_of(is_member(node) and is_member(theirs), intersection(_below(node), _below(theirs)))
            if both is not None:
                out[name] = both
    return out


def below(node: FieldSet | None) -> FieldSet:
    """The set of what lies below a path; empty when the path is not there."""
    return _below(node) if node else {}


def paths(fields: FieldSet) -> Iterator[Path]:
    """Members in Kubernetes' order: those of a level first, then what lies deeper."""
    ordered = sorted(fields, key=_rank)
    for name in ordered:
        if is_member(fields[name]):
            yield (name,)
    for name in ordered:
        for rest in paths(_below(fields[name])):
            yield (name, *rest)


def ordered(fields: FieldSet) -> FieldSet:
    """The set as Kubernetes writes it, level by level: clients compare the text (structured-merge-diff,
    fieldpath/serialize.go emitContentsV1)."""
    if len(fields) < 2:
        return {name: ordered(node) if node else node for name, node in fields.items()}
    return {name: ordered(node) if (node := fields[name]) else node for name in sorted(fields, key=_rank)}


def _rank(element: str) -> tuple[Any, ...]:
    """fieldpath/element.go PathElement.Compare: names, keys, values, positions."""
    sort, rest = element[:1], element[2:]
    if sort == "k":
        return _ORDER[sort], *((name, _value_rank(item)) for name, item in json.loads(rest).items())
    if sort in ("v", "i"):
        return _ORDER[sort], _value_rank(json.loads(rest))
    return _ORDER.get(sort, -1), rest


def _value_rank(item: Any) -> tuple[int, Any]:
    """value/value.go Compare: numbers, texts, truths, then what nobody has as a key."""
    if isinstance(item, bool):
        return 2, item
    if isinstance(item, int | float):
        return 0, item
    return (1, item) if isinstance(item, str) else (3, _dump(item))


def text(path: Path) -> str:
    """`.spec.containers[name="c"].image`"""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    sort, _, rest = element.partition(":")
    if sort == "f":
        return f".{rest}"
    if sort == "k":
        return "[" + ",".join(f"{name}={_dump(item)}" for name, item in json.loads(rest).items()) + "]"
    return f"[={rest}]" if sort == "v" else f"[{rest}]"


def is_valid(fields: Any) -> bool:
    """Whether something that a client sent can be read as FieldsV1."""
    if not isinstance(fields, dict):
        return False
    return all((name == SELF or _is_element(name)) and is_valid(node) for name, node in fields.items())


def _is_element(name: str) -> bool:
    sort, colon, rest = name.partition(":")
    if not colon or sort not in _ORDER:
        return False
    if sort == "f":
        return True
    try:
        found = json.loads(rest)
    except ValueError:
        return False
    return {"k": isinstance(found, dict), "i": isinstance(found, int)}.get(sort, True)
