"""The one place where time is read. Everything else gets a `Clock`.

`RealClock` serves Docker clusters: its timers fire on one thread, so a callback must only hand work on.
`LabClock` serves simulated clusters: it moves only when its owner (the sim worker) advances it, and fires timers
in order of their due time, each with `now()` equal to that due time; the same calls give the same run.
`LabTime` is the value on the cluster row from which every process computes the same lab time.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

logger = logging.getLogger(__name__)

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
    cancelled: Callable[[], None]

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self.cancelled()


When = TypeVar("When", float, datetime)


class _Agenda(Generic[When]):
    """Timers by their due time, equal ones in the order they were made. Cancelled ones do not pile up: many a timer is a
    limit that is far away and hardly ever reached."""

    _FEW = 64

    def __init__(self) -> None:
        self._heap: list[tuple[When, int, _Entry]] = []
        self._order = itertools.count()
        self._dead = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: When, entry: _Entry) -> None:
        heapq.heappush(self._heap, (due, next(self._order), entry))

    def first(self) -> When | None:
        """When the next live timer is due."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
            self._dead = max(self._dead - 1, 0)
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Callback | None:
        """Take out what `first` told of. From now on it can no longer be cancelled."""
        entry = heapq.heappop(self._heap)[2]
        callback, entry.callback = entry.callback, None
        return callback

    def note_cancelled(self) -> None:
        self._dead += 1
        if self._dead > max(len(self._heap) // 2, self._FEW):
            self._heap = [one for one in self._heap if one[2].callback is not None]
            heapq.heapify(self._heap)
            self._dead = 0


_LONGEST_WAIT = 3600.0  # seconds; a thread cannot wait for centuries, and a timer may be set so


class RealClock:
    """Wall time; one daemon thread fires the timers. A callback that raises is logged and holds up nobody."""

    def __init__(self) -> None:
        self._agenda: _Agenda[float] = _Agenda()
        self._wake = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def now(self) -> datetime:
        return wall_now()

    def call_at(self, when: datetime, callback: Callback) -> Timer:
        return self.call_later((when - self.now()).total_seconds(), callback)

    def call_later(self, seconds: float, callback: Callback) -> Timer:
        entry = _Entry(callback, self._cancelled)
        with self._wake:
            self._agenda.add(time.monotonic() + max(seconds, 0.0), entry)
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

    def pending(self) -> int:
        """How many timers are held, cancelled ones that were not thrown out yet included."""
        with self._wake:
            return len(self._agenda)

    def _cancelled(self) -> None:
        with self._wake:
            self._agenda.note_cancelled()

    def _run(self) -> None:
        while (callback := self._next_due()) is not None:
            try:
                callback()
            except Exception:
                logger.exception("a timer failed")

    def _next_due(self) -> Callback | None:
        with self._wake:
            while not self._closed:
                due = self._agenda.first()
                if due is None:
                    self._wake.wait()
                    continue
                wait = due - time.monotonic()
                if wait > 0:
                    self._wake.wait(min(wait, _LONGEST_WAIT))
                elif (callback := self._agenda.pop()) is not None:
                    return callback
            return None


class LabClock:
    """A clock that its owner advances. Not thread-safe: the owner holds the cluster's lock."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._agenda: _Agenda[datetime] = _Agenda()

    def now(self) -> datetime:
        return self._now

    def call_at(self, when: datetime, callback: Callback) -> Timer:
        entry = _Entry(callback, self._agenda.note_cancelled)
        self._agenda.add(max(when, self._now), entry)
        return entry

    def call_later(self, seconds: float, callback: Callback) -> Timer:
        return self.call_at(self._now + timedelta(seconds=seconds), callback)

    def next_due(self) -> datetime | None:
        """When the next live timer is due, or None."""
        return self._agenda.first()

    def fire_next(self, until: datetime) -> bool:
        """Advance to the next timer if it is due at or before `until` and run it; say whether one ran."""
        due = self.next_due()
        if due is None or due > until:
            return False
        self._now = max(self._now, due)
        callback = self._agenda.pop()
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
