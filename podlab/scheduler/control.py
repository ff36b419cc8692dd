"""The control worker's part for clusters in real time: feeds scheduling queue, event TTL and ends of namespaces from the
change log, and shortens the log now and then. Simulated clusters get the same parts from `simhost.world`.

Everything runs on one thread with a mailbox; hub and clock only post into it. `bootstep` starts and stops it. What the
queues ask for goes out as Celery tasks (`tasks`), and is done here when the broker does not take them.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from datetime import datetime

from podlab.clock import Callback, Clock, RealClock, Timer, pause
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.scheduler import work
from podlab.scheduler.event_ttl import EventTtl
from podlab.scheduler.namespace_end import TerminatingNamespaces
from podlab.scheduler.queue import SchedulingQueue
from podlab.storage import clusters, compaction
from podlab.storage.errors import Compacted, UnknownCluster
from podlab.storage.feed import End, Subscription
from podlab.storage.hub import ClusterSubscription, Hub
from podlab.storage.log import Filter, LogEntry

logger = logging.getLogger(__name__)

# So many changes stay replayable; at a few hundred bytes a change that is some tens of megabytes.
KEPT_REVISIONS = 200_000
COMPACTION_SECONDS = 600.0
RETRY_SECONDS = 1.0

Send = Callable[..., None]  # names only


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
                logger.exception("a chore of the control worker failed")


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


class ClusterControl:
    """The queues of one cluster. Used on the mailbox's thread only."""

    def __init__(self, cluster: str, clock: Clock, *, schedule: Send, finalize: Send) -> None:
        self.cluster = cluster
        self._client = Client(cluster, system("controller"), clock.now)
        self.pods = SchedulingQueue(clock, lambda namespace, name: schedule(cluster, namespace, name))
        self.events = EventTtl(clock, self._forget)
        self.namespaces = TerminatingNamespaces(clock, lambda name: finalize(cluster, name))

    def load(self) -> int:
        """Read what is there; returns the revision from which changes are to be fed."""
        return work.load(self._client, self.pods, self.events, self.namespaces)

    def on_change(self, entry: LogEntry) -> None:
        self.pods.on_change(entry)
        self.events.on_change(entry)
        self.namespaces.on_change(entry)

    def close(self) -> None:
        self.pods.close()
        self.events.close()
        self.namespaces.close()

    def _forget(self, namespace: str, name: str, uid: str) -> None:
        work.forget_event(self._client, namespace, name, uid)


class ControlHost:
    """One per control worker. `send_*` enqueue the tasks; they raise when the broker is away."""

    def __init__(self, *, hub: Hub, send_schedule: Send, send_finalize: Send, clock: Clock | None = None) -> None:
        self._hub = hub
        self._send_schedule, self._send_finalize = send_schedule, send_finalize
        self._real: Clock = clock if clock is not None else RealClock()
        self._mailbox = Mailbox("control")
        self._clock = PostingClock(self._real, self._mailbox)
        self._controls: dict[str, tuple[ClusterControl, Subscription[LogEntry]]] = {}
        self._subscription: ClusterSubscription | None = None
        self._stopping = False

    def start(self) -> None:
        self._mailbox.post(self._finish_deletions)
        self._subscription = self._hub.subscribe_clusters(lambda names: self._mailbox.post(lambda: self._look(names)))
        self._clock.call_later(COMPACTION_SECONDS, self._compact)

    def stop(self) -> None:
        self._stopping = True
        if self._subscription is not None:
            self._subscription.close()
        self._mailbox.close()
        for control, subscription in self._controls.values():
            subscription.close()
            control.close()
        self._controls.clear()
        if isinstance(self._real, RealClock):
            self._real.close()

    def _look(self, names: list[str]) -> None:
        """Clusters were made, changed or deleted."""
        for name in names:
            row = clusters.find(name)
            wanted = row is not None and row.runtime == "docker"
            if wanted and name not in self._controls:
                self._open(name)
            elif not wanted and name in self._controls:
                self._close(name)

    def _open(self, name: str) -> None:
        control = ClusterControl(name, self._clock, schedule=self._schedule, finalize=self._finalize)
        while not self._stopping:
            try:
                since = control.load()
                subscription = self._hub.subscribe(
                    Filter(cluster=name),
                    since,
                    lambda entries: self._mailbox.post(lambda: self._deliver(control, entries)),
                    on_end=lambda reason: self._ended(name, reason),
                )
            except Compacted:
                continue
            except UnknownCluster:
                return
            except Exception as error:
                logger.warning("cluster %s cannot be followed yet: %s", name, error)
                pause(RETRY_SECONDS)
                continue
            self._controls[name] = (control, subscription)
            return

    def _close(self, name: str) -> None:
        control, subscription = self._controls.pop(name)
        subscription.close()
        control.close()

    def _ended(self, name: str, reason: End) -> None:
        if self._stopping or reason in {End.CLOSED, End.DELETED}:
            return
        logger.warning("the change log of cluster %s was lost (%s): reading everything anew", name, reason)
        self._mailbox.post(lambda: self._reopen(name))

    def _reopen(self, name: str) -> None:
        if name in self._controls:
            self._close(name)
            self._open(name)

    def _deliver(self, control: ClusterControl, entries: list[LogEntry]) -> None:
        for entry in entries:
            control.on_change(entry)

    def _schedule(self, cluster: str, namespace: str, name: str) -> None:
        try:
            self._send_schedule(cluster, namespace, name)
        except Exception as error:
            logger.info("the broker does not take tasks (%s): scheduling here", error)
            work.schedule(cluster, namespace, name)

    def _finalize(self, cluster: str, name: str) -> None:
        try:
            self._send_finalize(cluster, name)
        except Exception as error:
            logger.info("the broker does not take tasks (%s): ending the namespace here", error)
            work.finalize(cluster, name)

    def _finish_deletions(self) -> None:
        """Deletions of clusters that a crash cut off."""
        for name in clusters.deleting():
            clusters.delete(name)

    def _compact(self) -> None:
        self._clock.call_later(COMPACTION_SECONDS, self._compact)
        compaction.compact(KEPT_REVISIONS)
