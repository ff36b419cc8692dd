"""Does an applied configuration fit the schema? Kubernetes' answers, word for word. Pure.

Source: structured-merge-diff/v6/typed/{validate,helpers}.go.
"""

from __future__ import annotations

import json
from typing import Any

from podlab.apis.types import Manifest
from podlab.registry.apply import fieldset, shapes
from podlab.registry.apply.shapes import Shape

_NUMBERS = frozenset({"integer", "number"})


def problems(shape: Shape, obj: Manifest) -> str:
    """The text of everything that is wrong, "" when nothing is."""
    found: list[str] = []
    _fields(shape, obj, "", found)
    if len(found) < 2:
        return "".join(found)
    return "\n".join(["errors:", *(f"  {line}" for line in found)])


def _fields(shape: Shape, obj: Manifest, path: str, found: list[str]) -> None:
    for name, value in obj.items():
        here = f"{path}.{name}"
        below = shape.field(name)
        if shape.sort == "struct" and below.sort == "free" and not _is_declared(shape, name):
            found.append(f"{here}: field not declared in schema")
        elif value is not None:
            _value(below, value, here, found)


def _is_declared(shape: Shape, name: str) -> bool:
    return name in shapes.fields(shape.definition)


def _value(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    if shape.sort == "free":
        return
    if shape.sort in ("struct", "map"):
        _map(shape, value, path, found)
    elif shape.sort in ("list", "set"):
        _list(shape, value, path, found)
    else:
        _leaf(shape, value, path, found)


def _map(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, dict):
        found.append(f"{path}: expected map, got &{{{_go(value)}}}")
        return
    _fields(shape, value, path, found)


def _list(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, list):
        found.append(f"{path}: expected list, got &{{{_go(value)}}}")
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        element = shape.key_of(item)
        if not element or (shape.sort == "list" and not isinstance(item, dict)):
            found.append(f"{path}: element {index}: {_keyless(shape, item)}")
            continue
        shown = fieldset.text((element,))
        if element in seen:
            found.append(f"{path}: duplicate entries for key {shown}")
            continue
        seen.add(element)
        _value(shape.field(""), item, path + shown, found)


def _keyless(shape: Shape, item: Any) -> str:
    if not isinstance(item, dict):
        return "associative list with keys may not have non-map elements"
    names = " ".join(json.dumps(key.name) for key in shape.keys)
    return (
        f"associative list with keys has an element that omits all key fields [{names}] "
        "(and doesn't have default values for any key fields)"
    )


def _leaf(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    sort = shape.scalar
    if sort == "array":
        if not isinstance(value, list):
            found.append(f"{path}: expected list, got &{{{_go(value)}}}")
            return
        for index, item in enumerate(value):
            if shape.item is not None and item is not None:
                _value(shape.item, item, f"{path}[{index}]", found)
    elif sort == "object":
        inside = Shape("struct", shape.definition) if shape.definition else None
        if not isinstance(value, dict):
            found.append(f"{path}: expected map, got &{{{_go(value)}}}")
        elif inside is not None:
            _fields(inside, value, path, found)
    elif sort in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            found.append(f"{path}: expected numeric (int or float), got {_go_type(value)}")
    elif sort == "string":
        if not isinstance(value, str):
            found.append(f"{path}: expected string, got &value.valueUnstructured{{Value:{_go(value)}}}")
    elif sort == "boolean" and not isinstance(value, bool):
        found.append(f"{path}: expected boolean, got &{{{_go(value)}}}")


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "int64" if isinstance(value, int) else "float64"
    return "[]interface {}" if isinstance(value, list) else "map[string]interface {}"


def _go(value: Any) -> str:
    """As Go's %v prints a decoded value."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{_go(item)}" for name, item in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_go(item) for item in value) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
