"""One sync of one pod: observe, decide, act, tell. `agent` sees to it that a pod is synced by one caller at a time.

Level-based and re-entrant: everything is read anew, and whatever takes cluster time is left to a timer or a callback that
asks for the next sync. The order of a sync is that of SyncPod in pkg/kubelet/kubelet.go: status first, then volumes,
then what `actions` says. Sandboxes are made by `pod_sandbox`, postStart hooks looked after by `post_start`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import zip_longest

from podlab.apis import reasons, times
from podlab.apis.types import Manifest
from podlab.kubelet import (
    actions,
    admission,
    ahead,
    kill,
    killing,
    making_room,
    mirror,
    pod_sandbox,
    pod_volumes,
    pods,
    post_start,
    pull_secrets,
    remember,
    resizing,
    runtime_class,
    status_why,
    status_writer,
    terminate,
)
from podlab.kubelet import status as statuses
from podlab.kubelet.context import Context, PodState, Stage
from podlab.kubelet.plan import PodActions, ToKill, newest, with_running
from podlab.kubelet.start import start
from podlab.kubelet.start_outcome import Started
from podlab.kubelet.status import Forced
from podlab.runtime.images import HANDLER
from podlab.runtime.interface import ContainerState, PodStatus
from podlab.storage.errors import StorageError

_DEADLINE_TEXT = "Pod was active on the node longer than the specified deadline"


def sync(ctx: Context, state: PodState) -> None:
    """Bring the pod one step further. `state.wake` says afterwards when to come again at the latest."""
    handler = HANDLER.set(runtime_class.handler(ctx, state))
    state.images_seen.clear()
    try:
        _sync(ctx, state)
    finally:
        HANDLER.reset(handler)
        ahead.drop(ctx, state)
        status_writer.settled(state)


def _sync(ctx: Context, state: PodState) -> None:
    if state.static and state.stage is Stage.SYNC and not state.removed and ctx.waits(state.ref.uid):
        return
    observed = ctx.observe(state.ref)
    _remember(ctx, state, observed)
    if state.static:
        mirror.reconcile(ctx, state)
    if state.stage is Stage.SYNC:
        _look_for_the_end(ctx, state, observed)
    if state.stage is Stage.SYNC:
        if state.admitted:
            _living(ctx, state, observed)
    elif state.stage is Stage.TERMINATING:
        terminate.terminating(ctx, state, observed)
    else:
        terminate.terminated(ctx, state, observed)


def _remember(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """A static pod does not wait for a store that is away; history hears of its runs later."""
    try:
        remember.adopt(ctx, state, observed)
        remember.tell(ctx, state, observed)
    except StorageError:
        if not state.static:
            raise


def _look_for_the_end(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """Whether the pod must stop for a reason that lies outside its containers."""
    pod = state.pod
    if pod is None:
        _end(state, "no pod with this uid is known to the lab: these containers are orphans")
    elif state.removed:
        _end(state, "the file of this static pod was removed or changed")
    elif state.gone:
        _end(state, "the pod object was removed without waiting for the node")
    elif pods.deletion_time(pod) is not None:
        grace = pod["metadata"].get("deletionGracePeriodSeconds")
        _end(state, f"the pod is being deleted with a grace period of {grace} s")
    elif state.forced is not None:
        _end(state, f"the node evicts the pod: {state.forced.message}")
    elif pods.is_terminal(pod):
        _end(state, f"the pod is {pods.phase(pod)} already")
    elif not _let_in(ctx, state, observed):
        return
    else:
        _look_at_deadline(ctx, state)


def _let_in(ctx: Context, state: PodState, observed: PodStatus) -> bool:
    assert state.pod is not None
    if state.admitted:
        return True
    earlier = observed.sandboxes or observed.containers or (state.pod.get("status") or {}).get("containerStatuses")
    refused = None if earlier else admission.refusal(ctx, state.pod)
    if refused is not None and refused.missing:
        refused = making_room.make(ctx, state, refused)
        if refused is None:
            return False
    if refused is not None:
        _reject(ctx, state, refused)
        return False
    state.admitted, state.makes_room = True, set()
    return True


def _look_at_deadline(ctx: Context, state: PodState) -> None:
    assert state.pod is not None
    limit = state.pod["spec"].get("activeDeadlineSeconds")
    began = (state.pod.get("status") or {}).get("startTime")
    if limit is None or not began:
        return
    end = times.parse(began) + timedelta(seconds=int(limit))
    if ctx.clock.now() < end:
        state.wake_at(end)
        return
    why = f"activeDeadlineSeconds is {limit}, counted from startTime {began}"
    ctx.recorder.event(state.pod, reasons.NORMAL, reasons.DEADLINE_EXCEEDED, _DEADLINE_TEXT, why=why)
    state.forced = Forced(reasons.DEADLINE_EXCEEDED, _DEADLINE_TEXT)
    _end(state, why)


def _reject(ctx: Context, state: PodState, refused: admission.Refusal) -> None:
    """kubelet.go rejectPod: the pod fails without having run."""
    assert state.pod is not None
    reason, text = refused.reason, refused.message
    ctx.recorder.event(state.pod, reasons.WARNING, reason, text, why=refused.why)
    status: Manifest = {"phase": "Failed", "reason": reason, "message": f"Pod was rejected: {text}"}
    if (generation := state.pod["metadata"].get("generation")) is not None:
        status["observedGeneration"] = generation
    status_writer.write(ctx, state, status, text)
    state.stage, state.end_why = Stage.TERMINATED, text


def _end(state: PodState, why: str) -> None:
    state.stage, state.end_why = Stage.TERMINATING, why


def _living(ctx: Context, state: PodState, observed: PodStatus) -> None:
    assert state.pod is not None
    killing.step(ctx, state, observed)
    post_start.look(ctx, state, observed)
    if post_start.will_answer(ctx, state, observed):
        return
    _forget_problems(state, observed)
    ctx.probes.update(state.pod, observed, hooked=post_start.hooked(state))
    resizing.consider(ctx, state)
    plan = actions.compute_pod_actions(
        state.granted or state.pod,
        observed,
        ctx.probes.verdicts(state.ref.uid),
        replacing=state.replacing,
        actual=state.actual,
        restarting=state.restarting,
    )
    if plan.to_remove or state.restarting:
        _restart_all(ctx, state, observed, plan)
        return
    # First what has happened, in the words of the reference: an end is seen before the restart that answers it.
    _write_aside(ctx, state, with_running(observed, _being_replaced(state, observed, plan)), plan.why)
    if plan.kill_pod and not plan.create_sandbox:
        _end(state, plan.why)
        terminate.terminating(ctx, state, observed)
        return
    pod_volumes.renew(ctx, state)
    for one in plan.to_kill:
        _kill(ctx, state, observed, one)
    killing.step(ctx, state, observed)
    resizing.apply(ctx, state, observed, plan.to_resize)
    if plan.create_sandbox or plan.to_start:
        _start_things(ctx, state, observed, plan)
    if state.resize_progress is not None:
        after = ctx.observe(state.ref)
        resizing.conclude(ctx, state, after)
        _write(ctx, state, after, "; ".join(one.why for one in plan.to_resize) or plan.why)
    remember.tidy(ctx, state, observed)


def _restart_all(ctx: Context, state: PodState, observed: PodStatus, plan: PodActions) -> None:
    """Stop and remove every container; the sync that follows finds none and starts the pod from its beginning."""
    assert state.pod is not None
    state.restarting = state.restarting or plan.why
    _write(ctx, state, observed, plan.why)
    for one in plan.to_kill:
        status = next(c for c in observed.containers if c.id == one.id)
        killing.begin(ctx, state, status, grace=0, why=one.why)
    killing.step(ctx, state, observed)
    observed = ctx.observe(state.ref)
    if killing.alive(observed):
        return
    _remember(ctx, state, observed)
    if not terminate.drained(ctx, state, observed):
        return
    for container_id in plan.to_remove:
        ctx.pump.drop(container_id)
        ctx.runtime.remove_container(container_id)
        state.actual.pop(container_id, None)
    state.problems.clear()
    state.hooks.clear()
    state.drained_by = None
    _write(ctx, state, ctx.observe(state.ref), plan.why)
    state.restarting = ""
    ctx.dispatch(state.ref.uid)


def _start_things(ctx: Context, state: PodState, observed: PodStatus, plan: PodActions) -> None:
    assert state.pod is not None
    if not pod_volumes.ready(ctx, state):
        return
    sandbox = (
        pod_sandbox.current(observed, plan) if not plan.create_sandbox else pod_sandbox.make(ctx, state, observed, plan)
    )
    if sandbox is None:
        return
    if plan.create_sandbox:  # seen before anything runs in it, as by the kubelet
        _write_aside(ctx, state, replace(observed, sandboxes=(sandbox, *observed.sandboxes)), plan.why)
    whys: list[str] = []
    started: set[str] = set()
    if plan.to_start:
        pull_secrets.tell_missing(ctx, state.pod)
    turns = () if post_start.hooked(state) else plan.to_start
    for item, following in zip_longest(turns, turns[1:]):
        outcome = start(ctx, state, observed, item, sandbox_id=sandbox.id, ip=sandbox.ip, following=following)
        if outcome is Started.YES:
            whys.append(f"{item.name} started: {item.why}")
            started.add(state.last_started)
        if outcome is Started.BLOCKED:
            break
    after = ctx.observe(state.ref)
    ctx.probes.update(state.pod, after, hooked=post_start.hooked(state))
    shown = with_running(after, started | _being_replaced(state, after, plan))
    _write(ctx, state, shown, "; ".join(whys) or _problem_text(state) or plan.why)
    _remember(ctx, state, after)
    if shown != after:
        ctx.dispatch(state.ref.uid)


def _being_replaced(state: PodState, observed: PodStatus, plan: PodActions) -> set[str]:
    """Ids of runs that were ended in order to be started again. SyncPod kills and starts in one go (killContainersWithSyncResult,
    then startContainer), so nobody sees an end between the two, unless the start fails."""
    ends = ((item.name, newest(observed, item.name)) for item in plan.to_start)
    return {one.id for name, one in ends if one and one.id in state.replacing and name not in state.problems}


def _write(ctx: Context, state: PodState, observed: PodStatus, why: str) -> None:
    status = statuses.generate(status_writer.inputs(ctx, state, observed))
    status_writer.write(ctx, state, status, why or _change_text(ctx, state, status))


def _write_aside(ctx: Context, state: PodState, observed: PodStatus, why: str) -> None:
    status = statuses.generate(status_writer.inputs(ctx, state, observed))
    status_writer.write_aside(ctx, state, status, why or _change_text(ctx, state, status))


def _change_text(ctx: Context, state: PodState, status: Manifest) -> str:
    before = (state.pod or {}).get("status") or {}
    return status_why.changes(before, status, ctx.probes.verdicts(state.ref.uid)) or _problem_text(state)


def _problem_text(state: PodState) -> str:
    """`app: CrashLoopBackOff: run 3 ended …`"""
    return "; ".join(
        ": ".join(part for part in (name, problem.reason, problem.why) if part)
        for name, problem in state.problems.items()
    )


def _kill(ctx: Context, state: PodState, observed: PodStatus, one: ToKill) -> None:
    assert state.pod is not None
    status = next(c for c in observed.containers if c.id == one.id)
    spec = pods.find_spec(state.pod, one.name)
    probe = (spec.manifest.get(f"{one.cause}Probe") or {}) if spec is not None else {}
    level = probe.get("terminationGracePeriodSeconds")
    sandbox = next((s for s in observed.sandboxes if s.ready), None)
    killing.begin(
        ctx,
        state,
        status,
        grace=kill.grace_seconds(state.pod, label=status.grace_seconds, probe_level=level),
        why=one.why,
        message=one.message,
        restart=one.restart,
        ip=sandbox.ip if sandbox is not None else "",
    )


def _forget_problems(state: PodState, observed: PodStatus) -> None:
    """A container that runs has no problem, unless it is being stopped for one."""
    for name in list(state.problems):
        status = newest(observed, name)
        if status is not None and status.state is ContainerState.RUNNING and status.id not in state.kills:
            del state.problems[name]
