"""Two people changed one object: what each of them did, and where they disagree. Pure.

Lists of named things (containers by name, mounts by path) are compared thing by thing, other lists as wholes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from podlab.web.forms import edits, paths
from podlab.web.forms.edits import REMOVED, Edit
from podlab.web.forms.paths import Path

_NAMES = ("name", "mountPath", "containerPort", "key", "ip")


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both changed what stands at the path of `mine`; a value that is not there is REMOVED."""

    path: Path
    mine: Any
    theirs: Any

    @property
    def name(self) -> str:
        return paths.text_of(self.path)


@dataclass(frozen=True, slots=True)
class Merge:
    """`taken` are their changes, to be made in mine in this order; where there is a conflict, mine stays."""

    taken: list[Edit]
    conflicts: list[Conflict]


def merge(base: Any, mine: Any, theirs: Any) -> Merge:
    taken: list[Edit] = []
    conflicts: list[Conflict] = []
    for found in _compare((), base, mine, theirs):
        (conflicts if isinstance(found, Conflict) else taken).append(found)  # type: ignore[arg-type]
    ends = [edit for edit in taken if edit.value is REMOVED]
    # Removals last and from the end, so that no index moves under another change.
    order = sorted(ends, key=lambda edit: [str(step).zfill(9) for step in edit.path], reverse=True)
    return Merge([edit for edit in taken if edit.value is not REMOVED] + order, conflicts)


def _compare(path: Path, base: Any, mine: Any, theirs: Any) -> Iterator[Edit | Conflict]:
    if _same(base, theirs) or _same(mine, theirs):
        return
    if _same(base, mine):
        found = theirs is not REMOVED and mine is not REMOVED
        yield from edits.between(mine, theirs, path) if found else [Edit(path, theirs)]
    elif isinstance(base, dict) and isinstance(mine, dict) and isinstance(theirs, dict):
        for key in {**theirs, **base}:
            yield from _compare((*path, key), base.get(key, REMOVED), mine.get(key, REMOVED), theirs.get(key, REMOVED))
    elif (name := _name_of(base, mine, theirs)) is not None:
        yield from _by_name(path, name, base, mine, theirs)
    else:
        yield Conflict(path, mine, theirs)


def _same(one: Any, other: Any) -> bool:
    if one is REMOVED or other is REMOVED:
        return one is other
    return edits.same(one, other)


def _name_of(*lists: Any) -> str | None:
    """By which field the things of these lists are told apart."""
    if not all(isinstance(one, list) and all(isinstance(item, dict) for item in one) for one in lists):
        return None
    for name in _NAMES:
        if all(len({str(item.get(name)) for item in one if name in item}) == len(one) for one in lists):
            return name
    return None


def _by_name(path: Path, name: str, base: Any, mine: Any, theirs: Any) -> Iterator[Edit | Conflict]:
    was, new = ({item[name]: item for item in one} for one in (base, theirs))
    place = {item[name]: index for index, item in enumerate(mine)}
    end = len(mine)
    for key in {**new, **was}:
        if key in place:
            yield from _compare((*path, place[key]), was.get(key, REMOVED), mine[place[key]], new.get(key, REMOVED))
            continue
        found = list(_compare((*path, end), was.get(key, REMOVED), REMOVED, new.get(key, REMOVED)))
        end += sum(isinstance(one, Edit) for one in found)
        yield from found
