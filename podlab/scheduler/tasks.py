"""The Celery tasks of the control worker. They carry names only and may be lost, doubled or late."""

from __future__ import annotations

from celery import shared_task

from podlab.scheduler import work

QUEUE = "control"
# A wish that old is repeated by its queue anyhow.
EXPIRES = 60


@shared_task(name="podlab.scheduler.schedule", ignore_result=True)
def schedule(cluster: str, namespace: str, name: str) -> None:
    work.schedule(cluster, namespace, name)


def send_schedule(cluster: str, namespace: str, name: str) -> None:
    """Raises when the broker does not take it."""
    schedule.apply_async((cluster, namespace, name), queue=QUEUE, retry=False, expires=EXPIRES)
