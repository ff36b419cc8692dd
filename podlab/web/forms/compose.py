"""Form, YAML and command after a change in one of them: what the views answer with. Pure.

The text is the truth. What came back from the page is compared with what the page had been given, and only what differs
is made in the text; then form and command are those of the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from podlab.apis.decode import Document, decode_yaml
from podlab.apis.decode_errors import DecodeError
from podlab.web.forms import build, edits, kubectl_run, posted, yaml_edit
from podlab.web.forms.build import Node
from podlab.web.forms.edits import Edit

_BUTTON = re.compile(r"(add|remove|up):")
# What an edit of an existing pod may change (apis.validation.pod_update); the rest of its form is locked.
_OPEN_IN_PODS = re.compile(
    r"metadata\.(labels|annotations)(\[.*|\..*)?"
    r"|spec\.(initContainers|containers)\[\d+\]\.image"
    r"|spec\.activeDeadlineSeconds|spec\.tolerations.*|spec\.terminationGracePeriodSeconds"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the page sent. `given` is the text that its form and its line were made of."""

    text: str
    given: str
    document: int = 0
    sent: Mapping[str, str] = field(default_factory=dict)
    line: str | None = None
    do: str = ""


@dataclass(slots=True)
class Composition:
    """`unreadable` is why there is neither form nor line: the text cannot be decoded."""

    text: str
    document: int
    documents: list[str]
    form: list[Node]
    line: list[str] | None
    changed: list[str]
    line_problem: str = ""
    unreadable: DecodeError | None = None
    source: Document | None = None

    def walk(self) -> list[Node]:
        return [node for section in self.form for node in section.walk()]


def compose(draft: Draft) -> Composition:
    text, problem = draft.text, ""
    before = _object(draft.given, draft.document)
    try:
        text = yaml_edit.apply(text, draft.document, posted.edits(build.form(before), before, draft.sent))
        found = None if draft.line is None else _of_line(before, draft.line)
        if isinstance(found, str):
            problem = found
        elif found:
            text = yaml_edit.apply(text, draft.document, found)
        if _BUTTON.match(draft.do):
            now = _object(text, draft.document)
            text = yaml_edit.apply(text, draft.document, [posted.act(build.form(now), now, draft.do)])
        documents = decode_yaml(text)
    except DecodeError as error:
        return Composition(draft.text, 0, [], [], None, [], unreadable=error)
    except posted.Unknown:
        documents = decode_yaml(text)
    chosen = draft.document if draft.document < len(documents) else 0
    source = documents[chosen] if documents else None
    obj = source.obj if source is not None else None
    made = Composition(
        text,
        chosen,
        [title(document.obj) for document in documents],
        build.form(obj),
        kubectl_run.line_of(obj),
        [edit.name for edit in edits.between(before, obj)] if isinstance(before, dict) else [],
        line_problem=problem,
        source=source,
    )
    _mark(made)
    return made


def _object(text: str, index: int) -> Any:
    try:
        documents = decode_yaml(text)
    except DecodeError:
        return None
    return documents[index].obj if index < len(documents) else None


def _of_line(before: Any, line: str) -> list[Edit] | str:
    """The changes that somebody made in the line, or what is wrong with it."""
    old = kubectl_run.line_of(before)
    try:
        words = kubectl_run.parse(line)
        if old is None or words == old:
            return []
        found = list(edits.between(before, kubectl_run.manifest_of(words)))
        image = kubectl_run.image_of(words)
        if not found and image != kubectl_run.image_of(old):
            # The overrides repeat the image where they have to replace all containers; the flag is what people edit.
            return [Edit(("spec", "containers", 0, "image"), image)]
        return found
    except kubectl_run.Unreadable as error:
        return str(error) or "kubectl run"


def title(obj: Any) -> str:
    """A document in the list of documents."""
    if not isinstance(obj, dict):
        return "–"
    meta = obj.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    return f"{obj.get('kind') or '–'} {name}" if isinstance(name, str) and name else str(obj.get("kind") or "–")


def _mark(made: Composition) -> None:
    """Nodes that show something that changed, by the path itself or what lies above or below it."""
    for node in made.walk():
        if node.sort != "section":
            node.changed = any(_touches(node.name, name) for name in made.changed)


def _touches(node: str, changed: str) -> bool:
    return changed == node or _below(node, changed)


def _below(path: str, above: str) -> bool:
    return bool(above) and path.startswith(above) and path[len(above) : len(above) + 1] in (".", "[")


def place_problems(made: Composition, problems: list[tuple[str, str]]) -> None:
    """Put each (field path, words) to the input of that path, or the nearest thing above it that the form has."""
    nodes = {node.name: node for node in made.walk() if node.sort not in ("section", "pair") and node.name}
    for path, words in problems:
        while path and path not in nodes:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        if path in nodes:
            nodes[path].problems.append(words)
    for section in made.form:
        _open(section)


def _open(node: Node) -> bool:
    """Whatever holds a problem is shown."""
    inside = [_open(child) for child in node.children]
    node.open = node.open or any(inside)
    return bool(node.problems) or any(inside)


def lock(made: Composition) -> None:
    """Of an existing pod, only what may still be changed is left open."""
    for node in made.walk():
        node.locked = not _OPEN_IN_PODS.fullmatch(node.name)
        if node.locked and node.name != "spec.tolerations":
            node.actions = []
