"""The effects of a scheduling decision: bind the pod and say so, or write down why it must wait and end its victims.

Called by `tasks.schedule` in the control worker and by the sim worker's worlds. The decision is `cycle.schedule`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from podlab.apis import pods as pod_facts
from podlab.apis import reasons
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.scheduler import claims, cycle, surroundings, victims
from podlab.scheduler.assumed import BIND_TIMEOUT, TIMED_OUT, Assumed
from podlab.scheduler.nodes import node_infos, nominated_node


class Events(Protocol):
    """The part of `registry.events.Recorder` that is needed here."""

    def event(self, obj: Manifest, type_: str, reason: str, message: str, /, *, why: str = "") -> None: ...


class Outcome(StrEnum):
    BOUND = "bound"
    WAITING = "waiting"  # no node fits: the condition and an event say why
    BINDING = "binding"  # its claims are being bound: the pod is tried again when they are
    NOTHING = "nothing"  # gone, bound already, or not ours


def schedule_one(
    client: Client,
    recorder: Events,
    namespace: str,
    name: str,
    *,
    now: datetime,
    seed: int = 0,
    assumed: Assumed | None = None,
) -> Outcome:
    """Place one pod. Safe to call at any time and again: it looks at the stored pod first. `assumed`: those whose claims are
    being bound, of this cluster."""
    try:
        pod = client.get("pods", namespace, name).obj
    except ApiError as error:
        if error.code == 404:
            return Outcome.NOTHING
        raise
    if not cycle.wants_node(pod):
        return Outcome.NOTHING
    nodes = [item.obj for item in client.list("nodes", None).items]
    others = [item.obj for item in client.list("pods", None).items]
    assumed = assumed if assumed is not None else Assumed()
    held, waiting = assumed.of(pod), assumed.beside(pod, others)
    pods = [one for one in others if one["spec"].get("nodeName") or nominated_node(one)]
    if waiting:
        pods = [*(one for one in pods if assumed.of(one) is None or one is pod), *waiting]
    if held is not None and held.until <= now:
        assumed.release(pod)
        why = f"its claims were not bound within {BIND_TIMEOUT.total_seconds():.0f} s of its choice of {held.node}"
        late = cycle.Placement(node=None, message=TIMED_OUT, why=why)
        _write_down(client, recorder, pod, late, now, reason=reasons.SCHEDULER_ERROR)
        return Outcome.WAITING
    around = surroundings.gather(client, pod, pods)
    # A pod that has its place keeps it, unless that is no place any more.
    chosen = [node for node in nodes if held is not None and node["metadata"]["name"] == held.node]
    placement = cycle.schedule(pod, node_infos(chosen or nodes, pods), seed=seed, around=around)
    if chosen and placement.node is None:
        placement = cycle.schedule(pod, node_infos(nodes, pods), seed=seed, around=around)
    if placement.node is None:
        assumed.release(pod)
        _write_down(client, recorder, pod, placement, now)
        victims.end(client, recorder, pod, placement, pods, now=now)
        return Outcome.WAITING
    if placement.bindings:
        assumed.hold(pod, placement.node, now)
        claims.bind(client, pod, placement, around.storage)
        return Outcome.BINDING
    assumed.release(pod)
    try:
        client.bind(namespace, name, placement.node, why=placement.why)
    except ApiError as error:
        if error.code in {404, 409}:  # deleted, or bound by somebody else in the meantime
            return Outcome.NOTHING
        raise
    message = f"Successfully assigned {namespace}/{name} to {placement.node}"
    recorder.event(pod, reasons.NORMAL, reasons.SCHEDULED, message, why=placement.why)
    return Outcome.BOUND


def _write_down(
    client: Client,
    recorder: Events,
    pod: Manifest,
    placement: cycle.Placement,
    now: datetime,
    *,
    reason: str = reasons.UNSCHEDULABLE,
) -> None:
    metadata: dict[str, Any] = pod["metadata"]

    def mutate(obj: Manifest) -> None:
        status = obj.setdefault("status", {})
        if placement.nominated:
            status["nominatedNodeName"] = placement.nominated
        elif placement.nominated is not None:
            status.pop("nominatedNodeName", None)
        conditions = status.setdefault("conditions", [])
        pod_facts.set_condition(
            conditions,
            "PodScheduled",
            "False",
            reason,
            placement.message,
            now=now,
            probed=True,
            observed_generation=obj["metadata"].get("generation"),
        )

    recorder.event(pod, reasons.WARNING, reasons.FAILED_SCHEDULING, placement.message, why=placement.why)
    try:
        client.update_status(
            "pods", metadata["namespace"], metadata["name"], mutate, uid=metadata["uid"], why=placement.why
        )
    except ApiError as error:
        if error.code not in {404, 409}:  # gone, or gone and back under its name
            raise
