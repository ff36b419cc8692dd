"""The hub: one thread per process that follows the change log, probe results and cluster rows for everybody in it.

API watches and sockets come through `watch.AsyncWatch`; workers (kubelet, scheduler, sim) subscribe directly. A change
costs one SQL read and, because subscribers share the entry, one decode, however many there are. The doorbell makes it
quick; without it the hub looks once a second. Start at `hub()` and `Hub.subscribe`; `feed` has the bookkeeping.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from django.db import connections

from podlab.storage import clusters, database, doorbell, history, log, pulls
from podlab.storage.clusters import ClusterRow
from podlab.storage.database import CounterState
from podlab.storage.feed import End, Feed, Limits, SlowReader, Source, Subscription, Wanted
from podlab.storage.history import ProbeFilter, ProbeRow
from podlab.storage.log import Filter, LogEntry
from podlab.storage.models import CLUSTERS, HISTORY, PULLS, REVISIONS
from podlab.storage.pulls import PullFilter, PullRow

__all__ = ["End", "Filter", "Hub", "LogEntry", "ProbeFilter", "ProbeRow", "SlowReader", "Subscription", "hub"]

logger = logging.getLogger(__name__)

_LITTLE = Limits(entries=200, bytes=2**20, preload=100)
_NEVER_USED = CounterState(0, 0)
_LONGEST_PAUSE = 5.0  # seconds between attempts while the database is away


def _read_changes(after: int, wanted: Wanted[LogEntry] | None, limit: int, upto: int | None) -> list[LogEntry]:
    return log.read_filtered(after, wanted if isinstance(wanted, Filter) else Filter(), limit=limit, upto=upto)


def _read_probes(after: int, wanted: Wanted[ProbeRow] | None, limit: int, upto: int | None) -> list[ProbeRow]:
    return history.read_probes(after, wanted if isinstance(wanted, ProbeFilter) else None, limit, upto)


def _read_pulls(after: int, wanted: Wanted[PullRow] | None, limit: int, upto: int | None) -> list[PullRow]:
    return pulls.read(after, wanted if isinstance(wanted, PullFilter) else None, limit, upto)


CHANGES: Source[LogEntry] = Source(
    counter=REVISIONS,
    read=_read_changes,
    number=lambda entry: entry.revision,
    size=lambda entry: len(entry.body) + len(entry.prev_body or ""),
)
PROBES: Source[ProbeRow] = Source(
    counter=HISTORY, read=_read_probes, number=lambda row: row.seq, size=lambda row: 300 + len(row.message)
)


IMAGE_PULLS: Source[PullRow] = Source(
    counter=PULLS, read=_read_pulls, number=lambda row: row.seq, size=lambda row: 300 + len(row.error)
)


class Hub:
    """`deliver` and `on_end` run on the hub's thread: they must not block and must not wait for other threads."""

    def __init__(self, *, poll: float = 1.0, limits: Limits | None = None, redis: bool = True) -> None:
        self._poll = poll
        self._redis = redis
        self._changes = Feed(CHANGES, limits or Limits())
        self._probes = Feed(PROBES, limits or Limits(preload=0))
        self._probes_wanted = False
        self._pulls = Feed(IMAGE_PULLS, limits or Limits(preload=0))
        self._pulls_wanted = False
        self._cluster_readers: list[ClusterSubscription] = []
        self._cluster_rows: dict[str, ClusterRow] = {}
        self._cluster_number: int | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def subscribe(
        self,
        wanted: Filter,
        since: int | None,
        deliver: Callable[[list[LogEntry]], None],
        *,
        on_end: Callable[[End], None] | None = None,
        room: Callable[[], int] | None = None,
    ) -> Subscription[LogEntry]:
        """Deliver every change after `since` (None = from now) that `wanted` matches: in order, each once. Raises Compacted
        or FutureRevision. `room` says how many replayed entries are welcome now; live ones come regardless. It reads the
        database: from asyncio use `watch.AsyncWatch`."""
        state = database.counter(REVISIONS)
        added = self._changes.add(wanted, since, state, deliver=deliver, on_end=on_end, room=room)
        self._run_soon()
        return added

    def subscribe_probes(
        self,
        cluster: str | None,
        pod_uid: str | None,
        since_seq: int | None,
        deliver: Callable[[list[ProbeRow]], None],
        *,
        on_end: Callable[[End], None] | None = None,
        room: Callable[[], int] | None = None,
    ) -> Subscription[ProbeRow]:
        """The same for probe results."""
        state = database.counter(HISTORY)
        wanted = ProbeFilter(cluster, pod_uid)
        added = self._probes.add(wanted, since_seq, state, deliver=deliver, on_end=on_end, room=room)
        self._probes_wanted = True
        self._run_soon()
        return added

    def subscribe_pulls(
        self,
        wanted: PullFilter,
        since_seq: int | None,
        deliver: Callable[[list[PullRow]], None],
        *,
        on_end: Callable[[End], None] | None = None,
    ) -> Subscription[PullRow]:
        """The same for pulls of images: the newest state of each that changed."""
        state = database.counter(PULLS)
        added = self._pulls.add(wanted, since_seq, state, deliver=deliver, on_end=on_end, room=None)
        self._pulls_wanted = True
        self._run_soon()
        return added

    def subscribe_clusters(self, deliver: Callable[[list[str]], None]) -> ClusterSubscription:
        """Deliver the names of clusters that were made, changed (their clock, wanted steps) or deleted. The first delivery
        names all there are."""
        added = ClusterSubscription(self, deliver)
        with self._lock:
            self._cluster_readers.append(added)
        self._run_soon()
        return added

    def remember_little(self) -> None:
        """For a worker, whose readers subscribe once: what is kept for late ones is only memory."""
        self._changes.limit(_LITTLE)

    def readers(self) -> int:
        """How many subscriptions there are, for metrics."""
        return len(self._changes.subscriptions()) + len(self._probes.subscriptions())

    def wake(self) -> None:
        """Look now instead of at the next poll; a reader that has room again calls it."""
        self._wake.set()

    def close(self) -> None:
        """Stop the thread and end all subscriptions. The next `hub()` gives a new one."""
        self._stop.set()
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(10)
        if thread is None:
            self._end_all()
        _forget(self)

    def _run_soon(self) -> None:
        with self._lock:
            if self._stop.is_set():
                raise RuntimeError("this hub is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
                self._thread.start()
        self._wake.set()

    def _heard(self, bell: str) -> None:
        self._wake.set()

    def _run(self) -> None:
        doorbell.listen_here(self._heard)
        listener = doorbell.Listener(self._heard) if self._redis else None
        pause = 0.1
        try:
            while True:
                # Cleared before reading: a ring during the read means another turn. And before looking at `_stop`, which
                # is set before its ring: otherwise a close in between would be slept over.
                self._wake.clear()
                if self._stop.is_set():
                    break
                try:
                    more = self._turn()
                    pause = 0.1
                except Exception as error:
                    logger.warning("the hub cannot read the database, next attempt in %.1f s: %r", pause, error)
                    connections.close_all()
                    self._stop.wait(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                    continue
                if not more:
                    self._wake.wait(self._poll)
        finally:
            doorbell.unlisten_here(self._heard)
            if listener is not None:
                listener.close()
            self._end_all()
            connections.close_all()

    def _turn(self) -> bool:
        """Deliver all that is new; whether somebody is still catching up and can take more."""
        counters = database.counters()
        self._changes.follow(counters.get(REVISIONS, _NEVER_USED))
        more = self._changes.catch_up()
        if self._probes_wanted:
            self._probes.follow(counters.get(HISTORY, _NEVER_USED))
            more = self._probes.catch_up() or more
        if self._pulls_wanted:
            self._pulls.follow(counters.get(PULLS, _NEVER_USED))
            more = self._pulls.catch_up() or more
        number = counters.get(CLUSTERS, _NEVER_USED).value
        if number != self._cluster_number:
            self._follow_clusters()
            self._cluster_number = number
        for reader in self._new_cluster_readers():
            reader.begin(list(self._cluster_rows))
        return more

    def _follow_clusters(self) -> None:
        before, now = self._cluster_rows, {row.name: row for row in clusters.list_all()}
        changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        for name, row in before.items():
            if name not in now or now[name].uid != row.uid:
                self._changes.end_cluster(name)
                self._probes.end_cluster(name)
                self._pulls.end_cluster(name)
        self._cluster_rows = now
        with self._lock:
            readers = [reader for reader in self._cluster_readers if reader.begun]
        for reader in readers:
            reader.give(changed)

    def _new_cluster_readers(self) -> list[ClusterSubscription]:
        with self._lock:
            return [reader for reader in self._cluster_readers if not reader.begun]

    def _end_all(self) -> None:
        self._changes.end_all(End.CLOSED)
        self._probes.end_all(End.CLOSED)
        self._pulls.end_all(End.CLOSED)


class ClusterSubscription:
    def __init__(self, hub: Hub, deliver: Callable[[list[str]], None]) -> None:
        self.begun = False
        self._hub = hub
        self._deliver = deliver

    def close(self) -> None:
        with self._hub._lock:
            if self in self._hub._cluster_readers:
                self._hub._cluster_readers.remove(self)

    def begin(self, names: list[str]) -> None:
        self.begun = True
        self.give(names)

    def give(self, names: list[str]) -> None:
        try:
            self._deliver(names)
        except Exception:
            logger.exception("a subscriber to clusters failed")


_hub: Hub | None = None
_hub_lock = threading.Lock()


def hub() -> Hub:
    """The hub of this process; its thread starts with the first subscriber."""
    global _hub
    with _hub_lock:
        if _hub is None:
            _hub = Hub()
        return _hub


def close() -> None:
    """Close this process's hub, if it has one."""
    if _hub is not None:
        _hub.close()


def _forget(closed: Hub) -> None:
    global _hub
    with _hub_lock:
        if _hub is closed:
            _hub = None


def _after_fork() -> None:
    """The thread does not survive a fork; the child begins anew."""
    global _hub, _hub_lock
    _hub, _hub_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
