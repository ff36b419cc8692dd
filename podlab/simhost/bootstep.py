"""Makes a Celery worker the sim worker. `celery` adds this step when PODLAB_ROLE is `sim`."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from django.conf import settings

from podlab.simhost import tasks
from podlab.simhost.host import Host
from podlab.storage import hub


class SimStep(bootsteps.StartStopStep):
    """After the pool: the first tasks need somebody to do them."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._host: Host | None = None

    def start(self, parent: Any) -> None:
        self._host = Host(hub=hub.hub(), data=settings.PODLAB_DATA, send=tasks.send_run)
        tasks.play(self._host)
        self._host.start()

    def stop(self, parent: Any) -> None:
        host, self._host = self._host, None
        tasks.play(None)
        if host is not None:
            host.stop()

    terminate = stop
