"""The clusters that run in real time, followed by a worker: what scheduler and controllers of the control worker share.

Everything a worker does for its clusters happens on one thread with a mailbox; hub and clock only post into it. A
`Follower` is opened for each cluster, shown what is there, and then fed with its changes in the order of the log.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from podlab.clock import Callback, Clock, RealClock, Timer, pause
from podlab.storage import clusters
from podlab.storage.errors import Compacted, UnknownCluster
from podlab.storage.feed import End, Subscription
from podlab.storage.hub import ClusterSubscription, Hub
from podlab.storage.log import Filter, LogEntry

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


class Follower(Protocol):
    """One cluster's part. Used on the mailbox's thread only."""

    def load(self) -> int:
        """Read what is there; returns the revision from which changes are to be fed."""
        ...

    def on_change(self, entry: LogEntry) -> None: ...

    def close(self) -> None: ...


class Mailbox:
    """A thread that does one thing after the other."""

    def __init__(self, name: str) -> None:
        self._queue: queue.SimpleQueue[Callback | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def post(self, work: Callback) -> None:
        self._queue.put(work)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            try:
                work()
            except Exception:
                logger.exception("a chore of %s failed", self._thread.name)


class PostingClock:
    """A clock whose timers go through the mailbox."""

    def __init__(self, clock: Clock, mailbox: Mailbox) -> None:
        self._clock = clock
        self._mailbox = mailbox

    def now(self) -> datetime:
        return self._clock.now()

    def call_at(self, when: datetime, callback: Callback) -> Timer:
        return self.call_later((when - self.now()).total_seconds(), callback)

    def call_later(self, seconds: float, callback: Callback) -> Timer:
        posted = _Posted(callback)
        posted.timer = self._clock.call_later(seconds, lambda: self._mailbox.post(posted.run))
        return posted


class _Posted:
    """A timer that can be cancelled while its callback waits in the mailbox."""

    def __init__(self, callback: Callback) -> None:
        self.timer: Timer | None = None
        self._callback: Callback | None = callback

    def run(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def cancel(self) -> None:
        self._callback = None
        if self.timer is not None:
            self.timer.cancel()


class RealTimeClusters:
    """Opens a follower for every cluster in real time, and closes it with the cluster."""

    def __init__(
        self, name: str, *, hub: Hub, make: Callable[[str, Clock], Follower], clock: Clock | None = None
    ) -> None:
        self._hub, self._make = hub, make
        self._real: Clock = clock if clock is not None else RealClock()
        self.mailbox = Mailbox(name)
        self.clock = PostingClock(self._real, self.mailbox)
        self._followers: dict[str, tuple[Follower, Subscription[LogEntry]]] = {}
        self._subscription: ClusterSubscription | None = None
        self._stopping = False

    def start(self) -> None:
        self._subscription = self._hub.subscribe_clusters(lambda names: self.mailbox.post(lambda: self._look(names)))

    def stop(self) -> None:
        self._stopping = True
        if self._subscription is not None:
            self._subscription.close()
        self.mailbox.close()
        for follower, subscription in self._followers.values():
            subscription.close()
            follower.close()
        self._followers.clear()
        if isinstance(self._real, RealClock):
            self._real.close()

    def _look(self, names: list[str]) -> None:
        """Clusters were made, changed or deleted."""
        for name in names:
            row = clusters.find(name)
            wanted = row is not None and row.runtime == "docker"
            if wanted and name not in self._followers:
                self._open(name)
            elif not wanted and name in self._followers:
                self._close(name)

    def _open(self, name: str) -> None:
        follower = self._make(name, self.clock)
        while not self._stopping:
            try:
                since = follower.load()
                subscription = self._hub.subscribe(
                    Filter(cluster=name),
                    since,
                    lambda entries: self.mailbox.post(lambda: self._deliver(follower, entries)),
                    on_end=lambda reason: self._ended(name, reason),
                )
            except Compacted:
                continue
            except UnknownCluster:
                follower.close()
                return
            except Exception as error:
                logger.warning("cluster %s cannot be followed yet: %s", name, error)
                pause(RETRY_SECONDS)
                continue
            self._followers[name] = (follower, subscription)
            return

    def _close(self, name: str) -> None:
        follower, subscription = self._followers.pop(name)
        subscription.close()
        follower.close()

    def _ended(self, name: str, reason: End) -> None:
        if self._stopping or reason in {End.CLOSED, End.DELETED}:
            return
        logger.warning("the change log of cluster %s was lost (%s): reading everything anew", name, reason)
        self.mailbox.post(lambda: self._reopen(name))

    def _reopen(self, name: str) -> None:
        if name in self._followers:
            self._close(name)
            self._open(name)

    def _deliver(self, follower: Follower, entries: list[LogEntry]) -> None:
        for entry in entries:
            follower.on_change(entry)
