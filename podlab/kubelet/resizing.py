"""Carries in-place resizes out: grants or puts off, gives running containers their new resources, says when it is done.

`pod_workers` calls `consider` before it decides about the pod, `apply` for what `actions` found, and `conclude` at the end
of each sync. The rules are in `resize`. Source: allocation_manager.go and doPodResizeAction of kuberuntime_manager.go.
"""

from __future__ import annotations

from datetime import timedelta

from podlab.apis import reasons
from podlab.kubelet import pods, resize
from podlab.kubelet.context import Context, PodState
from podlab.kubelet.plan import ToResize, newest
from podlab.kubelet.resize import Pending, Progress
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import ContainerState, PodStatus

# What was put off is tried again when room is made, and after so long at the latest.
_RETRY_PENDING = timedelta(minutes=3)
_RETRY_FAILED = timedelta(seconds=10)


def consider(ctx: Context, state: PodState) -> None:
    """See whether the spec asks for other resources than are granted, and grant them if the node has them."""
    pod, allocation = state.pod, state.allocation
    if pod is None or allocation is None:
        return
    wanted = resize.wanted(pod)
    if not resize.differs(wanted, allocation):
        state.resize_pending = None
        return
    generation = int(pod["metadata"].get("generation") or 0)
    others = [other for other in ctx.pods() if pods.uid(other) != pods.uid(pod)]
    refused = resize.verdict(pod, others, ctx.machine)
    if refused is None:
        state.allocation, state.resize_pending = wanted, None
        state.resize_progress = Progress(generation)
        why = "the node has what the spec asks for now"
        text = resize.summary("Pod resize started", pod, generation)
        ctx.recorder.event(pod, reasons.NORMAL, reasons.RESIZE_STARTED, text, why=why)
        ctx.room_made()
        return
    _put_off(ctx, state, refused)


def apply(ctx: Context, state: PodState, observed: PodStatus, items: tuple[ToResize, ...]) -> None:
    """Give running containers their new resources. A failure is told and tried again."""
    pod = state.granted
    assert pod is not None
    error = ""
    for item in items:
        status = newest(observed, item.name)
        spec = pods.find_spec(pod, item.name)
        if status is None or status.id != item.id or spec is None:
            continue
        now = resize.actual(status, state.actual, pod, spec)
        stats = ctx.runtime.stats(item.id)
        error = resize.shrinks_below_usage(item.name, now, item.wanted, stats.memory_bytes if stats is not None else 0)
        if not error:
            try:
                ctx.runtime.update_container(item.id, resize.engine_values(item.wanted))
            except RuntimeFailure as failure:
                error = str(failure)
        if error:
            break
        state.actual[item.id] = item.wanted
    if items:
        _note_error(ctx, state, error)


def conclude(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """Every running container has what it was granted: the resize is over."""
    pod, progress = state.granted, state.resize_progress
    if pod is None or progress is None:
        return
    for spec in (*pods.sidecar_specs(pod), *pods.app_specs(pod)):
        status = newest(observed, spec.name)
        if status is None or status.state is not ContainerState.RUNNING or status.id in state.kills:
            if status is not None and status.id in state.replacing:
                return  # stopped in order to get them with its next run
            continue
        if resize.change(spec, resize.actual(status, state.actual, pod, spec)) is not None:
            return
    state.resize_progress = None
    text = resize.summary("Pod resize completed", pod, progress.generation)
    ctx.recorder.event(pod, reasons.NORMAL, reasons.RESIZE_COMPLETED, text, why="every container has its resources")


def _put_off(ctx: Context, state: PodState, refused: Pending) -> None:
    assert state.pod is not None
    if refused.reason == resize.DEFERRED:
        state.wake_at(ctx.clock.now() + _RETRY_PENDING)
    if state.resize_pending == refused:
        return
    state.resize_pending = refused
    deferred = refused.reason == resize.DEFERRED
    reason = reasons.RESIZE_DEFERRED if deferred else reasons.RESIZE_INFEASIBLE
    text = resize.summary(f"Pod resize {refused.reason}", state.pod, refused.generation, refused.message)
    why = "it is looked at again when another pod ends" if deferred else "no pod that ends can make this possible"
    ctx.recorder.event(state.pod, reasons.WARNING, reason, text, why=why)


def _note_error(ctx: Context, state: PodState, error: str) -> None:
    pod, progress = state.granted, state.resize_progress
    assert pod is not None
    if error:
        state.wake_at(ctx.clock.now() + _RETRY_FAILED)
    if progress is None or progress.error == error:
        return
    state.resize_progress = Progress(progress.generation, error)
    if error:
        text = resize.summary("Pod resize error", pod, progress.generation, error)
        ctx.recorder.event(pod, reasons.WARNING, reasons.RESIZE_ERROR, text, why="it is tried again")
