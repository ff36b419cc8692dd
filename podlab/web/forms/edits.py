"""Changes of a manifest as values: what differs between two, and one made from another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from podlab.web.forms import paths
from podlab.web.forms.paths import Path


class _Nothing(Enum):
    NOTHING = "nothing"


REMOVED: Final = _Nothing.NOTHING


@dataclass(frozen=True, slots=True)
class Edit:
    """`value` is what shall stand at the path; REMOVED takes it out."""

    path: Path
    value: Any = REMOVED

    @property
    def name(self) -> str:
        return paths.text_of(self.path)


def apply(obj: Any, edits: Iterable[Edit]) -> Any:
    """A copy with all of them made, in order."""
    for edit in edits:
        obj = one(obj, edit)
    return obj


def one(obj: Any, edit: Edit) -> Any:
    return paths.without(obj, edit.path) if edit.value is REMOVED else paths.put(obj, edit.path, edit.value)


def same(old: Any, new: Any) -> bool:
    """Equal as JSON is: true is not 1, and 1 is 1.0."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same(one, other) for one, other in zip(old, new, strict=True))
    return isinstance(old, bool) is isinstance(new, bool) and bool(old == new)


def between(old: Any, new: Any, path: Path = ()) -> Iterator[Edit]:
    """The smallest changes that make `new` of `old`. Made in order they do, because removals from a list come from its end."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from (Edit((*path, key)) for key in old if key not in new)
        for key, value in new.items():
            if key not in old:
                yield Edit((*path, key), value)
            else:
                yield from between(old[key], value, (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        both = min(len(old), len(new))
        for index in range(both):
            yield from between(old[index], new[index], (*path, index))
        yield from (Edit((*path, index), new[index]) for index in range(both, len(new)))
        yield from (Edit((*path, index)) for index in range(len(old) - 1, both - 1, -1))
    else:
        yield Edit(path, new)


def merge_patch(old: Any, new: Any) -> Any:
    """The JSON merge patch (RFC 7386) that makes `new` of `old`. None inside of it removes; lists are replaced."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif not same(old[key], value):
            patch[key] = merge_patch(old[key], value)
    return patch


def patched(old: Any, patch: Any) -> Any:
    """A JSON merge patch put to use."""
    if not isinstance(patch, dict):
        return patch
    out = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = patched(out.get(key), value)
    return out
