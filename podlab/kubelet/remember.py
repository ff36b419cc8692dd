"""Tells history and the log pump what the runtime shows, and learns from history after the agent was replaced.
`pod_workers` calls it whenever a pod was observed."""

from __future__ import annotations

from podlab.kubelet import backoff, pods, resize, restart_all
from podlab.kubelet.backoff import Run
from podlab.kubelet.context import Context, PodState
from podlab.runtime.interface import ContainerState, ContainerStatus, PodStatus

_ADOPTED = "found by an agent that took the node over"


def adopt(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """Read once what earlier agents did with this pod: which runs are known, which back-offs go on."""
    if state.adopted:
        return
    state.adopted = True
    if state.pod is not None:
        state.allocation = resize.remembered(state.pod)
        state.resize_pending, state.resize_progress = resize.pending_in(state.pod), resize.progress_in(state.pod)
        if restart_all.under_way(state.pod):
            state.restarting = "all containers are being restarted: an earlier agent began it"
    if not observed.containers:
        return
    known = ctx.runs.of(state.ref.uid)
    state.told = {(run.container, run.attempt): run.finished_at is not None for run in known}
    for spec in pods.all_specs(state.granted) if state.granted is not None else ():
        image = str(spec.manifest.get("image") or "")
        runs = [Run(r.image, r.started_at, r.finished_at) for r in known if r.container == spec.name]
        entry = backoff.replay(runs, image)
        if entry is not None:
            state.backoffs[pods.back_off_key(spec)] = entry


def tell(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """Starts and ends that history has not heard of, oldest first; followers for containers that have none."""
    for status in reversed(observed.containers):
        if status.state in (ContainerState.CREATED, ContainerState.UNKNOWN):
            continue
        ctx.pump.ensure(status)
        key = (status.name, status.attempt)
        if key not in state.told:
            image = _spec_image(state, status)
            why = state.start_whys.pop(status.id, _ADOPTED)
            ctx.runs.started(state.ref, status, image=image, why=why)
            state.told[key] = False
        if status.state is ContainerState.EXITED and not state.told[key]:
            ctx.runs.finished(state.ref, status, why=state.stop_whys.pop(status.id, _own_end(status)))
            state.told[key] = True


def tidy(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """Remove dead containers beyond the newest dead one of each name besides the present one (kuberuntime_gc.go), and
    stopped sandboxes that nothing refers to."""
    seen: dict[str, int] = {}
    used = {sandbox.id for sandbox in observed.sandboxes[:1]}
    for status in observed.containers:
        seen[status.name] = seen.get(status.name, 0) + 1
        if seen[status.name] <= 2 or status.state is ContainerState.RUNNING:
            used.add(status.sandbox_id)
        elif ctx.pump.drained(status.id):
            ctx.pump.drop(status.id)
            ctx.runtime.remove_container(status.id)
            state.forget_run(status)
    for sandbox in observed.sandboxes[1:]:
        if not sandbox.ready and sandbox.id not in used:
            ctx.runtime.remove_sandbox(sandbox.id)


def _spec_image(state: PodState, status: ContainerStatus) -> str:
    spec = pods.find_spec(state.pod, status.name) if state.pod is not None else None
    return str(spec.manifest.get("image") or "") if spec is not None else status.image


def _own_end(status: ContainerStatus) -> str:
    if status.reason == "OOMKilled":
        return "the kernel killed it: it used more memory than its limit"
    if status.reason in ("ContainerCannotRun", "StartError"):
        return "its process could not be started"
    return f"its process ended by itself with exit code {status.exit_code}"
