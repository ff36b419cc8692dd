"""The end of a pod: stop its containers with grace, its sandbox, store the final status, remove what is left.

Deletion, a pod whose containers have all ended, a deadline, a pod whose object is gone and containers without any pod
all come here (pkg/kubelet/kubelet.go SyncTerminatingPod, SyncTerminatedPod). `pod_workers` calls it in every sync of a
pod that has left the stage SYNC; nothing here waits.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from podlab.apis import reasons
from podlab.apis.status_errors import ApiError
from podlab.kubelet import kill, killing, mirror, pods, status_writer
from podlab.kubelet import status as statuses
from podlab.kubelet.context import Context, PodState, Stage
from podlab.runtime.interface import ContainerState, PodStatus

logger = logging.getLogger(__name__)

# The reference sees that a pod is over with the relist after its sandbox has stopped, a second after the last end
# (pkg/kubelet/pleg/generic.go relistPeriod); until then the pod shows its containers' ends in the old phase.
_SEEN_OVER = timedelta(seconds=1)
# How long the end of a container's output is waited for before the container is removed.
_DRAIN = timedelta(seconds=5)


def terminating(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """Stop everything; when nothing runs any more the pod is TERMINATED."""
    if state.pod is not None and not state.gone:
        ctx.probes.update(state.pod, observed)
        if state.forced is not None and state.forced.reason == reasons.DEADLINE_EXCEEDED:
            # The kubelet says so with every look at a pod that is past its deadline (active_deadline.go ShouldEvict).
            text = state.forced.message
            ctx.recorder.event(state.pod, reasons.NORMAL, reasons.DEADLINE_EXCEEDED, text, why=state.end_why)
    ctx.probes.stop_killers(state.ref.uid)
    _hasten(ctx, state)
    sandbox = next((s for s in observed.sandboxes if s.ready), None)
    for container in killing.alive(observed):
        grace = kill.grace_seconds(state.pod, label=container.grace_seconds, forced=state.gone)
        grace = min(grace, state.grace) if state.grace is not None else grace
        ip = sandbox.ip if sandbox is not None else ""
        killing.begin(ctx, state, container, grace=grace, why=state.end_why, ip=ip, in_order=True)
    had_kills = bool(state.kills)
    killing.step(ctx, state, observed)
    if killing.alive(observed):
        return
    if had_kills:
        # What the kubelet itself has stopped is told when the sandbox has gone too.
        _stop_sandboxes(ctx, observed)
        observed = ctx.observe(state.ref)
    if had_kills or not state.end_shown:
        _show_ends(ctx, state, observed)
    if _held_back(ctx, state, observed):
        return
    _stop_sandboxes(ctx, observed)
    _store_end(ctx, state)
    state.stage = Stage.TERMINATED
    ctx.room_made()
    ctx.probes.remove(state.ref.uid)
    terminated(ctx, state, ctx.observe(state.ref))


def terminated(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """Nothing runs. Remove the rest when the object is going or gone; a finished pod keeps its dead containers."""
    if not state.leaving:
        return
    if not drained(ctx, state, observed):
        return
    for container in observed.containers:
        ctx.pump.drop(container.id)
        ctx.runtime.remove_container(container.id)
    for sandbox in observed.sandboxes:
        ctx.runtime.remove_sandbox(sandbox.id)
    ctx.folders(state.ref.uid).tear_down()
    if state.pod is None or state.gone:
        ctx.forget(state.ref.uid)
        return
    if state.static:
        mirror.drop(ctx, state)
        ctx.forget(state.ref.uid)
        return
    try:
        why = "the node has stopped and removed everything of the pod"
        ctx.client.delete("pods", state.ref.namespace, state.ref.name, grace=0, uid=state.ref.uid, why=why)
    except ApiError as error:
        if error.code not in (404, 409):
            raise
        ctx.forget(state.ref.uid)


def _stop_sandboxes(ctx: Context, observed: PodStatus) -> None:
    for one in observed.sandboxes:
        if one.ready:
            ctx.runtime.stop_sandbox(one.id)


def _show_ends(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """As the kubelet does: the containers' ends first, the terminal phase when the pod is really over."""
    state.end_shown = True
    if state.pod is None or state.gone or pods.is_terminal(state.pod) or pods.deletion_time(state.pod) is not None:
        return
    held = statuses.generate(status_writer.inputs(ctx, state, observed), forced=state.forced)
    status_writer.write(ctx, state, held, state.end_why)


def _held_back(ctx: Context, state: PodState, observed: PodStatus) -> bool:
    """A pod that ended by itself keeps its phase for a moment; one that was told to stop does not."""
    if state.pod is None or state.gone or state.forced is not None or pods.is_terminal(state.pod):
        return False
    if state.removed:
        return False
    if pods.deletion_time(state.pod) is not None:
        return False
    ends = [c.finished_at for c in observed.containers if c.finished_at is not None]
    if not ends or ctx.clock.now() >= max(ends) + _SEEN_OVER:
        return False
    state.wake_at(max(ends) + _SEEN_OVER)
    return True


def _store_end(ctx: Context, state: PodState) -> None:
    if state.pod is None or state.gone or state.removed or pods.is_terminal(state.pod):
        return
    observed = ctx.observe(state.ref)
    final = statuses.final(status_writer.inputs(ctx, state, observed), forced=state.forced)
    status_writer.write(ctx, state, final, state.end_why)


def _hasten(ctx: Context, state: PodState) -> None:
    """An object that was removed by force leaves its containers the shortest grace, also when they had longer."""
    if not state.gone:
        return
    soon = ctx.clock.now() + timedelta(seconds=kill.MINIMUM_GRACE)
    for one in state.kills.values():
        one.deadline = min(one.deadline, soon)
        if one.kill_at is not None:
            one.kill_at = min(one.kill_at, soon)


def drained(ctx: Context, state: PodState, observed: PodStatus) -> bool:
    """The output of every container is in its file, or has been waited for long enough."""
    now = ctx.clock.now()
    if state.drained_by is None:
        state.drained_by = now + _DRAIN
    open_ones = [c for c in observed.containers if c.state is ContainerState.EXITED and not ctx.pump.drained(c.id)]
    if open_ones and now < state.drained_by:
        state.wake_at(state.drained_by)
        return False
    for container in open_ones:
        logger.warning("the log of container %s did not come to its end in time", container.id)
    return True
