"""The asyncio side of the hub: one `AsyncWatch` per API watch or socket, and Kubernetes' view of a change through a
selector. `apiserver` and `timeline` iterate it; the hub's thread fills it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from django.db import connections

from podlab.apis.types import Manifest
from podlab.storage.hub import End, Filter, Hub, LogEntry, SlowReader, Subscription, hub
from podlab.storage.objects import encode

__all__ = ["AsyncWatch", "Batch", "Bookmark", "SlowReader", "WatchEnded", "WatchEvent", "watch_events"]

_HEARTBEAT = 15.0  # seconds


class WatchEnded(Exception):
    """The hub ended the watch; `reason` says why. The reader lists again (or goes away, for CLOSED and DELETED)."""

    def __init__(self, reason: End) -> None:
        super().__init__(f"the watch ended: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes in order, at least one."""

    entries: list[LogEntry]


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing wanted happened up to `revision`."""

    revision: int


class AsyncWatch:
    """`async with AsyncWatch(Filter(...), since=7) as watch: async for item in watch: …`

    Entering subscribes and raises Compacted or FutureRevision. Iterating gives Batch, and Bookmark after `heartbeat`
    seconds of silence. It raises SlowReader when live changes outran the reader by more than `buffer` entries or `bytes`,
    WatchEnded for other ends. Leaving (also by cancellation) unsubscribes. One task at a time may iterate.
    """

    def __init__(
        self,
        wanted: Filter,
        *,
        since: int | None,
        heartbeat: float = _HEARTBEAT,
        buffer: int = 2000,
        bytes: int = 16 * 2**20,
        hub: Callable[[], Hub] = hub,
    ) -> None:
        self._wanted = wanted
        self._since = since
        self._heartbeat = heartbeat
        self._most, self._most_bytes = buffer, bytes
        self._hub = hub
        self._subscription: Subscription[LogEntry] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._given = 0  # the newest revision that the reader got
        self._ready = asyncio.Event()
        self._lock = threading.Lock()  # guards what follows; the hub's thread writes it
        self._buffer: deque[LogEntry] = deque()
        self._bytes = 0
        self._end: End | None = None

    async def __aenter__(self) -> AsyncWatch:
        self._loop = asyncio.get_running_loop()
        subscribing = asyncio.ensure_future(asyncio.to_thread(self._subscribe))
        try:
            self._subscription = await asyncio.shield(subscribing)
        except asyncio.CancelledError:
            # The thread goes on and may have subscribed by now.
            subscribing.add_done_callback(_close_result)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._subscription is not None:
            self._subscription.close()

    @property
    def position(self) -> int:
        """The revision up to which everything wanted was given or lies in the buffer."""
        if self._subscription is None:
            raise RuntimeError("the watch was not entered")
        # The hub notes its position after it delivered, so the reader may be ahead of it.
        return max(self._subscription.position, self._given)

    def __aiter__(self) -> AsyncWatch:
        return self

    async def __anext__(self) -> Batch | Bookmark:
        while True:
            # Read before the buffer: entries up to it are in the buffer by then.
            position = self.position
            if (entries := self._take()) is not None:
                return Batch(entries)
            self._ready.clear()
            if self._waiting():
                continue
            try:
                # Not wait_for: until Python 3.12 it can swallow the cancellation of the reader.
                async with asyncio.timeout(self._heartbeat):
                    await self._ready.wait()
            except TimeoutError:
                position = self.position
                if not self._waiting():
                    return Bookmark(position)

    def _subscribe(self) -> Subscription[LogEntry]:
        try:
            return self._hub().subscribe(self._wanted, self._since, self._deliver, on_end=self._ended, room=self._room)
        finally:
            connections.close_all()  # of this pool thread, which nobody else tidies

    def _take(self) -> list[LogEntry] | None:
        with self._lock:
            entries = list(self._buffer)
            was_full = len(entries) * 2 >= self._most or self._bytes * 2 >= self._most_bytes
            self._buffer.clear()
            self._bytes = 0
            end = self._end
        if entries:
            self._given = entries[-1].revision
            if was_full:
                self._hub().wake()  # a replay may be waiting for room
            return entries
        if end is not None:
            raise SlowReader if end is End.SLOW else WatchEnded(end)
        return None

    def _waiting(self) -> bool:
        with self._lock:
            return bool(self._buffer) or self._end is not None

    def _room(self) -> int:
        with self._lock:
            return self._most // 2 - len(self._buffer) if self._bytes * 2 < self._most_bytes else 0

    def _deliver(self, entries: list[LogEntry]) -> None:
        size = sum(len(entry.body) for entry in entries)
        with self._lock:
            if self._buffer and (
                len(self._buffer) + len(entries) > self._most or self._bytes + size > self._most_bytes
            ):
                raise SlowReader
            self._buffer.extend(entries)
            self._bytes += size
        self._notify()

    def _ended(self, reason: End) -> None:
        with self._lock:
            self._end = reason
        self._notify()

    def _notify(self) -> None:
        if self._loop is None:
            return
        # A loop that is closed has no reader any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ready.set)


def _close_result(subscribing: asyncio.Future[Subscription[LogEntry]]) -> None:
    if not subscribing.cancelled() and subscribing.exception() is None:
        subscribing.result().close()


@dataclass(frozen=True, slots=True)
class WatchEvent:
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    body: str  # the object's JSON
    entry: LogEntry


def watch_events(
    entries: Iterable[LogEntry], matches: Callable[[Manifest], bool] | None = None
) -> Iterator[WatchEvent]:
    """What a watch with a selector says of these changes. An object that begins to match is ADDED, one that ceases to is
    DELETED, with its last matching state and the new revision (k8s.io/apiserver/pkg/storage/cacher/cache_watcher.go,
    convertToWatchEvent)."""
    for entry in entries:
        event = _event(entry, matches)
        if event is not None:
            yield event


def _event(entry: LogEntry, matches: Callable[[Manifest], bool] | None) -> WatchEvent | None:
    if matches is None:
        now, before = entry.type != "DELETED", entry.type != "ADDED"
    else:
        now = entry.type != "DELETED" and matches(entry.obj)
        before = entry.prev is not None and matches(entry.prev)
    if now:
        return WatchEvent("MODIFIED" if before else "ADDED", entry.body, entry)
    if not before:
        return None
    if entry.type == "DELETED" or entry.prev is None:
        return WatchEvent("DELETED", entry.body, entry)
    return WatchEvent("DELETED", encode(entry.prev, entry.revision), entry)
