"""A manifest as a form: a tree of inputs with their names, values, choices and the API's sentence on each. Pure.

Names of inputs: `f.<path>` a value, `k.<path>[i]` and `v.<path>[i]` the rows of a map, `u.<path>` the choice among options.
What the form cannot show (a mapping where a text belongs) is a node of sort "raw": said, but left to the YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from podlab.apis import schema
from podlab.apis.types import Manifest
from podlab.web.forms import choices, layout, paths
from podlab.web.forms.layout import Field, Option, Section, Union, Words
from podlab.web.forms.paths import Path

CORE = "io.k8s.api.core.v1."
_SENTENCES = re.compile(r"(?<=[.!?])\s")
_LONGEST_DOC = 280

Sort = Literal["section", "group", "list", "lines", "pairs", "pair", "union", "text", "area", "choice", "switch", "raw"]


@dataclass(slots=True)
class Action:
    """A button: `do` is what the server is asked."""

    do: str
    label: Words


@dataclass(slots=True)
class Node:
    sort: Sort
    path: Path
    label: Words = ""
    doc: str = ""
    value: str = ""
    key: str = ""  # of a row of a map
    example: str = ""
    type: str = "string"  # of the schema; how a text becomes a value
    choices: tuple[tuple[str, Words], ...] = ()
    options: tuple[Option, ...] = ()  # of a union, beside `choices`
    whole: bool = False
    designer: bool = False
    base: Path = ()  # of a union: where its options are
    open: bool = False
    role: str = ""  # of a container: init, sidecar, app
    children: list[Node] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    changed: bool = False
    locked: bool = False
    id: str = ""
    picture: object | None = None  # of the section with the probes

    @property
    def name(self) -> str:
        return paths.text_of(self.path)

    @property
    def field(self) -> str:
        """The name that the API has for it: the last steps of its path."""
        names = [str(step) for step in self.path if isinstance(step, str)]
        return names[-1] if names else ""

    @property
    def api_name(self) -> str:
        """The same where the words do not say it already."""
        return "" if str(self.label).lower() == self.field.lower() else self.field

    @property
    def brief(self) -> str:
        """What is set inside of a section, for its closed state."""
        filled = (child.field for child in self.children if any(_filled(node) for node in child.walk()))
        return ", ".join(dict.fromkeys(filled))

    @property
    def rows(self) -> int:
        return min(self.value.count("\n") + 1, 14)

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()


def form(obj: Any) -> list[Node]:
    """The sections of a manifest's form; none for a kind that has no layout, or for what is no mapping."""
    definition = definition_of(obj)
    found = layout.LAYOUTS.get(_short(definition)) if definition else None
    return [] if found is None else _entries(definition, obj, (), found)


def definition_of(obj: Any) -> str:
    if not isinstance(obj, dict):
        return ""
    version, kind = obj.get("apiVersion"), obj.get("kind")
    return schema.definition_of_kind(version, kind) or "" if isinstance(version, str) and isinstance(kind, str) else ""


def _short(definition: str) -> str:
    return definition.rsplit(".", 1)[-1]


def _entries(definition: str, obj: Any, path: Path, entries: layout.Layout | tuple[Field | Union, ...]) -> list[Node]:
    out: list[Node] = []
    for entry in entries:
        if isinstance(entry, Section):
            children = _entries(definition, obj, path, entry.entries)
            filled = not path and any(_filled(node) for child in children for node in child.walk())
            out.append(Node("section", path, entry.label, children=children, open=entry.open or filled, id=entry.id))
        elif isinstance(entry, Union):
            out.append(_union(definition, obj, path, entry))
        else:
            out.append(_field(definition, obj, path, entry))
    return out


def _filled(node: Node) -> bool:
    if node.sort in ("group", "raw"):
        return True
    return bool(node.value) and not (node.sort == "union" and not node.whole)


def resolve(definition: str, path: str) -> tuple[str, str, schema.Type]:
    """The definition, name and type of a field at a dotted path below `definition`."""
    steps = path.split(".")
    for step in steps[:-1]:
        kind = schema.fields(definition)[step].type
        if kind.sort == "map" and kind.item is not None:
            return "", steps[-1], kind.item
        definition = kind.ref
    return definition, steps[-1], schema.fields(definition)[steps[-1]].type


def documentation(definition: str, name: str) -> str:
    """The first sentences on a field, as the API has them."""
    text = ""
    for sentence in _SENTENCES.split(schema.description(definition, name)) if definition else ():
        if text and len(text) + len(sentence) > _LONGEST_DOC:
            break
        text = f"{text} {sentence}".strip()
    return text[: 2 * _LONGEST_DOC]


def _field(definition: str, obj: Any, path: Path, entry: Field) -> Node:
    home, name, kind = resolve(definition, entry.path)
    here = (*path, *entry.path.split("."))
    node = Node("text", here, entry.label, documentation(home, name), example=entry.example, type=kind.sort)
    value = paths.get(obj, here[len(path) :])
    if kind.sort == "array" and kind.item is not None:
        return _list(node, kind.item, value, entry)
    if kind.sort == "map":
        return _pairs(node, value)
    return _scalar(node, value, choices.of(home, name))


def _scalar(node: Node, value: Any, allowed: tuple[str, ...] = ()) -> Node:
    if isinstance(value, dict | list):
        node.sort = "raw"
        return node
    node.value = _text(value)
    if node.type == "boolean":
        node.sort, allowed = "switch", ("true", "false")
    elif allowed:
        node.sort = "choice"
    elif "\n" in node.value or "\r" in node.value:
        node.sort = "area"
    if allowed:
        own = () if node.value in ("", *allowed) else (node.value,)
        node.choices = (("", "–"), *((one, one) for one in (*allowed, *own)))
    return node


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list(node: Node, item: schema.Type, value: Any, entry: Field) -> Node:
    """Of texts: an input each and an empty one. Of objects: a group each."""
    if value is not None and not isinstance(value, list):
        node.sort = "raw"
        return node
    items = value or []
    if item.sort != "object":
        if any(isinstance(one, dict | list) for one in items):
            node.sort = "raw"
            return node
        node.sort = "lines"
        rows = [*items, None]
        node.children = [_scalar(Node("text", (*node.path, n), type=item.sort), one) for n, one in enumerate(rows)]
        node.children[-1].example = entry.example
        return node
    node.sort = "list"
    node.children = [_group((*node.path, n), item.ref, one, len(items), n) for n, one in enumerate(items)]
    node.actions = [Action(f"add:{node.name}:{variant}", label) for variant, label, _ in entry.adds]
    return node


def _group(path: Path, definition: str, obj: Any, count: int, index: int) -> Node:
    short = _short(definition)
    node = Node("group", path, str(index + 1), open=True, type=short)
    node.actions = [Action(f"remove:{node.name}", "")]
    if short == "Container":
        node.role = _role(path, obj)
        node.label = obj.get("name") or "" if isinstance(obj, dict) else ""
        if index:
            node.actions.insert(0, Action(f"up:{node.name}", ""))
    if isinstance(obj, dict) and short in layout.LAYOUTS:
        node.children = _entries(definition, obj, path, layout.LAYOUTS[short])
    return node


def _role(path: Path, obj: Any) -> str:
    if "initContainers" not in path:
        return "app"
    return "sidecar" if isinstance(obj, dict) and obj.get("restartPolicy") == "Always" else "init"


def _pairs(node: Node, value: Any) -> Node:
    if value is not None and (
        not isinstance(value, dict) or any(isinstance(one, dict | list) for one in value.values())
    ):
        node.sort = "raw"
        return node
    node.sort = "pairs"
    rows = [*(value or {}).items(), ("", None)]
    node.children = [
        Node("pair", (*node.path, n), key=key, value=_text(one), open="\n" in _text(one))
        for n, (key, one) in enumerate(rows)
    ]
    return node


def _union(definition: str, obj: Any, path: Path, entry: Union) -> Node:
    base = (*path, *entry.at.split(".")) if entry.at else path
    inner = resolve(definition, entry.at)[2].ref if entry.at else definition
    value = paths.get(obj, base[len(path) :])
    node = Node(
        "union", base, entry.label, whole=entry.whole, designer=entry.designer, base=base, options=entry.options
    )
    if entry.at:
        node.doc = documentation(*resolve(definition, entry.at)[:2])
    if value is not None and not isinstance(value, dict):
        node.sort = "raw"
        return node
    chosen = chosen_of(entry.options, value)
    offered = [(one.path, one.label) for one in entry.options]
    if chosen is None:
        offered.insert(0, ("?", "–"))
    node.choices, node.value = tuple(offered), "?" if chosen is None else chosen.path
    if chosen is not None and chosen.path:
        node.children = _option(inner, value or {}, base, chosen)
    if value and (chosen is None or chosen.path):
        node.children += _entries(inner, value, base, entry.more)
    return node


def chosen_of(options: tuple[Option, ...], value: Manifest | None) -> Option | None:
    """The first option that is there; the choice of none when nothing is; None for something that the form does not know."""
    for option in options:
        if option.path and isinstance(value, dict) and paths.get(value, tuple(option.path.split("."))) is not None:
            return option
    if value:
        return None
    return next((option for option in options if not option.path), None)


def _option(definition: str, value: Manifest, base: Path, option: Option) -> list[Node]:
    """The inputs of the option that is chosen."""
    _, _, kind = resolve(definition, option.path)
    if kind.sort != "object":
        return [_field(definition, value, base, Field(option.path, option.label))]
    steps = tuple(option.path.split("."))
    fields = layout.LAYOUTS.get(_short(kind.ref), ()) if option.fields is None else option.fields
    return _entries(kind.ref, paths.get(value, steps), (*base, *steps), fields)
