"""Carries kills out: begins them with their event and preStop hook, and takes the step that is due.

`pod_workers` (single containers) and `terminate` (whole pods) begin kills; every sync of the pod calls `step`. See `kill`
for the rules.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from podlab.apis import reasons, times
from podlab.kubelet import hooks, pods
from podlab.kubelet import kill as rules
from podlab.kubelet.context import Context, PodState
from podlab.kubelet.kill import Kill, Stage, Step
from podlab.runtime.interface import ContainerState, ContainerStatus, PodStatus

# KILL cannot be refused; should the engine have lost it, it is sent again.
_KILL_AGAIN = timedelta(seconds=5)
_ALIVE = (ContainerState.RUNNING, ContainerState.UNKNOWN)


def alive(observed: PodStatus) -> list[ContainerStatus]:
    return [c for c in observed.containers if c.state in _ALIVE]


def begin(
    ctx: Context,
    state: PodState,
    status: ContainerStatus,
    *,
    grace: int,
    why: str,
    message: str = "",
    restart: bool = False,
    ip: str = "",
    in_order: bool = False,
) -> None:
    """Start to stop one container; once begun, a kill is not begun again. `in_order`: the whole pod ends."""
    if status.id in state.kills:
        return
    now = ctx.clock.now()
    one = Kill(status.id, status.name, why, rules.deadline(state.pod, now, grace), restart=restart)
    if in_order and state.pod is not None:
        one.after = rules.goes_after(state.pod, status.name)
    state.kills[status.id] = one
    state.stop_whys[status.id] = why
    if restart:
        state.replacing.add(status.id)
    spec = pods.find_spec(state.pod, status.name) if state.pod is not None else None
    if state.pod is not None:
        path = spec.field_path if spec is not None else ""
        text = message or f"Stopping container {status.name}"
        ctx.recorder.event(state.pod, reasons.NORMAL, reasons.KILLING, text, field_path=path, why=why)
    handler = ((spec.manifest.get("lifecycle") or {}) if spec is not None else {}).get("preStop")
    if not handler or spec is None or grace <= 0 or status.state is not ContainerState.RUNNING:
        one.hook_done = True
        return

    def done(error: str) -> None:
        one.hook_done = True
        if error and state.pod is not None:
            text, path = "PreStopHook failed", spec.field_path
            ctx.recorder.event(
                state.pod, reasons.WARNING, reasons.FAILED_PRE_STOP_HOOK, text, field_path=path, why=error
            )
        ctx.dispatch(state.ref.uid)

    assert state.pod is not None
    hook = hooks.Hook(
        handler=handler,
        pod=state.pod,
        container=spec.manifest,
        container_id=status.id,
        pod_ip=ip,
        done=done,
        fell_back=partial(tell_fallback, ctx, state),
        timeout=times.span(grace).total_seconds(),
    )
    hooks.run(hook, runtime=ctx.runtime, clock=ctx.clock)


def tell_fallback(ctx: Context, state: PodState, host: str) -> None:
    """An HTTPS hook was answered by HTTP (handlers.go runHTTPHandler)."""
    if state.pod is None:
        return
    text = f"request to HTTPS lifecycle hook {host} got HTTP response, retry with HTTP succeeded"
    why = "the hook's scheme is HTTPS, and the server in the container speaks only HTTP"
    ctx.recorder.event(state.pod, reasons.WARNING, reasons.LIFECYCLE_HTTP_FALLBACK, text, why=why)


def step(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """Do what is due for every kill, and forget those whose container has ended."""
    living = {status.id for status in alive(observed)}
    names = {status.name for status in alive(observed)}
    now = ctx.clock.now()
    for container_id, one in list(state.kills.items()):
        if container_id not in living:
            del state.kills[container_id]
            continue
        due = rules.next_step(one, now, names)
        if due is Step.TERM:
            ctx.runtime.signal_container(container_id, "TERM")
            rules.after_term(one, now)
        elif due is Step.KILL:
            ctx.runtime.signal_container(container_id, "KILL")
            one.kill_at = now + _KILL_AGAIN
            one.stage = Stage.KILL
        look = rules.next_look(one)
        if look is not None:
            state.wake_at(look)
