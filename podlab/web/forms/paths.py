"""Paths into a manifest, and copies of manifests with a value put in or taken out. Pure.

A path is a tuple of keys and indexes; its text is what Kubernetes writes: spec.containers[0].image, and
metadata.labels[app.kubernetes.io/name] where a key is not a plain word.
"""

from __future__ import annotations

import re
from typing import Any

Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\[([^\]]*)\]")


class NoPath(ValueError):
    """The text is not a path, or the path leads nowhere."""


def text_of(path: Path) -> str:
    text = ""
    for step in path:
        if isinstance(step, str) and _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{step}]"
    return text


def parse(text: str) -> Path:
    """NoPath for a text that `text_of` would not write. A key of digits only cannot be told from an index."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (found[1] is not None and (text[at] == ".") is (at == 0)):
            raise NoPath(text)
        steps.append(found[1] if found[1] is not None else int(found[2]) if found[2] is not None else found[3])
        at = found.end()
    return tuple(steps)


def get(value: Any, path: Path) -> Any:
    """What stands there; None for nothing."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def put(value: Any, path: Path, new: Any) -> Any:
    """A copy with `new` at the path; what is missing on the way is made. An index one past the end appends."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(value) if isinstance(value, list) else []
        if step > len(items):
            raise NoPath(text_of(path))
        inner = put(items[step] if step < len(items) else None, rest, new)
        return [*items[:step], inner, *items[step + 1 :]]
    fields = dict(value) if isinstance(value, dict) else {}
    fields[step] = put(fields.get(step), rest, new)
    return fields


def without(value: Any, path: Path) -> Any:
    """A copy without what stands at the path; unchanged when there is nothing."""
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and step in value:
        if not rest:
            return {key: item for key, item in value.items() if key != step}
        return {key: without(item, rest) if key == step else item for key, item in value.items()}
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        if not rest:
            return [*value[:step], *value[step + 1 :]]
        return [*value[:step], without(value[step], rest), *value[step + 1 :]]
    return value
