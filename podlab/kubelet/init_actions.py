"""What the init containers of a pod ask for, restartable ones (sidecars) included. Pure; `actions` calls `decide`.

pkg/kubelet/kuberuntime/kuberuntime_manager.go computeInitContainerActions: looked at from the last one backwards, for the
last that ever ran tells where the pod stands. A plain one hands over when it has succeeded, a sidecar when it has started
(its startup probe has said yes). Later on plain ones are left alone and sidecars kept running.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from podlab.apis.types import Manifest
from podlab.kubelet import pods, status_why
from podlab.kubelet.plan import ToKill, ToResize, Verdicts, failed_probe, kill_unknown, newest
from podlab.kubelet.pods import Spec
from podlab.kubelet.resize import look_at_resources
from podlab.runtime.interface import ContainerState, ContainerStatus, PodStatus


@dataclass(slots=True)
class InitActions:
    """`failed`: why the pod is over because of an init container. `initialized`: the app containers may start."""

    initialized: bool
    failed: str = ""
    to_kill: list[ToKill] = field(default_factory=list)
    to_start: list[tuple[Spec, str]] = field(default_factory=list)
    to_resize: list[ToResize] = field(default_factory=list)


def decide(
    pod: Manifest, current: PodStatus, probes: Verdicts, actual: Mapping[str, Manifest] | None = None
) -> InitActions:
    """`current`: the containers of the present sandbox only; `actual`: resources of running ones, by id."""
    specs = pods.init_specs(pod)
    apps = any(newest(current, spec.name) for spec in pods.app_specs(pod))
    found = InitActions(initialized=apps or not specs)
    if pods.deletion_time(pod) is not None:
        return found
    later_ran = apps
    for index in range(len(specs) - 1, -1, -1):
        spec, status = specs[index], newest(current, specs[index].name)
        if status is None:
            if later_ran and spec.sidecar:
                found.to_start.append((spec, "the sidecar is missing"))
            continue
        if not (later_ran and not spec.sidecar):
            following = specs[index + 1] if index + 1 < len(specs) else None
            _look_at(pod, spec, status, probes, found, following=None if later_ran else following)
            _look_at_resize(pod, spec, status, actual or {}, found)
            if following is None and _done(spec, status, probes):
                found.initialized = True
        if found.failed:
            return found
        later_ran = True
    if specs and not later_ran:
        found.to_start.append((specs[0], "the first init container"))
    found.to_start.reverse()
    return found


def _look_at(
    pod: Manifest, spec: Spec, status: ContainerStatus, probes: Verdicts, found: InitActions, *, following: Spec | None
) -> None:
    if _done(spec, status, probes) and following is not None:
        what = "has started" if spec.sidecar else "is done"
        found.to_start.append((following, f"init container {spec.name} {what}"))
    if status.state is ContainerState.RUNNING:
        if spec.sidecar and (kill := _kill_sidecar(spec, status, probes)) is not None:
            found.to_kill.append(kill)
            found.to_start.append((spec, kill.why))
    elif status.state is ContainerState.EXITED:
        _look_at_end(pod, spec, status, found)
    else:
        found.to_kill += kill_unknown(status)
        found.to_start.append((spec, f"the container is {status.state.value}, not running"))


def _look_at_resize(
    pod: Manifest, spec: Spec, status: ContainerStatus, actual: Mapping[str, Manifest], found: InitActions
) -> None:
    running = status.state is ContainerState.RUNNING
    if not running or any(kill.id == status.id for kill in found.to_kill):
        return
    kill = look_at_resources(pod, spec, status, actual, found.to_resize)
    if kill is not None:
        found.to_kill.append(kill)
        found.to_start.append((spec, kill.why))


def _look_at_end(pod: Manifest, spec: Spec, status: ContainerStatus, found: InitActions) -> None:
    if spec.sidecar:
        found.to_start.append((spec, f"it ended with {_end(status)}, and a sidecar is always started again"))
    elif status.exit_code != 0:
        rule = pods.restart_rule_text(pod, spec, status.exit_code)
        if not _try_again(pod, spec, status):
            found.failed = f"init container {spec.name} ended with {_end(status)} and {rule}"
        else:
            found.to_start.append((spec, f"it ended with {_end(status)} and {rule}"))


def _end(status: ContainerStatus) -> str:
    return status_why.end_text(status.exit_code, status.reason)


def _try_again(pod: Manifest, spec: Spec, status: ContainerStatus) -> bool:
    """An init container that failed is tried again under Always and OnFailure alike."""
    if spec.manifest.get("restartPolicy"):
        return pods.may_restart(pod, spec, status.exit_code)
    return pods.restarts_on_failure(pod)


def _done(spec: Spec, status: ContainerStatus, probes: Verdicts) -> bool:
    """The next container may start: a plain one has succeeded, a sidecar has started."""
    if not spec.sidecar:
        return status.state is ContainerState.EXITED and status.exit_code == 0
    if status.state is not ContainerState.RUNNING:
        return False
    verdict = probes.get((status.id, "startup"))
    return not spec.manifest.get("startupProbe") or (verdict is not None and verdict.ok)


def _kill_sidecar(spec: Spec, status: ContainerStatus, probes: Verdicts) -> ToKill | None:
    if status.hash and status.hash != pods.container_hash(spec.manifest):
        cause, message = "changed", f"Init container {spec.name} definition changed"
        why = f"the image of container {spec.name} is now {spec.manifest.get('image')}"
    else:
        failed = next((kind for kind in ("startup", "liveness") if failed_probe(probes, status.id, kind)), None)
        if failed is None:
            return None
        cause, message = failed, f"Init container {spec.name} failed {failed} probe"
        why = probes[(status.id, failed)].why
    return ToKill(id=status.id, name=spec.name, cause=cause, message=message, why=why, restart=True)
