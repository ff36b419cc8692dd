"""What must be done to a pod now: `compute_pod_actions`, a pure function of the pod, what the runtime shows and what
the probes say. `pod_workers` calls it in every sync and carries the answer out.

Rules: pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions and computeInitContainerActions,
util/util.go PodSandboxChanged. Back-off is not decided here but when a container is about to start.
Each part carries `why`: the same words reach the change log, the run history and the timeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from podlab.apis.types import Manifest
from podlab.kubelet import init_actions, pods, restart_all, status_why
from podlab.kubelet.plan import PodActions, ToKill, ToStart, Verdicts, failed_probe, kill_unknown, newest
from podlab.kubelet.pods import Spec
from podlab.kubelet.resize import look_at_resources
from podlab.runtime.interface import ContainerState, ContainerStatus, PodStatus, SandboxStatus


@dataclass(frozen=True, slots=True)
class _Sandbox:
    new: bool
    id: str
    attempt: int
    why: str


def compute_pod_actions(
    pod: Manifest,
    observed: PodStatus,
    probes: Verdicts,
    *,
    replacing: Set[str] = frozenset(),
    actual: Mapping[str, Manifest] | None = None,
    restarting: str = "",
) -> PodActions:
    """`replacing` holds the ids of containers that were killed in order to be started again, whatever their exit;
    `actual` the resources of running ones, by id. The pod's own are those that it is allocated.
    `restarting`: why all containers are being restarted, once that has begun."""
    sandbox = _sandbox_decision(pod, observed)
    why = restarting or restart_all.reason_for(pod, observed)
    if why and not sandbox.new and pods.deletion_time(pod) is None:
        return restart_all.actions(pod, observed, PodActions(sandbox_id=sandbox.id, attempt=sandbox.attempt), why)
    if sandbox.new:
        return _fresh_start(pod, observed, sandbox)
    return _carry_on(pod, observed, probes, sandbox, replacing, actual or {})


def should_restart(pod: Manifest, spec: Spec, status: ContainerStatus | None) -> bool:
    """pkg/kubelet/container/helpers.go ShouldContainerBeRestarted."""
    if pods.deletion_time(pod) is not None:
        return False
    if status is None or status.state in (ContainerState.CREATED, ContainerState.UNKNOWN):
        return True
    if status.state is ContainerState.RUNNING:
        return False
    return pods.may_restart(pod, spec, status.exit_code)


def next_attempt(pod: Manifest, observed: PodStatus, spec: Spec) -> int:
    """restartCount of the next run: one more than any run that the runtime or the API still knows."""
    known = [c.attempt for c in observed.containers if c.name == spec.name]
    old = pods.old_status(pod, spec)
    if old is not None:
        # Without a container the count is that of the next run already.
        known.append(int(old["restartCount"]) - (0 if old.get("containerID") else 1))
    return max(known, default=-1) + 1


def _sandbox_decision(pod: Manifest, observed: PodStatus) -> _Sandbox:
    if not observed.sandboxes:
        return _Sandbox(True, "", 0, "the pod has no sandbox yet")
    last = observed.sandboxes[0]
    why = _sandbox_fault(pod, observed.sandboxes)
    return _Sandbox(bool(why), last.id, last.attempt + 1 if why else last.attempt, why)


def _sandbox_fault(pod: Manifest, sandboxes: tuple[SandboxStatus, ...]) -> str:
    last = sandboxes[0]
    if sum(sandbox.ready for sandbox in sandboxes) > 1:
        return "more than one sandbox is ready: start over with a single one"
    if not last.ready:
        return f"sandbox {last.attempt} is no longer ready"
    if not pods.host_network(pod) and not last.ip:
        return f"sandbox {last.attempt} has no address"
    return ""


def _fresh_start(pod: Manifest, observed: PodStatus, sandbox: _Sandbox) -> PodActions:
    """A new sandbox starts everything again from the first init container, unless the pod is over."""
    base = PodActions(kill_pod=bool(observed.sandboxes), sandbox_id=sandbox.id, attempt=sandbox.attempt)
    if not _may_start_over(pod) and sandbox.attempt and observed.containers:
        return replace(base, why=f"{sandbox.why}, and restartPolicy Never forbids to start over")
    specs = [spec for spec in pods.app_specs(pod) if not _succeeded_for_good(pod, newest(observed, spec.name))]
    if not specs and _initialized(pod, observed):
        return replace(
            base, why=f"{sandbox.why}, and every container has completed (restartPolicy {pods.restart_policy(pod)})"
        )
    first = pods.init_specs(pod)[:1] or specs
    return replace(
        base,
        create_sandbox=True,
        to_start=tuple(_start(pod, observed, spec, f"{sandbox.why}: start from the beginning") for spec in first),
        why=sandbox.why,
    )


def _carry_on(
    pod: Manifest,
    observed: PodStatus,
    probes: Verdicts,
    sandbox: _Sandbox,
    replacing: Set[str],
    actual: Mapping[str, Manifest],
) -> PodActions:
    base = PodActions(sandbox_id=sandbox.id, attempt=sandbox.attempt)
    debuggers = [
        _start(pod, observed, spec, "an ephemeral container was added to the pod")
        for spec in pods.ephemeral_specs(pod)
        if newest(observed, spec.name) is None or _unused(observed, spec)
    ]
    init = init_actions.decide(pod, _in_sandbox(observed, sandbox.id), probes, actual)
    if init.failed:
        return replace(base, kill_pod=True, why=init.failed)
    kills = list(init.to_kill)
    inits = [_start(pod, observed, spec, why) for spec, why in init.to_start]
    if not init.initialized:
        return replace(base, to_kill=tuple(kills), to_start=(*debuggers, *inits), to_resize=tuple(init.to_resize))
    starts: list[ToStart] = []
    resizes = list(init.to_resize)
    kept = 0
    for spec in pods.app_specs(pod):
        status = newest(observed, spec.name)
        if status is None or status.state is not ContainerState.RUNNING:
            kills += kill_unknown(status)
            if _wants_start(pod, spec, status, replacing):
                starts.append(_start(pod, observed, spec, start_reason(pod, spec, status, replacing)))
            continue
        kill = _kill_running(pod, spec, status, probes)
        if kill is None:
            kill = look_at_resources(pod, spec, status, actual, resizes)
        if kill is None:
            kept += 1
            continue
        kills.append(kill)
        if kill.restart:
            starts.append(_start(pod, observed, spec, kill.why))
    if not kept and not starts:
        return replace(base, kill_pod=True, why=_all_over(pod, observed, kills))
    return replace(base, to_kill=tuple(kills), to_start=(*debuggers, *inits, *starts), to_resize=tuple(resizes))


def _may_start_over(pod: Manifest) -> bool:
    """Never forbids to make a lost sandbox anew, unless a container of its own will says otherwise."""
    return pods.restarts_on_failure(pod) or any(pods.restarts_on_failure(pod, spec) for spec in pods.app_specs(pod))


def _unused(observed: PodStatus, spec: Spec) -> bool:
    status = newest(observed, spec.name)
    return status is not None and status.state is ContainerState.CREATED


def _initialized(pod: Manifest, observed: PodStatus) -> bool:
    """Some container of the pod proper was made: the init containers were done with."""
    return any(newest(observed, spec.name) for spec in pods.app_specs(pod)) or not pods.init_specs(pod)


def _in_sandbox(observed: PodStatus, sandbox_id: str) -> PodStatus:
    mine = tuple(c for c in observed.containers if c.sandbox_id == sandbox_id)
    return PodStatus(pod=observed.pod, sandboxes=observed.sandboxes, containers=mine)


def _kill_running(pod: Manifest, spec: Spec, status: ContainerStatus, probes: Verdicts) -> ToKill | None:
    restart = pods.restarts_on_failure(pod, spec)
    if status.hash and status.hash != pods.container_hash(spec.manifest):
        message, cause, restart = f"Container {spec.name} definition changed", "changed", True
        why = f"the image of container {spec.name} is now {spec.manifest.get('image')}"
    else:
        failed = next((kind for kind in ("liveness", "startup") if failed_probe(probes, status.id, kind)), None)
        if failed is None:
            return None
        message, cause = f"Container {spec.name} failed {failed} probe", failed
        why = probes[(status.id, failed)].why
    return ToKill(
        id=status.id,
        name=spec.name,
        cause=cause,
        message=f"{message}, will be restarted" if restart else message,
        why=why,
        restart=restart,
    )


def _succeeded_for_good(pod: Manifest, status: ContainerStatus | None) -> bool:
    done = status is not None and status.state is ContainerState.EXITED and status.exit_code == 0
    return done and pods.restart_policy(pod) == "OnFailure"


def _wants_start(pod: Manifest, spec: Spec, status: ContainerStatus | None, replacing: Set[str]) -> bool:
    if status is not None and status.id in replacing and pods.deletion_time(pod) is None:
        return True
    return should_restart(pod, spec, status)


def _start(pod: Manifest, observed: PodStatus, spec: Spec, why: str) -> ToStart:
    status = newest(observed, spec.name)
    # A created container that never ran is started as it is: its number is still unused.
    unused = status is not None and status.state is ContainerState.CREATED
    attempt = status.attempt if unused and status is not None else next_attempt(pod, observed, spec)
    return ToStart(name=spec.name, attempt=attempt, why=why, init=spec.init)


def start_reason(pod: Manifest, spec: Spec, status: ContainerStatus | None, replacing: Set[str]) -> str:
    if status is None:
        return "the container has not run in this pod yet"
    if status.id in replacing:
        return "the container was stopped in order to be started again"
    if status.state is not ContainerState.EXITED:
        return f"the container is {status.state.value}, not running"
    how = status_why.end_text(status.exit_code, status.reason)
    return f"it ended with {how} and {pods.restart_rule_text(pod, spec, status.exit_code)}"


def _all_over(pod: Manifest, observed: PodStatus, kills: list[ToKill]) -> str:
    """Why nothing of the pod goes on."""
    ends = [
        f"{spec.name} ended with {status_why.end_text(status.exit_code, status.reason)}"
        for spec in pods.app_specs(pod)
        if (status := newest(observed, spec.name)) is not None and status.state is ContainerState.EXITED
    ]
    rule = f"none may start again, as restartPolicy is {pods.restart_policy(pod)}"
    return "; ".join([*(kill.why for kill in kills), *ends, rule])
