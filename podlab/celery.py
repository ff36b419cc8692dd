"""The Celery application. Tasks carry names, never objects; queues: control, sim, node.<name>."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import worker_ready

from podlab.ops.ready import say_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")

app = Celery("podlab")
app.config_from_object(
    {
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # Redis may be away for long; the lab goes on when it is back
        "task_default_queue": "control",
    }
)
app.config_from_object("django.conf:settings", namespace="CELERY")

# What a worker process is: the boot steps that make it the control worker, the sim worker or a node.
ROLES = {
    "control": ("podlab.scheduler.bootstep:ControlStep", "podlab.controllers.bootstep:ControllersStep"),
    "sim": ("podlab.simhost.bootstep:SimStep",),
    "node": ("podlab.services.bootstep:ServicesStep", "podlab.kubelet.bootstep:NodeStep"),
}
_role = os.environ.get("PODLAB_ROLE", "")
for _step in ROLES.get(_role, ()):
    app.steps["worker"].add(_step)


def rooms(role: str) -> list[str]:
    """The packages whose tasks a process of this role does; one without a role knows all of them."""
    steps = ROLES.get(role) or [step for of_role in ROLES.values() for step in of_role]
    return sorted({step.rpartition(".")[0] for step in steps})


app.autodiscover_tasks(rooms(_role))


@worker_ready.connect
def _say_ready(**_: object) -> None:
    """Tell the supervisor, as every process of a lab does."""
    from django.conf import settings

    say_ready(settings.PODLAB_DATA)
