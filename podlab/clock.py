"""The one place where time is read. Everything else gets a `Clock`.

`RealClock` serves Docker clusters: its timers fire on one thread, so a callback must only hand work on.
`LabClock` serves simulated clusters: it moves only when its owner (the sim worker) advances it, and fires timers
in order of their due time, each with `now()` equal to that due time; the same calls give the same run.
`LabTime` is the value on the cluster row from which every process computes the same lab time.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

Callback = Callable[[], None]


class Timer(Protocol):
    """A pending callback. `cancel` is idempotent and harmless after the timer fired."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What actors may know about time."""

    def now(self) -> datetime:
        """The time of this cluster, timezone-aware, UTC."""
        ...

    def call_at(self, when: datetime, callback: Callback) -> Timer:
        """Run `callback` at `when` (at once if that is past). It may run on another thread."""
        ...

    def call_later(self, seconds: float, callback: Callback) -> Timer:
        """Run `callback` after `seconds` of this clock's time."""
        ...


def wall_now() -> datetime:
    """Real time, UTC: for logs, tokens and the real clock only."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds for measuring durations of real work (latencies); never compared with `now()`."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Sleep in a supervisor or poll loop. Actors use timers instead."""
    time.sleep(seconds)


@dataclass(slots=True)
class _Entry:
    callback: Callback | None

    def cancel(self) -> None:
        self.callback = None


class RealClock:
    """Wall time; one daemon thread fires the timers."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Entry]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def now(self) -> datetime:
        return wall_now()

    def call_at(self, when: datetime, callback: Callback) -> Timer:
        return self.call_later((when - self.now()).total_seconds(), callback)

    def call_later(self, seconds: float, callback: Callback) -> Timer:
        entry = _Entry(callback)
        with self._wake:
            heapq.heappush(self._heap, (time.monotonic() + max(seconds, 0.0), next(self._order), entry))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
                self._thread.start()
            self._wake.notify()
        return entry

    def close(self) -> None:
        """Stop the timer thread; pending timers never fire."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    def _run(self) -> None:
        while (entry := self._next_due()) is not None:
            callback = entry.callback
            if callback is not None:
                callback()

    def _next_due(self) -> _Entry | None:
        with self._wake:
            while not self._closed:
                if not self._heap:
                    self._wake.wait()
                    continue
                wait = self._heap[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._heap)[2]
                self._wake.wait(wait)
            return None


class LabClock:
    """A clock that its owner advances. Not thread-safe: the owner holds the cluster's lock."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._heap: list[tuple[datetime, int, _Entry]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._now

    def call_at(self, when: datetime, callback: Callback) -> Timer:
        entry = _Entry(callback)
        heapq.heappush(self._heap, (max(when, self._now), next(self._order), entry))
        return entry

    def call_later(self, seconds: float, callback: Callback) -> Timer:
        return self.call_at(self._now + timedelta(seconds=seconds), callback)

    def next_due(self) -> datetime | None:
        """When the next live timer is due, or None."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def fire_next(self, until: datetime) -> bool:
        """Advance to the next timer if it is due at or before `until` and run it; say whether one ran."""
        due = self.next_due()
        if due is None or due > until:
            return False
        _, _, entry = heapq.heappop(self._heap)
        self._now = max(self._now, due)
        callback, entry.callback = entry.callback, None
        if callback is not None:
            callback()
        return True

    def advance(self, until: datetime) -> None:
        """Run every timer due up to `until` in order, then stand at `until`."""
        while self.fire_next(until):
            pass
        self._now = max(self._now, until)


@dataclass(frozen=True, slots=True)
class LabTime:
    """Lab time as a line through (wall, lab) with slope `speed`; flat while paused. Kept on the cluster row."""

    wall: datetime
    lab: datetime
    speed: float = 1.0
    paused: bool = False

    def at(self, wall: datetime) -> datetime:
        """Lab time at a wall time; never before the anchor."""
        if self.paused:
            return self.lab
        return self.lab + max(wall - self.wall, timedelta()) * self.speed

    def wall_of(self, lab: datetime) -> datetime | None:
        """The wall time at which lab time reaches `lab`; None while paused."""
        if self.paused:
            return None
        return self.wall + (lab - self.lab) / self.speed

    def changed(self, wall: datetime, *, speed: float | None = None, paused: bool | None = None) -> LabTime:
        """The same lab time at `wall`, going on with another speed or pause."""
        return LabTime(
            wall=wall,
            lab=self.at(wall),
            speed=self.speed if speed is None else speed,
            paused=self.paused if paused is None else paused,
        )

    def stepped(self, wall: datetime, lab: datetime) -> LabTime:
        """Paused at `lab`, which must not lie before the present lab time."""
        return replace(self, wall=wall, lab=max(lab, self.at(wall)), paused=True)
