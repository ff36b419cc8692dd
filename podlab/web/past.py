"""The YAML tab: any revision of an object, and the diff of two. Called by the views of pods and other kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podlab.apis.types import Manifest
from podlab.storage import log
from podlab.web import manifest_lines, revisions

_MOST = 200  # revisions that are offered


def yaml_tab(query: Mapping[str, str], cluster: str, uid: str, present: Manifest) -> dict[str, Any]:
    """`rev` chooses the revision that is shown, `to` a second one to compare it with."""
    entries = log.history_of(cluster, uid)
    told: dict[str, Any] = {"revisions": entries[-_MOST:][::-1], "rev": None, "to": None, "diff": None}
    rev, to = (_number(query.get(name, "")) for name in ("rev", "to"))
    if not entries or rev is None:
        return told | {"lines": manifest_lines.lines(revisions.shown(present))}
    first = revisions.at(entries, rev)
    told |= {"rev": first.revision, "entry": first, "lines": manifest_lines.lines(revisions.shown(first.obj))}
    if to is not None:
        second = revisions.at(entries, to)
        told |= {"to": second.revision, "diff": revisions.diff(first.obj, second.obj)}
    return told


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
