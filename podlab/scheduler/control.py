"""The control worker's part for clusters in real time: feeds scheduling queue and event TTL from the change log, and
shortens the log now and then. Simulated clusters get the same parts from `simhost.world`.

`bootstep` starts and stops it. What the queue asks for goes out as Celery tasks (`tasks`), and is done here when the broker
does not take them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from podlab.clock import Clock
from podlab.logs import layout
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.registry.realtime import RealTimeClusters
from podlab.scheduler import work
from podlab.scheduler.event_ttl import EventTtl
from podlab.scheduler.queue import SchedulingQueue
from podlab.storage import clusters, compaction, forgetting
from podlab.storage.hub import Hub
from podlab.storage.log import LogEntry

logger = logging.getLogger(__name__)

# So many changes stay replayable; at a few hundred bytes a change that is some tens of megabytes.
KEPT_REVISIONS = 200_000
COMPACTION_SECONDS = 600.0

Send = Callable[..., None]  # names only


class ClusterControl:
    """The queues of one cluster: a `realtime.Follower`."""

    def __init__(self, cluster: str, clock: Clock, *, schedule: Send) -> None:
        self.cluster = cluster
        self._client = Client(cluster, system("controller"), clock.now)
        self.pods = SchedulingQueue(clock, lambda namespace, name: schedule(cluster, namespace, name))
        self.events = EventTtl(clock, self._forget)

    def load(self) -> int:
        return work.load(self._client, self.pods, self.events)

    def on_change(self, entry: LogEntry) -> None:
        self.pods.on_change(entry)
        self.events.on_change(entry)

    def close(self) -> None:
        self.pods.close()
        self.events.close()

    def _forget(self, namespace: str, name: str, uid: str) -> None:
        work.forget_event(self._client, namespace, name, uid)


class ControlHost:
    """One per control worker. `send_schedule` enqueues a task; it raises when the broker is away. `logs`: the folder under
    which the clusters keep their logs."""

    def __init__(self, *, hub: Hub, send_schedule: Send, clock: Clock | None = None, logs: Path | None = None) -> None:
        self._send_schedule = send_schedule
        self._logs = logs
        self._clusters = RealTimeClusters("control", hub=hub, make=self._control, clock=clock)

    def start(self) -> None:
        self._clusters.mailbox.post(self._finish_deletions)
        self._clusters.start()
        self._clusters.clock.call_later(COMPACTION_SECONDS, self._compact)

    def stop(self) -> None:
        self._clusters.stop()

    def _control(self, name: str, clock: Clock) -> ClusterControl:
        return ClusterControl(name, clock, schedule=self._schedule)

    def _schedule(self, cluster: str, namespace: str, name: str) -> None:
        try:
            self._send_schedule(cluster, namespace, name)
        except Exception as error:
            logger.info("the broker does not take tasks (%s): scheduling here", error)
            work.schedule(cluster, namespace, name)

    def _finish_deletions(self) -> None:
        """Deletions of clusters that a crash cut off."""
        for name in clusters.deleting():
            clusters.delete(name)

    def _compact(self) -> None:
        self._clusters.clock.call_later(COMPACTION_SECONDS, self._compact)
        compaction.compact(KEPT_REVISIONS)
        self._forget_pods()

    def _forget_pods(self) -> None:
        """Logs first: what is cut off between is looked at again, as long as there are rows."""
        found = forgetting.untold()
        if self._logs is not None:
            for pod in found:
                layout.remove_pod(self._logs / pod.cluster, pod)
        forgetting.forget(found)
