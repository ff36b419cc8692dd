"""Changes in a YAML text that leave everything else in it as it was written: comments, order, quotes, other documents. Pure.

For each change the smallest node is rewritten with which the text then says what it should; whether it does is found by
decoding it again. When nothing smaller does, the document is written anew, and its comments are lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from podlab.apis.decode import decode_yaml
from podlab.apis.decode_errors import DecodeError
from podlab.web import manifest_lines
from podlab.web.forms import edits, paths
from podlab.web.forms.edits import REMOVED, Edit
from podlab.web.forms.paths import Path

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def apply(text: str, index: int, changes: Iterable[Edit]) -> str:
    """`text` with the changes made in its document `index`. DecodeError when the text cannot be read."""
    for change in changes:
        text = _one(text, index, change)
    return text


def _one(text: str, index: int, change: Edit) -> str:
    objects = [document.obj for document in decode_yaml(text)] or [None]
    wanted = edits.one(objects[index], change)
    if edits.same(wanted, objects[index]):
        return text
    objects[index] = wanted
    for depth in range(len(change.path), 0, -1):
        path = change.path[:depth]
        gone = change.value is REMOVED and depth == len(change.path)
        for written in _attempts(text, index, Edit(path, REMOVED if gone else paths.get(wanted, path))):
            if _says(written, objects):
                return written
    return _anew(text, index, objects)


def _says(text: str, objects: list[Any]) -> bool:
    try:
        read = [document.obj for document in decode_yaml(text)]
    except DecodeError:
        return False
    return edits.same(read, objects)


def _anew(text: str, index: int, objects: list[Any]) -> str:
    """The document from its object; the others stay if their text can be told from it."""
    body = manifest_lines.dump(objects[index])
    nodes = list(yaml.compose_all(text, Loader=_LOADER))
    node = nodes[index] if index < len(nodes) else None
    if node is not None:
        written = text[: node.start_mark.index] + body + text[_end(text, node) :].removeprefix("\n")
        if _says(written, objects):
            return written
    written = f"{text.rstrip()}\n{body}" if text.strip() else body
    if _says(written, objects):
        return written
    return "---\n".join(manifest_lines.dump(obj) for obj in objects)


def _attempts(text: str, index: int, change: Edit) -> Iterator[str]:
    """Texts in which the change may have been made: into the node of the path, or beside its siblings."""
    nodes = list(yaml.compose_all(text, Loader=_LOADER))
    parent = _find(nodes[index], change.path[:-1]) if index < len(nodes) else None
    if not isinstance(parent, yaml.CollectionNode):
        return
    step = change.path[-1]
    if isinstance(parent, yaml.MappingNode):
        place = next((n for n, (key, _) in enumerate(parent.value) if key.value == step), len(parent.value))
    else:
        place = int(step)
    if change.value is REMOVED:
        yield from _removed(text, parent, place)
    elif place < len(parent.value):
        yield from _replaced(text, parent, place, change.value)
    else:
        yield from _added(text, parent, step, change.value)


def _find(node: Any, path: Path) -> Any:
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return None
    return node


def _entry(parent: Any, place: int) -> tuple[Any, Any]:
    """Where the entry begins and what its value is: of a sequence both are the item."""
    item = parent.value[place]
    return item if isinstance(parent, yaml.MappingNode) else (item, item)


def _end(text: str, node: Any) -> int:
    """The end of what the node says, without the blank lines and comments that the parser counts to it."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        return int(end)
    if isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">"):
        return int(end)
    lines = text[start:end].split("\n")
    comments = isinstance(node, yaml.CollectionNode)
    while len(lines) > 1 and (not lines[-1].strip() or (comments and lines[-1].lstrip().startswith("#"))):
        lines.pop()
    if comments and node.value:  # the last value knows better: it may be a block text that ends like a comment
        _, last = _entry(node, len(node.value) - 1)
        return _end(text, last)
    return int(start + len("\n".join(lines)))


def _inline(value: Any) -> str:
    """On one line, as it may stand in flow style too."""
    if isinstance(value, str) and "\n" not in value and not set(value) & set(",[]{}"):
        return manifest_lines.dump([value])[2:].rstrip("\n")
    return json.dumps(value, ensure_ascii=False)


def _block(value: Any, column: int) -> str:
    """In block style, for a place that begins at this column: later lines are indented, the first one is not."""
    lines = manifest_lines.dump(value).removesuffix("\n...\n").rstrip("\n").split("\n")
    pad = " " * column
    return "\n".join([lines[0], *(pad + line if line else line for line in lines[1:])])


def _scalar(value: Any) -> bool:
    return not isinstance(value, dict | list) and not (isinstance(value, str) and "\n" in value)


def _replaced(text: str, parent: Any, place: int, value: Any) -> Iterator[str]:
    key, node = _entry(parent, place)
    start, end = node.start_mark.index, _end(text, node)
    if parent.flow_style or (_scalar(value) and isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">")):
        space = "" if start == 0 or text[start - 1] in " [{,\n" else " "
        yield text[:start] + space + _inline(value) + text[end:]
        if parent.flow_style:
            return
    at, column = key.start_mark.index, key.start_mark.column
    whole = {key.value: value} if isinstance(parent, yaml.MappingNode) else value
    yield text[:at] + _block(whole, column) + text[end:]


def _added(text: str, parent: Any, step: str | int, value: Any) -> Iterator[str]:
    mapping = isinstance(parent, yaml.MappingNode)
    if parent.flow_style:
        end = parent.end_mark.index - 1
        comma = ", " if parent.value else ""
        yield text[:end] + comma + (f"{_inline(step)}: {_inline(value)}" if mapping else _inline(value)) + text[end:]
        return
    end, column = _end(text, parent), parent.start_mark.column
    entry = _block({step: value}, column) if mapping else "- " + _block(value, column + 2)
    yield f"{text[:end].rstrip()}\n{' ' * column}{entry}{text[end:]}"
    yield f"{text[:end]}\n{' ' * column}{entry}{text[end:]}"


def _removed(text: str, parent: Any, place: int) -> Iterator[str]:
    if place >= len(parent.value) or len(parent.value) == 1:
        return
    key, node = _entry(parent, place)
    start, end = key.start_mark.index, _end(text, node)
    last = place == len(parent.value) - 1
    if not parent.flow_style:
        first = text.rfind("\n", 0, start) + 1
        if not text[first:start].strip(" -"):
            rest = text.find("\n", end)
            yield text[:first] + (text[rest + 1 :] if rest >= 0 else "")
    if not last:
        yield text[:start] + text[_entry(parent, place + 1)[0].start_mark.index :]
    else:
        before = _entry(parent, place - 1)[1]
        yield text[: _end(text, before)] + text[end:]
