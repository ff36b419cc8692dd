"""The controllers of all clusters in real time, in the control worker. `bootstep` starts and stops it; the tasks come back
to `work`."""

from __future__ import annotations

import logging
from collections.abc import Callable

from podlab.clock import Clock
from podlab.controllers.manager import Manager
from podlab.registry.realtime import RealTimeClusters
from podlab.storage.hub import Hub
from podlab.storage.log import LogEntry

logger = logging.getLogger(__name__)

# A task that nobody did for so long is done here: brokers lose tasks.
PATIENCE = 10.0

Send = Callable[[str, str, str], None]  # cluster, controller, key


class ControllersHost:
    """`send` enqueues a task; it raises when the broker is away."""

    def __init__(self, *, hub: Hub, send: Send, clock: Clock | None = None) -> None:
        self._send = send
        self._managers: dict[str, Manager] = {}
        self._clusters = RealTimeClusters("controllers", hub=hub, make=self._open, clock=clock)

    def start(self) -> None:
        self._clusters.start()

    def stop(self) -> None:
        self._clusters.stop()

    def work(self, cluster: str, controller: str, key: str) -> None:
        """Do what a task asks for. A cluster that is not followed any more has nobody who asks."""
        manager = self._managers.get(cluster)
        if manager is not None:
            manager.work(controller, key)

    def _open(self, name: str, clock: Clock) -> _Followed:
        def dispatch(controller: str, key: str) -> None:
            try:
                self._send(name, controller, key)
            except Exception as error:
                logger.info("the broker does not take tasks (%s): working here", error)
                self._clusters.mailbox.post(lambda: self.work(name, controller, key))

        manager = self._managers[name] = Manager(name, clock, dispatch, patience=PATIENCE)
        return _Followed(manager, lambda: self._forget(name, manager))

    def _forget(self, name: str, manager: Manager) -> None:
        if self._managers.get(name) is manager:
            del self._managers[name]


class _Followed:
    """A manager as a `realtime.Follower`."""

    def __init__(self, manager: Manager, closed: Callable[[], None]) -> None:
        self._manager, self._closed = manager, closed

    def load(self) -> int:
        return self._manager.load()

    def on_change(self, entry: LogEntry) -> None:
        self._manager.on_change(entry)

    def close(self) -> None:
        self._manager.close()
        self._closed()
