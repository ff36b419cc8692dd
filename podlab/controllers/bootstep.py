"""Runs the controllers of clusters in real time. `celery` adds this step when PODLAB_ROLE is `control`."""

from __future__ import annotations

from typing import Any

from celery import bootsteps

from podlab.controllers import running, tasks
from podlab.controllers.host import ControllersHost
from podlab.storage import hub


class ControllersStep(bootsteps.StartStopStep):
    """After the pool: the first tasks need somebody to do them."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._host: ControllersHost | None = None

    def start(self, parent: Any) -> None:
        self._host = ControllersHost(hub=hub.hub(), send=tasks.send)
        running.set_host(self._host)
        self._host.start()

    def stop(self, parent: Any) -> None:
        host, self._host = self._host, None
        if host is not None:
            running.set_host(None)
            host.stop()

    terminate = stop
