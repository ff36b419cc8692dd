"""What a person changed in the form: the texts that came back beside those that were shown. Pure.

Only what differs becomes an edit, so whatever the form does not show, or was not sent back, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from podlab.web.forms import layout, paths
from podlab.web.forms.build import Node
from podlab.web.forms.edits import REMOVED, Edit

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FLOAT = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")
# What may stand empty: without it the thing that it makes would be gone.
_MAY_BE_EMPTY = frozenset({"emptyDir"})


def edits(form: list[Node], obj: Any, sent: Mapping[str, str]) -> list[Edit]:
    """Changes of `obj`, whose form is `form`, in the order in which they are to be made."""
    found = [edit for node in form for edit in _of(node, sent)]
    for node in (inner for section in form for inner in section.walk()):
        if node.sort == "lines":
            found += _lines(node, sent)
        elif node.sort == "pairs":
            found += _pairs(node, sent)
    return [*found, *_emptied(obj, found)]


def _of(node: Node, sent: Mapping[str, str]) -> Iterator[Edit]:
    if node.sort in ("text", "area", "choice", "switch"):
        given = sent.get(f"f.{node.name}")
        if given is not None and not _same(given, node):
            yield Edit(node.path, value_of(given, node.type) if given else REMOVED)
    elif node.sort == "union":
        wanted = sent.get(f"u.{node.name}", node.value)
        if wanted != node.value:
            yield from _chosen(node, wanted)
            return
    if node.sort not in ("lines", "pairs"):
        for child in node.children:
            yield from _of(child, sent)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _same(sent: str, node: Node) -> bool:
    return _plain(sent) == _plain(node.value)


def value_of(text: str, kind: str) -> Any:
    """A text as the schema wants it; one that does not fit stays a text, and the server says what is wrong with it."""
    text = _plain(text)
    if kind in ("integer", "intorstring") and _INTEGER.fullmatch(text.strip()):
        return int(text)
    if kind == "number" and _FLOAT.fullmatch(text.strip()):
        return float(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _chosen(node: Node, wanted: str) -> Iterator[Edit]:
    """Another option of a union: the old one goes, the new one begins with its example."""
    option = next((one for one in node.options if one.path == wanted), None)
    if option is None:
        return
    if not wanted and node.whole:
        yield Edit(node.base)
        return
    if node.value not in ("", "?"):
        yield Edit((*node.base, *node.value.split(".")))
    if wanted:
        yield Edit((*node.base, *wanted.split(".")), option.fresh)


def _lines(node: Node, sent: Mapping[str, str]) -> Iterator[Edit]:
    """Items that were emptied go, from the end; what was written into the empty row is appended."""
    gone = []
    for child in node.children[:-1]:
        given = sent.get(f"f.{child.name}")
        if given is None or _same(given, child):
            continue
        if given:
            yield Edit(child.path, value_of(given, child.type))
        else:
            gone.append(child)
    last = node.children[-1]
    added = sent.get(f"f.{last.name}") or ""
    if added:
        yield Edit(last.path, value_of(added, last.type))
    yield from (Edit(child.path) for child in reversed(gone))


def _pairs(node: Node, sent: Mapping[str, str]) -> Iterator[Edit]:
    for child in node.children:
        key = sent.get(f"k.{child.name}", child.key)
        value = sent.get(f"v.{child.name}", child.value)
        if key == child.key and _same(value, child):
            continue
        if child.key and key != child.key:
            yield Edit((*node.path, child.key))
        if key:
            yield Edit((*node.path, key), _plain(value))


def _emptied(obj: Any, found: list[Edit]) -> Iterator[Edit]:
    """Objects that lost their last field go with it."""
    for edit in found:
        if edit.value is not REMOVED:
            continue
        path = edit.path[:-1]
        while path and isinstance(path[-1], str) and path[-1] not in _MAY_BE_EMPTY:
            after = paths.get(_after(obj, found), path)
            if after or not isinstance(after, dict | list):
                break
            yield Edit(path)
            found = [*found, Edit(path)]
            path = path[:-1]


def _after(obj: Any, found: list[Edit]) -> Any:
    for edit in found:
        obj = paths.without(obj, edit.path) if edit.value is REMOVED else paths.put(obj, edit.path, edit.value)
    return obj


class Unknown(ValueError):
    """A button that this form does not have."""


def act(form: list[Node], obj: Any, do: str) -> Edit:
    """What a button of the form does: add:<list>:<variant>, remove:<item>, up:<item>."""
    verb, _, rest = do.partition(":")
    nodes = [inner for section in form for inner in section.walk()]
    if not any(do == action.do for node in nodes for action in node.actions):
        raise Unknown(do)
    if verb == "add":
        name, _, variant = rest.rpartition(":")
        path = paths.parse(name)
        items = paths.get(obj, path) or []
        return Edit((*path, len(items)), _fresh(name, variant, items))
    path = paths.parse(rest)
    if verb == "remove":
        items = paths.get(obj, path[:-1])
        return Edit(path if len(items) > 1 else path[:-1])
    index = int(path[-1])
    items = list(paths.get(obj, path[:-1]))
    items[index - 1 : index + 1] = [items[index], items[index - 1]]
    return Edit(path[:-1], items)


def _fresh(name: str, variant: str, items: list[Any]) -> Any:
    """The new item of that list, with a name of its own."""
    entry = next((field for field in _fields() if _is(name, field.path) and field.adds), None)
    if entry is None:
        raise Unknown(name)
    item = next((item for key, _, item in entry.adds if key == variant), None)
    if not isinstance(item, dict):
        raise Unknown(variant)
    taken = {one.get("name") for one in items if isinstance(one, dict)}
    if item.get("name") not in taken or "name" not in item:
        return item
    number = next(n for n in range(2, len(taken) + 3) if f"{item['name']}-{n}" not in taken)
    joint = "_" if item["name"].isupper() else "-"
    return {**item, "name": f"{item['name']}{joint}{number}"}


def _is(name: str, path: str) -> bool:
    return name == path or name.endswith(f".{path}")


def _fields() -> Iterator[layout.Field]:
    def inside(entries: Any) -> Iterator[layout.Field]:
        for entry in entries:
            if isinstance(entry, layout.Section):
                yield from inside(entry.entries)
            elif isinstance(entry, layout.Field):
                yield entry

    for entries in layout.LAYOUTS.values():
        yield from inside(entries)
