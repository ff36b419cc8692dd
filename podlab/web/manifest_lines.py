"""An object as YAML lines that know their field paths, so that evidence can point at them. Pure."""

from __future__ import annotations

from typing import Any, TypedDict

import yaml

from podlab.apis.types import Manifest
from podlab.apis.yaml_events import resolve


class Line(TypedDict):
    text: str
    path: str  # "spec.containers[0].image"; of a line inside a block text, the path of the text


class _Dumper(yaml.SafeDumper):
    """Lists indented under their key, texts of several lines as blocks: how people write manifests."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


# Characters that turn the direction of a line: raw, they would show a value as another one.
_TURNING = {
    ord(one): f"\\u{ord(one):04x}" for one in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
}


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value and value == value.strip(" ") else None
    if style is None and not isinstance(resolve(value), str):
        style = '"'  # a number, a truth value or nothing to Kubernetes' YAML, though not to PyYAML's
    if _TURNING.keys() & set(map(ord, value)):
        style = '"'  # where they can be written as escapes
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dump(obj: Any) -> str:
    text: str = yaml.dump(obj, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2)
    return text.translate(_TURNING)


def lines(obj: Manifest) -> list[Line]:
    """Every line with the path of the innermost field that begins on it or before it."""
    text = dump(obj)
    rows = text.splitlines()
    paths = [""] * len(rows)
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    _mark(node, "", paths)
    last = ""
    for index, path in enumerate(paths):
        last = paths[index] = path or last
    return [{"text": row, "path": path} for row, path in zip(rows, paths, strict=True)]


def _mark(node: Any, path: str, paths: list[str]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{path}.{key.value}" if path else str(key.value)
            paths[key.start_mark.line] = inner
            _mark(value, inner, paths)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            inner = f"{path}[{index}]"
            paths[value.start_mark.line] = inner
            _mark(value, inner, paths)
