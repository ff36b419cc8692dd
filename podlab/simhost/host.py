"""All simulated clusters of one sim worker: opens a world when it is needed, lets it run when something is due, closes it
when nothing is. `bootstep` starts it, `tasks.run_cluster` comes back to `run`.

The hub and the wall clock only say that a cluster wants to run; who runs it is a pool thread, one at a time per cluster.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from podlab.clock import Clock, RealClock, Timer, monotonic, wall_now
from podlab.kubelet import static_files
from podlab.kubelet.usage import PERIOD_SECONDS
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.registry.realtime import Mailbox
from podlab.runtime.errors import NotFound, RuntimeFailure
from podlab.simhost.world import World, journal_folder
from podlab.storage import clusters, log
from podlab.storage.clusters import ClusterRow
from podlab.storage.feed import End, Subscription
from podlab.storage.hub import ClusterSubscription, Hub
from podlab.storage.log import Filter, LogEntry

logger = logging.getLogger(__name__)

# Real seconds that a world may run before others get their turn.
TURN_SECONDS = 1.0
# A wish to run that nobody followed for so long is told again: brokers lose tasks.
PATIENCE = 5.0
# A world in which nothing is due is kept for a while: more changes often follow.
LINGER = 20.0

# How often the folders of static pods are looked at, in real time.
FILES_SECONDS = 2.0

# How long a stream waits for its turn in a busy world.
CALL_SECONDS = 10.0

Send = Callable[[str], None]
T = TypeVar("T")


@dataclass(slots=True)
class _Slot:
    """What the host knows of one cluster."""

    uid: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    world: World | None = None
    seen: int = 0  # the revision that the last world had read when it was closed
    rested: bool = False  # nothing happens in it between its last change and now: it was closed idle, or never played
    wanted: bool = False  # somebody was asked to run it
    asked: float = 0.0  # when somebody was last asked to run it, or will be
    again: bool = False  # it was asked for while it ran
    timer: Timer | None = None  # for what is due next, or to close it
    watchdog: Timer | None = None
    published: float = -PERIOD_SECONDS  # when the usage of its containers was told last


class Host:
    def __init__(
        self,
        *,
        hub: Hub,
        data: Path,
        send: Send,
        clock: Clock | None = None,
        stream_address: str = "",
        apart: float = 0.0,
        follow: Send | None = None,
    ) -> None:
        """`send(cluster)` asks for a call of `run(cluster)`; it raises when the broker is away. Calls for one cluster are
        sent at least `apart` seconds one after the other, so that many changes in a row become one turn. `follow` asks for
        those that had to wait for that: while changes go on, the way through the broker would cost more than the turns."""
        self._apart = apart
        self._follow_up = follow if follow is not None else send
        self._stream_address = stream_address
        self._hub, self._data, self._send = hub, data, send
        self._clock: Clock = clock if clock is not None else RealClock()
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()
        self._mailbox = Mailbox("simhost")
        self._changes: Subscription[LogEntry] | None = None
        self._clusters: ClusterSubscription | None = None
        self._stopping = False
        self._files: dict[str, dict[str, object]] = {}  # what lay in the folders of static pods, by cluster
        self._files_timer: Timer | None = None

    def start(self) -> None:
        self._follow()
        self._watch_files()
        self._clusters = self._hub.subscribe_clusters(lambda names: self._mailbox.post(lambda: self._look(names)))

    def stop(self) -> None:
        """Close all worlds; containers live on in the journals."""
        self._stopping = True
        for subscription in (self._changes, self._clusters):
            if subscription is not None:
                subscription.close()
        self._mailbox.close()
        if self._files_timer is not None:
            self._files_timer.cancel()
        for slot in self._slots.values():
            with slot.lock:
                self._close(slot)
        if isinstance(self._clock, RealClock):
            self._clock.close()

    @property
    def open_worlds(self) -> list[str]:
        return sorted(name for name, slot in self._slots.items() if slot.world is not None)

    def has_turn(self, cluster: str) -> bool:
        """Whether a call of `run` is asked for and has not come yet."""
        slot = self._slots.get(cluster)
        return slot is not None and slot.wanted

    def wake(self, cluster: str) -> None:
        """Ask for `run(cluster)` soon. Quick; callable from any thread."""
        slot = self._slots.get(cluster)
        if slot is None or self._stopping:
            return
        with self._lock:
            if slot.wanted:
                return
            slot.wanted = True
            slot.watchdog = self._clock.call_later(PATIENCE, lambda: self._remind(cluster, slot))
            wait = max(slot.asked + self._apart - monotonic(), 0.0)
            slot.asked = monotonic() + wait
        if wait:
            self._clock.call_later(wait, lambda: self._mailbox.post(lambda: self._ask(cluster, self._follow_up)))
        else:
            self._mailbox.post(lambda: self._ask(cluster, self._send))

    def run(self, cluster: str) -> None:
        """Let the cluster catch up with its lab time. Somebody who comes while it runs makes it look once more."""
        slot = self._slots.get(cluster)
        if slot is None:
            return
        with self._lock:
            slot.wanted = False
            if slot.watchdog is not None:
                slot.watchdog.cancel()
                slot.watchdog = None
            slot.again = True
        while slot.again and slot.lock.acquire(blocking=False):
            try:
                slot.again = False
                if not self._stopping:
                    self._run(cluster, slot)
            finally:
                slot.lock.release()

    def call(self, cluster: str, work: Callable[[World], T]) -> T:
        """Do something in a cluster's world at its present lab time, between its turns, and what follows from it. Raises
        RuntimeFailure when there is no such world, or it is too busy."""
        slot = self._slots.get(cluster)
        if slot is None:
            raise NotFound(f"cluster {cluster} is not played here")
        if not slot.lock.acquire(timeout=CALL_SECONDS):
            raise RuntimeFailure(f"cluster {cluster} is too busy")
        try:
            if not self._stopping:
                self._run(cluster, slot)
            if slot.world is None:
                raise NotFound(f"cluster {cluster} is gone")
            result = work(slot.world)
            self._run(cluster, slot)
        finally:
            slot.lock.release()
        if slot.again:  # somebody came for a turn while we were in it
            self.wake(cluster)
        return result

    # Hearing

    def _follow(self) -> None:
        self._changes = self._hub.subscribe(Filter(), None, self._heard, on_end=self._lost)

    def _heard(self, entries: list[LogEntry]) -> None:
        newest = {entry.key.cluster: entry.revision for entry in entries}
        for cluster, revision in newest.items():
            slot = self._slots.get(cluster)
            if slot is not None and revision > max(slot.seen, slot.world.revision if slot.world else 0):
                self.wake(cluster)

    def _watch_files(self) -> None:
        if not self._stopping:
            self._files_timer = self._clock.call_later(FILES_SECONDS, lambda: self._mailbox.post(self._look_at_files))

    def _look_at_files(self) -> None:
        """Static pods: a world reads its nodes' folders in every turn, so it is enough to give it one."""
        found = static_files.by_cluster(self._data / "static")
        for name in {*found, *self._files}:
            if found.get(name) != self._files.get(name):
                self.wake(name)
        self._files = {name: stamps for name, stamps in found.items() if name in self._slots}
        self._watch_files()

    def _lost(self, reason: End) -> None:
        if self._stopping or reason is End.CLOSED:
            return
        logger.warning("the change log was lost (%s): looking at every cluster", reason)
        self._mailbox.post(self._recover)

    def _recover(self) -> None:
        self._follow()
        for cluster in list(self._slots):
            self.wake(cluster)

    def _look(self, names: list[str]) -> None:
        """Clusters were made, changed (their clock too) or deleted."""
        for name in names:
            row = clusters.find(name)
            slot = self._slots.get(name)
            if slot is not None and (row is None or row.uid != slot.uid):
                self._forget(name, slot)
                slot = None
            elif row is None:  # a recording, or one that was never played here
                self._clear(self._data / "logs" / name, self._data / "pods" / name)
            if row is None or row.runtime != "sim":
                continue
            if slot is None:
                client = Client(name, system("controller"), wall_now)
                self._slots[name] = slot = _Slot(row.uid, rested=_never_played(client))
                if slot.rested or _has_work(client):
                    self.wake(name)
            elif slot.world is not None or slot.lock.locked() or row.steps_wanted:
                self.wake(name)

    def _forget(self, name: str, slot: _Slot) -> None:
        """The cluster is gone, with all that its nodes left on the disk."""
        with slot.lock:
            self._close(slot)
            self._slots.pop(name, None)
        self._clear(journal_folder(self._data, slot.uid), self._data / "logs" / name, self._data / "pods" / name)

    @staticmethod
    def _clear(*folders: Path) -> None:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    # Running

    def _ask(self, cluster: str, send: Send) -> None:
        try:
            send(cluster)
        except Exception as error:
            logger.info("the broker does not take tasks (%s): running cluster %s here", error, cluster)
            self.run(cluster)

    def _remind(self, cluster: str, slot: _Slot) -> None:
        with self._lock:
            if not slot.wanted:
                return
            slot.wanted = False
        self.wake(cluster)

    def _run(self, cluster: str, slot: _Slot) -> None:
        row = clusters.find(cluster)
        if row is None or row.uid != slot.uid:
            return
        if slot.world is None:
            slot.world = World(row, data=self._data, now=self._taken_up(row, slot), stream_address=self._stream_address)
            slot.world.open()
        world = slot.world
        if row.steps_wanted:
            done = world.run(row.time.at(wall_now()), seconds=TURN_SECONDS)
            if done:
                world.step()
                clusters.finish_step(cluster, world.clock.now())
                done = row.steps_wanted <= 1
        else:
            done = world.run(row.time.at(wall_now()), seconds=TURN_SECONDS)
        if monotonic() - slot.published >= PERIOD_SECONDS:
            slot.published = monotonic()
            world.publish_usage()
        if done:
            self._set_timer(cluster, slot, row, world.next_due)
        else:
            self.wake(cluster)

    def _taken_up(self, row: ClusterRow, slot: _Slot) -> datetime:
        """The lab time from which a world goes on. After a crash it is the present, as containers went on meanwhile; in
        a world that rested it is the time of the change that woke it, however late we come."""
        now = row.time.at(wall_now())
        if not slot.rested:
            return now
        newest, after = now, slot.seen
        while entries := log.read_after(after, cluster=row.name):
            newest, after = entries[-1].at, entries[-1].revision
        return min(newest, now)

    def _set_timer(self, cluster: str, slot: _Slot, row: ClusterRow, due: datetime | None) -> None:
        if slot.timer is not None:
            slot.timer.cancel()
            slot.timer = None
        if due is None:
            slot.timer = self._clock.call_later(LINGER, lambda: self._mailbox.post(lambda: self._retire(slot)))
            return
        wall = row.time.wall_of(due)
        if wall is not None:  # a paused clock is waited for as a change of the cluster's row
            slot.timer = self._clock.call_at(wall, lambda: self.wake(cluster))

    def _retire(self, slot: _Slot) -> None:
        """Close a world in which nothing is due. The next change opens it again."""
        if not slot.lock.acquire(blocking=False):
            return
        try:
            if slot.world is not None and slot.world.next_due is None and not slot.wanted and not slot.world.streaming:
                self._close(slot)
                slot.rested = True
        finally:
            slot.lock.release()

    def _close(self, slot: _Slot) -> None:
        if slot.timer is not None:
            slot.timer.cancel()
            slot.timer = None
        world, slot.world = slot.world, None
        if world is not None:
            if not self._stopping:
                world.publish_usage()  # the last word until it is opened again
            slot.seen = world.revision
            slot.rested = False
            world.close()


def _never_played(client: Client) -> bool:
    """Nobody has brought its nodes up yet."""
    nodes = client.list("nodes", None).items
    return bool(nodes) and not any(stored.obj.get("status", {}).get("conditions") for stored in nodes)


def _has_work(client: Client) -> bool:
    """Whether a cluster that is found at the start of a worker must be opened at once."""
    if any(client.list(resource, None, limit=1).items for resource in ("pods", "events")):
        return True
    return any(item.obj["metadata"].get("deletionTimestamp") for item in client.list("namespaces", None).items)
