"""The plain functions behind the control worker's tasks, and what control worker and simulated worlds share."""

from __future__ import annotations

import threading
from collections import defaultdict

from podlab.apis.status_errors import ApiError
from podlab.clock import wall_now
from podlab.registry.client import Client
from podlab.registry.events import Recorder
from podlab.registry.identity import system
from podlab.scheduler import bind, cycle
from podlab.scheduler.assumed import Assumed
from podlab.scheduler.event_ttl import EventTtl
from podlab.scheduler.queue import SchedulingQueue

# Two pods of one cluster must not be placed at once: each would see the room that the other takes.
_one_at_a_time: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_recorders: dict[str, Recorder] = {}
_assumed: dict[str, Assumed] = {}


def schedule(cluster: str, namespace: str, name: str) -> None:
    """Place one pod of a cluster in real time."""
    client = Client(cluster, system("scheduler"), wall_now)
    with _one_at_a_time[cluster]:
        recorder = _recorders.setdefault(cluster, Recorder(client, cycle.NAME, "", wall_now))
        assumed = _assumed.setdefault(cluster, Assumed())
        bind.schedule_one(client, recorder, namespace, name, now=wall_now(), assumed=assumed)


def load(client: Client, pods: SchedulingQueue, events: EventTtl) -> int:
    """Show the queues what is there; returns the revision from which the log goes on. Lists are read one after the
    other, so the log is taken up from before the first: seeing a change twice does no harm."""
    page = client.list("pods", None, field_selector="spec.nodeName=")
    for item in page.items:
        pods.add(item.obj)
    for item in sorted(client.list("events", None).items, key=lambda one: one.revision):
        events.add(item.obj)
    return page.revision


def forget_event(client: Client, namespace: str, name: str, uid: str) -> None:
    try:
        client.delete("events", namespace, name, uid=uid, why="Events are kept for an hour.")
    except ApiError as error:
        if error.code not in {404, 409}:  # gone already, or another one under its name
            raise
