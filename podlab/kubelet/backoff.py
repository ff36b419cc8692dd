"""Restart and image-pull back-off, as pure steps.

client-go/util/flowcontrol/backoff.go with the kubelet's values: the wait is measured from the event (the container's
finishedAt, the failed pull), doubles with every try and is forgotten when more than 600 s lie between the last try and
the next event. `start` and `images` ask; `replay` rebuilds an entry after the agent was replaced.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from podlab.apis import times

INITIAL = 10.0
CAP = 300.0
FORGOTTEN_AFTER = timedelta(seconds=600)


@dataclass(frozen=True, slots=True)
class Entry:
    """`seconds`: the wait before the next try. `updated`: when the last try was made."""

    seconds: float
    updated: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run of a container, as history keeps it."""

    image: str
    started_at: datetime | None
    finished_at: datetime | None


def waits_until(entry: Entry | None, event: datetime) -> datetime | None:
    """The end of the wait after `event`, or None when there is nothing to wait for."""
    if entry is None or _forgotten(entry, event):
        return None
    return event + timedelta(seconds=entry.seconds)


def after_try(entry: Entry | None, event: datetime, now: datetime) -> Entry:
    """The entry after a try at `now` that answers `event`."""
    if entry is None or _forgotten(entry, event):
        return Entry(INITIAL, now)
    return Entry(min(entry.seconds * 2, CAP), now)


def explain(seconds: float) -> str:
    """Where the length of a wait comes from, for people."""
    first, most = times.go_duration(INITIAL), times.go_duration(CAP)
    doubled = round(math.log2(seconds / INITIAL))
    if seconds >= CAP:
        return f"{first} is doubled with every try, up to {most}"
    if not doubled:
        return f"{first} is the first wait, and every further try doubles it up to {most}"
    how_often = "once" if doubled == 1 else "twice" if doubled == 2 else f"{doubled} times"
    return f"{first} doubled {how_often}, up to {most}"


def replay(runs: Sequence[Run], image: str) -> Entry | None:
    """The entry that the tries so far left behind. The image is part of the key (GetBackoffKey): runs of another
    image before the latest change do not count."""
    entry: Entry | None = None
    for before, after in zip(runs, runs[1:], strict=False):
        if after.image != image or before.image != image:
            entry = None
        elif before.finished_at is not None and after.started_at is not None:
            entry = after_try(entry, before.finished_at, after.started_at)
    return entry


def _forgotten(entry: Entry, event: datetime) -> bool:
    return event - entry.updated > FORGOTTEN_AFTER
