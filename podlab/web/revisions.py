"""The YAML of an object at any of its revisions, and what two of them differ in. Reads the change log."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from podlab.apis.types import Manifest
from podlab.storage.log import LogEntry
from podlab.web import manifest_lines


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a diff; `sort` is same | added | removed | gap."""

    sort: str
    text: str


def shown(obj: Manifest) -> Manifest:
    """Without what only server-side apply reads."""
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


def at(entries: list[LogEntry], revision: int) -> LogEntry:
    """The change that made the object what it was at `revision`; the first one for what lies before it."""
    before = [entry for entry in entries if entry.revision <= revision]
    return before[-1] if before else entries[0]


def _compared(obj: Manifest) -> Manifest:
    """Without the revision itself, which differs always."""
    plain = shown(obj)
    return {**plain, "metadata": {key: value for key, value in plain["metadata"].items() if key != "resourceVersion"}}


def diff(old: Manifest, new: Manifest) -> list[Line]:
    """Unified, with three lines around each change; empty when nothing but server-side bookkeeping differs."""
    before, after = (manifest_lines.dump(_compared(obj)).splitlines() for obj in (old, new))
    found = []
    for line in list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]:
        sort = {"+": "added", "-": "removed", "@": "gap"}.get(line[:1], "same")
        found.append(Line(sort, line if sort == "gap" else line[1:]))
    return found
