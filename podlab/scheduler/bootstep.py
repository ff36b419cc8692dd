"""Makes a Celery worker the control worker. `celery` adds this step when PODLAB_ROLE is `control`."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from django.conf import settings

from podlab.scheduler import tasks
from podlab.scheduler.control import ControlHost
from podlab.storage import hub


class ControlStep(bootsteps.StartStopStep):
    """After the pool: the first tasks need somebody to do them."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._host: ControlHost | None = None

    def start(self, parent: Any) -> None:
        self._host = ControlHost(hub=hub.hub(), send_schedule=tasks.send_schedule, logs=settings.PODLAB_DATA / "logs")
        self._host.start()

    def stop(self, parent: Any) -> None:
        host, self._host = self._host, None
        if host is not None:
            host.stop()

    terminate = stop
