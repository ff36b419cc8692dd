"""The controllers of one cluster and their queue.

`host` feeds it for clusters in real time, `simhost.world` for simulated ones. The owner hands in `dispatch`, which has
`work` called soon: by a Celery task, or in a world's own turn. Keys are deduplicated; a sync that fails comes back with
growing delays, as in client-go's workqueue (util/workqueue/default_rate_limiters.go).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from podlab.apis.status_errors import ApiError
from podlab.clock import Clock, Timer
from podlab.controllers.cluster_roles import ClusterRoleAggregation
from podlab.controllers.controller import Controller, Kit
from podlab.controllers.disruption import Disruption
from podlab.controllers.endpoint_slices import EndpointSliceMirroring, EndpointSlices
from podlab.controllers.endpoints import Endpoints
from podlab.controllers.ephemeral_volumes import EphemeralVolumes
from podlab.controllers.garbage_collector import GarbageCollector
from podlab.controllers.namespaces import Namespaces
from podlab.controllers.node_lifecycle import NodeLifecycle
from podlab.controllers.persistent_volumes import PersistentVolumes
from podlab.controllers.protection import Protection
from podlab.controllers.resource_quota import ResourceQuotas
from podlab.controllers.root_ca import RootCA
from podlab.controllers.taint_eviction import TaintEviction
from podlab.registry.client import Client
from podlab.registry.events import Recorder
from podlab.registry.identity import system
from podlab.storage import log
from podlab.storage.log import LogEntry

logger = logging.getLogger(__name__)

CONTROLLERS: tuple[type[Controller], ...] = (
    ClusterRoleAggregation,
    Disruption,
    EndpointSliceMirroring,
    EndpointSlices,
    Endpoints,
    EphemeralVolumes,
    GarbageCollector,
    Namespaces,
    NodeLifecycle,
    PersistentVolumes,
    Protection,
    ResourceQuotas,
    RootCA,
    TaintEviction,
)

FIRST_DELAY = 0.005
LONGEST_DELAY = 60.0

Dispatch = Callable[[str, str], None]  # controller, key


@dataclass(slots=True)
class _Queue:
    """The keys of one controller."""

    controller: Controller
    waiting: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    failures: dict[str, int] = field(default_factory=dict)
    timers: dict[str, Timer] = field(default_factory=dict)


class Manager:
    """`load`, `on_change` and `close` belong to the owner's thread; `work` may run on any."""

    def __init__(self, cluster: str, clock: Clock, dispatch: Dispatch, *, patience: float | None = None) -> None:
        """`patience`: after so many seconds a key that was dispatched and not worked on is worked on here: tasks get
        lost. None where that cannot happen."""
        self.cluster = cluster
        self._clock, self._dispatch, self._patience = clock, dispatch, patience
        self._lock = threading.Lock()
        self._closed = False
        self._queues: dict[str, _Queue] = {}
        for kind in CONTROLLERS:
            self._queues[kind.name] = _Queue(kind(self._kit(kind)))

    def load(self) -> int:
        """Take up what is there; returns the revision from which changes are to be fed."""
        since = log.head()
        for name, queue in self._queues.items():
            for key in queue.controller.load():
                self.enqueue(name, key)
        return since

    def on_change(self, entry: LogEntry) -> None:
        for name, queue in self._queues.items():
            for key in queue.controller.affected(entry):
                self.enqueue(name, key)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for queue in self._queues.values():
                for timer in queue.timers.values():
                    timer.cancel()
                queue.timers.clear()

    def enqueue(self, name: str, key: str, seconds: float = 0.0) -> None:
        queue = self._queues[name]
        with self._lock:
            if self._closed:
                return
            if seconds > 0:
                self._set_timer(queue, key, seconds, lambda: self.enqueue(name, key))
                return
            if key in queue.running:
                queue.again.add(key)
                return
            if key in queue.waiting:
                return
            queue.waiting.add(key)
            if self._patience is not None:
                self._set_timer(queue, key, self._patience, lambda: self._overdue(name, key))
        self._dispatch(name, key)

    def work(self, name: str, key: str) -> None:
        """Sync one key."""
        queue = self._queues[name]
        with self._lock:
            if self._closed or key in queue.running:
                return
            queue.waiting.discard(key)
            queue.running.add(key)
            if (timer := queue.timers.pop(key, None)) is not None:
                timer.cancel()
        delay = self._sync(queue, key)
        with self._lock:
            queue.running.discard(key)
            again = key in queue.again
            queue.again.discard(key)
        if again:
            self.enqueue(name, key)
        elif delay is not None:
            self.enqueue(name, key, delay)

    def _sync(self, queue: _Queue, key: str) -> float | None:
        """The seconds after which to try again; None when all is well."""
        try:
            queue.controller.sync(key)
        except ApiError as error:
            if error.code not in (404, 409):
                logger.warning("%s: %s of cluster %s: %s", queue.controller.name, key, self.cluster, error.message)
        except Exception:
            logger.exception("%s: %s of cluster %s failed", queue.controller.name, key, self.cluster)
        else:
            queue.failures.pop(key, None)
            return None
        failures = queue.failures[key] = queue.failures.get(key, 0) + 1
        return min(FIRST_DELAY * 2.0 ** min(failures - 1, 30), LONGEST_DELAY)

    def _overdue(self, name: str, key: str) -> None:
        if key in self._queues[name].waiting:
            self.work(name, key)

    def _set_timer(self, queue: _Queue, key: str, seconds: float, then: Callable[[], None]) -> None:
        if (old := queue.timers.pop(key, None)) is not None:
            old.cancel()
        queue.timers[key] = self._clock.call_later(seconds, then)

    def _kit(self, kind: type[Controller]) -> Kit:
        client = Client(self.cluster, system(kind.component), self._clock.now)
        return Kit(
            client=client,
            clock=self._clock,
            recorder=Recorder(client, kind.component, "", self._clock.now),
            enqueue=lambda key, seconds: self.enqueue(kind.name, key, seconds),
        )
