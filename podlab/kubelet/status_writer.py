"""Stores the status of a pod: the kubelet's one door for effects on the API object. `sync` and `terminate` call it.

A write happens only when something changed. A pod that has gone meanwhile is nothing to worry about: the change log
says so soon.
"""

from __future__ import annotations

import copy
import logging
from datetime import timedelta
from functools import partial

from podlab.apis import reasons
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.kubelet import resize
from podlab.kubelet import status as statuses
from podlab.kubelet.container_status import Inputs
from podlab.kubelet.context import Context, PodState
from podlab.runtime.interface import PodStatus
from podlab.storage.errors import StorageError

logger = logging.getLogger(__name__)

_LATER = timedelta(seconds=10)


def inputs(ctx: Context, state: PodState, observed: PodStatus) -> Inputs:
    pod = state.granted
    assert pod is not None
    return Inputs(
        pod=pod,
        observed=observed,
        verdicts=ctx.probes.verdicts(state.ref.uid),
        problems=dict(state.problems),
        hooked=_hooked(state),
        actual=dict(state.actual),
        restarting=bool(state.restarting),
        resizing=tuple(resize.conditions(state.resize_pending, state.resize_progress)),
        scheme=ctx.runtime.name,
        node_ip=ctx.address,
        now=ctx.clock.now(),
    )


def _hooked(state: PodState) -> frozenset[str]:
    """Containers that do not count as running: their postStart hook runs, or has failed and they are stopped for it."""
    failed = {n for n, problem in state.problems.items() if problem.reason == reasons.POST_START_HOOK_ERROR}
    running = {cid for cid, hook in state.hooks.items() if hook == "running"}
    return frozenset(running | {cid for cid, one in state.kills.items() if one.name in failed})


def write(ctx: Context, state: PodState, status: Manifest, why: str) -> None:
    """Store `status` if it differs from what the API holds."""
    if _worth_storing(ctx, state, status, why):
        _store(ctx, state, status, why)


def write_aside(ctx: Context, state: PodState, status: Manifest, why: str) -> None:
    """The same while the caller goes on to the engine, as the status manager of a kubelet does. `settled` and the next
    write wait for it, so statuses are stored in their order."""
    if _worth_storing(ctx, state, status, why):
        state.storing = ctx.aside(partial(_store, ctx, state, status, why))


def settled(state: PodState) -> None:
    """Wait for what was written aside; raises what that raised."""
    storing, state.storing = state.storing, None
    if storing is not None:
        storing.result()


def _worth_storing(ctx: Context, state: PodState, status: Manifest, why: str) -> bool:
    settled(state)
    if state.pod is None or state.gone:
        return False
    if state.static:
        _write_mirror(ctx, state, status, why)
        return False
    held = state.pod.get("status") or {}
    return bool(statuses.merged(held, status) != held)


def _store(ctx: Context, state: PodState, status: Manifest, why: str) -> None:
    # What led to it was told before; whoever sees the status finds the events.
    ctx.recorder.settle()

    def mutate(obj: Manifest) -> None:
        obj["status"] = statuses.merged(obj.get("status") or {}, copy.deepcopy(status))
        # Known before the change log tells it, so that our own write is not taken for somebody else's.
        state.written = copy.deepcopy(obj["status"])

    try:
        stored = ctx.client.update_status(
            "pods", state.ref.namespace, state.ref.name, mutate, uid=state.ref.uid, why=why
        )
    except ApiError as error:
        if error.code not in (404, 409):
            raise
        logger.info("status of pod %s/%s not stored: %s", state.ref.namespace, state.ref.name, error)
        return
    state.written = stored.obj.get("status")
    state.take(stored.obj, stored.revision)


def _write_mirror(ctx: Context, state: PodState, status: Manifest, why: str) -> None:
    """A static pod knows its status itself; its mirror shows it as soon as the API takes it."""
    assert state.pod is not None
    state.pod = {**state.pod, "status": statuses.merged(state.pod.get("status") or {}, copy.deepcopy(status))}
    mirror = state.mirror
    if mirror is None or statuses.merged(mirror.get("status") or {}, status) == (mirror.get("status") or {}):
        return

    def mutate(obj: Manifest) -> None:
        obj["status"] = statuses.merged(obj.get("status") or {}, copy.deepcopy(status))

    meta = mirror["metadata"]
    try:
        stored = ctx.client.update_status("pods", meta["namespace"], meta["name"], mutate, uid=meta["uid"], why=why)
    except (ApiError, StorageError) as error:
        logger.info("status of static pod %s/%s not stored: %s", meta["namespace"], meta["name"], error)
        state.wake_at(ctx.clock.now() + _LATER)
        return
    if stored.revision > state.revision:
        state.mirror, state.revision = stored.obj, stored.revision
