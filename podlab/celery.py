"""The Celery application. Tasks carry names, never objects; queues: control, sim, node.<name>."""

from __future__ import annotations

import os

from celery import Celery

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
        "task_default_queue": "control",
    }
)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["podlab.kubelet", "podlab.scheduler", "podlab.simhost"])
