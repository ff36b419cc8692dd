"""What happens to the pods that must leave so that a more important one fits. The choice is `preemption`'s; called by
`bind`.

Each is marked as disrupted, then deleted with its own grace, and an event says for whom (framework/preemption/executor.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from podlab.apis import pods as pod_facts
from podlab.apis import reasons
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.scheduler.cycle import NAME, Placement
from podlab.scheduler.nodes import nominated_node


class Events(Protocol):
    """The part of `registry.events.Recorder` that is needed here."""

    def event(self, obj: Manifest, type_: str, reason: str, message: str, /, *, why: str = "") -> None: ...


def end(
    client: Client, recorder: Events, pod: Manifest, placement: Placement, others: Sequence[Manifest], *, now: datetime
) -> None:
    """End the victims of a placement, if it has any. Pods of lower priority that waited for the same node wait no longer for
    it: what they were to have, this pod takes."""
    if not placement.victims or not placement.nominated:
        return
    for other in others:
        lower = pod_facts.priority(other) < pod_facts.priority(pod)
        if lower and not other["spec"].get("nodeName") and nominated_node(other) == placement.nominated:
            with _gone_is_fine():
                _forget_nomination(client, other, pod)
    meta = pod["metadata"]
    important = f"{meta['namespace']}/{meta['name']} (priority {pod_facts.priority(pod)})"
    why = f"It makes room on {placement.nominated} for {important}."
    for victim in placement.victims:
        if victim["metadata"].get("deletionTimestamp"):
            continue
        with _gone_is_fine():
            _end(client, victim, pod, now, why)
            message = f"Preempted by pod {meta['uid']} on node {placement.nominated}"
            recorder.event(victim, reasons.NORMAL, reasons.PREEMPTED, message, why=why)


def _end(client: Client, victim: Manifest, pod: Manifest, now: datetime, why: str) -> None:
    meta = victim["metadata"]
    scheduler = pod["spec"].get("schedulerName") or NAME

    def mark(obj: Manifest) -> None:
        text = f"{scheduler}: preempting to accommodate a higher priority pod"
        pod_facts.mark_disrupted(obj, reasons.PREEMPTION_BY_SCHEDULER, text, now=now)

    client.update_status("pods", meta["namespace"], meta["name"], mark, uid=meta["uid"], why=why)
    client.delete("pods", meta["namespace"], meta["name"], uid=meta["uid"], why=why)


def _forget_nomination(client: Client, other: Manifest, pod: Manifest) -> None:
    meta = other["metadata"]

    def forget(obj: Manifest) -> None:
        obj.get("status", {}).pop("nominatedNodeName", None)

    why = f"{pod['metadata']['name']} is more important and takes the room on {nominated_node(other)}."
    client.update_status("pods", meta["namespace"], meta["name"], forget, uid=meta["uid"], why=why)


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """A pod that is gone, or gone and back under its name, is in nobody's way."""
    try:
        yield
    except ApiError as error:
        if error.code not in {404, 409}:
            raise
