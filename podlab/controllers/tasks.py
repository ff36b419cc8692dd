"""The Celery task of the controllers. It carries names only and may be lost, doubled or late."""

from __future__ import annotations

from celery import shared_task

from podlab.controllers import running

QUEUE = "control"
# A wish that old was followed by the host itself.
EXPIRES = 60


@shared_task(name="podlab.controllers.sync", ignore_result=True)
def sync(cluster: str, controller: str, key: str) -> None:
    running.work(cluster, controller, key)


def send(cluster: str, controller: str, key: str) -> None:
    """Raises when the broker does not take it."""
    sync.apply_async((cluster, controller, key), queue=QUEUE, retry=False, expires=EXPIRES)
