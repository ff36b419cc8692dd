"""What the containers of a node use now, for `kubectl top`: measured here, kept by `storage.usage`.

`node_host` publishes for Docker nodes on the wall clock, `simhost.host` for the nodes of its worlds.
Source: pkg/kubelet/server/stats (what metrics-server asks of a kubelet every 15 seconds).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from podlab.clock import Clock, Timer, wall_now
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import ContainerState, Runtime
from podlab.storage import usage
from podlab.storage.errors import StorageError
from podlab.storage.usage import Usage

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 15.0


def publish(cluster: str, runtimes: Mapping[str, Runtime], at: datetime) -> None:
    """Measure the nodes and put their figures in the place of the last ones. Never raises."""
    try:
        rows = [row for node, runtime in runtimes.items() for row in _measured(cluster, node, runtime, at)]
        usage.replace(cluster, rows, nodes=list(runtimes))
    except (RuntimeFailure, StorageError) as error:
        logger.info("cluster %s: usage of containers is not published: %s", cluster, error)


def _measured(cluster: str, node: str, runtime: Runtime, at: datetime) -> Iterator[Usage]:
    wall = wall_now()
    for status in runtime.list_pods().values():
        for container in status.containers:
            found = runtime.stats(container.id) if container.state == ContainerState.RUNNING else None
            if found is not None:
                pod = status.pod
                yield Usage(
                    *(cluster, node, pod.namespace, pod.name, pod.uid, container.name),
                    *(at, wall, PERIOD_SECONDS, found.cpu_nano_cores, found.memory_bytes),
                )


class Publisher:
    """Publishes every PERIOD_SECONDS until it is closed. `defer` takes the work off the clock's thread."""

    def __init__(
        self,
        cluster: str,
        runtimes: Mapping[str, Runtime],
        *,
        clock: Clock,
        defer: Callable[[Callable[[], None]], None],
    ) -> None:
        self._cluster, self._runtimes, self._clock, self._defer = cluster, runtimes, clock, defer
        self._closed = False
        self._timer: Timer | None = None
        self._again()

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _again(self) -> None:
        if not self._closed:
            self._timer = self._clock.call_later(PERIOD_SECONDS, lambda: self._defer(self._work))

    def _work(self) -> None:
        try:
            publish(self._cluster, self._runtimes, self._clock.now())
        finally:
            self._again()
