"""The status of a pod: `generate` while it lives, `final` when all of it has stopped. Pure; `status_writer` stores it.

A terminal phase is held back until nothing of the pod runs any more (status_manager.go mergePodStatus), because
whoever reads Succeeded or Failed may rely on the pod being over. It never changes again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from podlab.apis import pods as pod_facts
from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.kubelet import conditions, container_status, pods, resize
from podlab.kubelet.container_status import Inputs
from podlab.runtime.interface import ContainerState

_MESSAGES = 12 * 1024  # bytes of all termination messages of a pod
_NEVER_RAN = ("StartError", "ContainerCannotRun")


@dataclass(frozen=True, slots=True)
class Forced:
    """The kubelet ended the pod itself (deadline, rejection): phase Failed with its own reason."""

    reason: str
    message: str
    unless_succeeded: bool = False  # a pod whose containers all ended well is Succeeded all the same
    disruption: str = ""  # the message of the condition DisruptionTarget, if the pod gets it


def generate(inputs: Inputs, *, forced: Forced | None = None) -> Manifest:
    """The pod's status now; a terminal phase is not shown yet."""
    status = _build(inputs, over=False, forced=None)
    old = pods.phase(inputs.pod)
    if pods.is_terminal(inputs.pod) or status["phase"] in pods.TERMINAL or forced is not None:
        status["phase"] = "Running" if old == "Pending" and _has_run(inputs) else old
    return status


def _nothing_left(inputs: Inputs) -> bool:
    names = {spec.name for spec in (*pods.init_specs(inputs.pod), *pods.app_specs(inputs.pod))}
    return not any(one.name in names for one in inputs.observed.containers)


def _has_run(inputs: Inputs) -> bool:
    """Some container of the pod proper ran and got past its postStart hook, however short that was."""
    names = {spec.name for spec in pods.app_specs(inputs.pod)} - set(inputs.problems)
    ended = (c for c in inputs.observed.containers if c.name in names and c.state is ContainerState.EXITED)
    return any(c.reason not in _NEVER_RAN for c in ended)


def final(inputs: Inputs, *, forced: Forced | None = None) -> Manifest:
    """The status after everything has stopped: whatever is not Succeeded by now has Failed."""
    if (
        forced is not None
        and forced.unless_succeeded
        and _build(inputs, over=True, forced=None)["phase"] == "Succeeded"
    ):
        forced = None
    status = _build(inputs, over=True, forced=forced)
    if pods.is_terminal(inputs.pod):
        status["phase"] = pods.phase(inputs.pod)
    elif forced is not None or status["phase"] not in pods.TERMINAL:
        status["phase"] = "Failed"
    if _was_initialized(inputs.pod):
        for entry in status["containerStatuses"]:
            _mark_lost(entry)
    return status


def outcome(inputs: Inputs) -> str:
    """The phase that the containers add up to, not held back."""
    init, apps = _containers(inputs)
    return conditions.phase(inputs.pod, init, apps, ending=False)


def _containers(inputs: Inputs) -> tuple[list[Manifest], list[Manifest]]:
    return (
        container_status.container_statuses(inputs, pods.init_specs(inputs.pod)),
        container_status.container_statuses(inputs, pods.app_specs(inputs.pod)),
    )


def _build(inputs: Inputs, *, over: bool, forced: Forced | None) -> Manifest:
    pod, old = inputs.pod, inputs.pod.get("status") or {}
    init, apps = _containers(inputs)
    phase = conditions.phase(pod, init, apps, ending=over)
    if inputs.restarting and not over and phase in pods.TERMINAL:
        phase = "Running"  # what has ended is about to begin anew
    if forced is not None:
        phase = "Failed"
    sandbox = next((s for s in inputs.observed.sandboxes if s.ready and (s.ip or pods.host_network(pod))), None)
    made = conditions.conditions(pod, init, apps, new_phase=phase, sandbox_ready=sandbox is not None and not over)
    if pod_facts.all_containers_could_restart(pod):
        made.append(conditions.all_restarting(phase, cleaned=not inputs.restarting or _nothing_left(inputs)))
    if forced is not None and forced.disruption:
        made.append(conditions.disrupted(forced.disruption))
    status: dict[str, Any] = {}
    if pod["metadata"].get("generation") is not None:
        status["observedGeneration"] = pod["metadata"]["generation"]
    status["phase"] = phase
    status["conditions"] = conditions.merge(pod, [*inputs.resizing, *made], inputs.now)
    status |= _reason(old, forced)
    ip = (inputs.node_ip if pods.host_network(pod) else sandbox.ip) if sandbox is not None else old.get("podIP", "")
    status |= _addresses(inputs.node_ip, ip)
    status["startTime"] = old.get("startTime") or times.rfc3339(inputs.now)
    status |= resize.pod_resources(pod, [*init, *apps])
    if init:
        status["initContainerStatuses"] = init
    status["containerStatuses"] = apps
    debuggers = container_status.container_statuses(inputs, pods.ephemeral_specs(pod))
    if debuggers:
        status["ephemeralContainerStatuses"] = debuggers
    _cut_messages([*init, *apps, *debuggers], _MESSAGES // len(pods.all_specs(pod)))
    return status


def _cut_messages(entries: list[Manifest], most: int) -> None:
    """The termination messages of a pod share a limit (status_manager.go normalizeStatus)."""
    for entry in entries:
        for state in (entry["state"], entry.get("lastState") or {}):
            ended = state.get("terminated") or {}
            if len(text := str(ended.get("message") or "").encode()) > most:
                state["terminated"] = {**ended, "message": text[:most].decode("utf-8", "replace")}


def _reason(old: Manifest, forced: Forced | None) -> Manifest:
    if forced is not None:
        return {"message": forced.message, "reason": forced.reason}
    return {name: old[name] for name in ("message", "reason") if old.get(name)}


def _addresses(node_ip: str, pod_ip: str) -> Manifest:
    found: Manifest = {}
    if node_ip:
        found |= {"hostIP": node_ip, "hostIPs": [{"ip": node_ip}]}
    if pod_ip:
        found |= {"podIP": pod_ip, "podIPs": [{"ip": pod_ip}]}
    return found


def _was_initialized(pod: Manifest) -> bool:
    inits = pods.init_specs(pod)
    last = pods.old_status(pod, inits[-1]) if inits else None
    if inits and inits[-1].sidecar:
        return bool((last or {}).get("started"))
    return not inits or (((last or {}).get("state") or {}).get("terminated") or {}).get("exitCode") == 0


def _mark_lost(entry: Manifest) -> None:
    """A container that never got to run in a pod that is over (status_manager.go TerminatePod)."""
    if entry["state"].get("terminated"):
        return
    entry["state"] = {"terminated": container_status.lost(container_status.LOST_AT_END)}
    entry["ready"] = entry["started"] = False


def merged(old: Manifest, new: Manifest) -> Manifest:
    """`new` over the fields of the stored status that the kubelet does not own (qosClass, nominatedNodeName, …)."""
    owned = {
        "observedGeneration", "phase", "conditions", "message", "reason", "hostIP", "hostIPs", "podIP", "podIPs",
        "startTime", "initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses",
        "allocatedResources", "resources",
    }  # fmt: skip
    return {**new, **{name: value for name, value in old.items() if name not in owned}}
