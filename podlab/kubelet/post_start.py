"""What becomes of a container whose postStart hook runs, or has failed. `start` runs the hooks, `hooks` says how.

`pod_workers` calls it in every sync of a living pod. It reads `PodState.hooks`, begins the kill of a container whose hook
failed, and tells of it.
"""

from __future__ import annotations

from datetime import timedelta

from podlab.apis import reasons
from podlab.kubelet import kill, killing, pods
from podlab.kubelet.container_status import StartProblem
from podlab.kubelet.context import Context, PodState
from podlab.runtime.interface import ContainerState, PodStatus

_HOOK_FAILS = timedelta(seconds=2)  # after the end of its container at the latest


def hooked(state: PodState) -> frozenset[str]:
    """The ids of the containers whose hook runs."""
    return frozenset(container_id for container_id, hook in state.hooks.items() if hook == "running")


def will_answer(ctx: Context, state: PodState, observed: PodStatus) -> bool:
    """A container has ended under its postStart hook, which is about to fail for that: first the hook is told, then the end.
    The reference waits for the hook within its sync."""
    running, now = hooked(state), ctx.clock.now()
    for status in observed.containers:
        if status.id in running and status.finished_at is not None and now < status.finished_at + _HOOK_FAILS:
            state.wake_at(status.finished_at + _HOOK_FAILS)
            return True
    return False


def look(ctx: Context, state: PodState, observed: PodStatus) -> None:
    """A postStart hook that failed costs the container its life (kuberuntime_container.go startContainer)."""
    assert state.pod is not None
    for container_id, hook in list(state.hooks.items()):
        if hook == "running":
            continue
        del state.hooks[container_id]
        status = next((c for c in observed.containers if c.id == container_id), None)
        if not hook or status is None:
            continue
        spec = pods.find_spec(state.pod, status.name)
        path = spec.field_path if spec is not None else ""
        ctx.recorder.event(
            state.pod,
            reasons.WARNING,
            reasons.FAILED_POST_START_HOOK,
            "PostStartHook failed",
            field_path=path,
            why=hook,
        )
        state.problems[status.name] = StartProblem(reasons.POST_START_HOOK_ERROR, hook.removeprefix("failed: "))
        if status.state is ContainerState.RUNNING:
            grace = kill.grace_seconds(state.pod, label=status.grace_seconds)
            killing.begin(ctx, state, status, grace=grace, why=f"postStart hook {hook}", message="FailedPostStartHook")
        else:  # it is told also of a container that was not there any more
            text, why = "FailedPostStartHook", f"postStart hook {hook}; the container had ended already"
            ctx.recorder.event(state.pod, reasons.NORMAL, reasons.KILLING, text, field_path=path, why=why)
