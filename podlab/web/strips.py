"""The last minutes of a pod as a small picture for the overview: a row for each container, a bar for each run. Pure.

The timeline shows all of it; this only says at a glance who runs, who waits and who keeps falling over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.glance import anatomy
from podlab.glance.sentences import Translate, gettext_noop
from podlab.storage.history import Run

WINDOWS = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 10))
WIDTH = 240  # of the picture, in its own units
ROW = 7
_MOST_ROWS = 4
_THIN = 2.0  # a bar is at least so wide

LABEL = gettext_noop("{name} in the last {minutes} minutes: {status}, {ended} runs ended, {failed} of them badly")


@dataclass(frozen=True, slots=True)
class Bar:
    """`tone` is waiting | running | done | failed; units of the picture."""

    tone: str
    x: float
    y: int
    width: float

    @property
    def end(self) -> float:
        return round(self.x + self.width, 1)

    @property
    def middle(self) -> float:
        return self.y + ROW / 2 - 1


@dataclass(frozen=True, slots=True)
class Strip:
    bars: list[Bar]
    height: int
    label: str
    width: int = WIDTH


def window(pods: Iterable[Manifest], now: datetime) -> timedelta:
    """How much time the strips of these pods show, which stand below each other: all of a young one's life."""
    ages = [now - times.parse(pod["metadata"]["creationTimestamp"]) for pod in pods]
    return next((span for span in WINDOWS if span >= max(ages, default=span)), WINDOWS[-1])


def strip(
    pod: Manifest,
    runs: Sequence[Run],
    now: datetime,
    *,
    status: str,
    span: timedelta = WINDOWS[-1],
    translate: Translate = str,
) -> Strip:
    """Of the pod as it is and the runs of its containers; the right edge is `now`, the left one `span` before."""
    begin = now - span
    names = [one.name for one in anatomy.spec_containers(pod)][:_MOST_ROWS]
    created = max(times.parse(pod["metadata"]["creationTimestamp"]), begin)
    over = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}  # nothing of it starts again
    bars = []
    for row, name in enumerate(names):
        own = [run for run in runs if run.container == name and run.started_at is not None]
        bars += list(_row(own, row * ROW, begin, created, now, over=over))
    seen = [run for run in runs if run.finished_at is not None and run.finished_at >= begin]
    failed = sum(run.exit_code != 0 for run in seen)
    words = {"name": pod["metadata"]["name"], "minutes": span // timedelta(minutes=1), "status": status}
    return Strip(bars, len(names) * ROW, translate(LABEL).format(**words, ended=len(seen), failed=failed))


def _row(
    runs: Iterable[Run], y: int, begin: datetime, created: datetime, now: datetime, *, over: bool
) -> Iterable[Bar]:
    """Waiting from the pod's beginning on, and over it what ran; nothing once it has ended well, or for good."""
    told, until = [], now
    for run in runs:
        start, end = run.started_at or now, run.finished_at or now
        until = end if run.finished_at is not None and (over or run.exit_code == 0) else now
        if end < begin or start > now:
            continue
        tone = "running" if run.finished_at is None else "done" if run.exit_code == 0 else "failed"
        told.append(_bar(tone, max(start, begin), end, y, begin, now))
    return [_bar("waiting", created, until, y, begin, now), *told] if until > created else told


def _bar(tone: str, start: datetime, end: datetime, y: int, begin: datetime, now: datetime) -> Bar:
    scale = WIDTH / (now - begin).total_seconds()
    x = (start - begin).total_seconds() * scale
    width = max((end - start).total_seconds() * scale, _THIN)
    return Bar(tone, round(min(x, WIDTH - _THIN), 1), y, round(width, 1))
