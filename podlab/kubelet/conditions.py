"""Phase and conditions of a pod. Pure; `status` calls it.

getPhase of pkg/kubelet/kubelet_pods.go and pkg/kubelet/status/generate.go, with their reasons and messages.
"""

from __future__ import annotations

from datetime import datetime

from podlab.apis import reasons, times
from podlab.apis.types import Manifest
from podlab.kubelet import pods, restart_all

# The kubelet's own that are there only while they are true.
PASSING = ("PodResizePending", "PodResizeInProgress")
# In the order in which the kubelet writes them; conditions of others follow.
OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


def phase(pod: Manifest, init: list[Manifest], apps: list[Manifest], *, ending: bool) -> str:
    """`ending`: the pod is being deleted or has been told to stop, so nothing will be restarted."""
    sidecars = {spec.name for spec in pods.sidecar_specs(pod)}
    plain = [entry for entry in init if entry["name"] not in sidecars]
    beside = [entry for entry in init if entry["name"] in sidecars]
    if any(_failed_for_good(pod, entry) for entry in plain):
        return "Failed"
    started_before = any(_ever_started(entry) for entry in apps)
    if not started_before and (
        any(not _completed(entry) for entry in plain)
        or any("running" in entry["state"] and not entry["started"] for entry in beside)
    ):
        return "Pending"
    running = [e for e in (*apps, *beside) if "running" in e["state"]]
    ends = {entry["name"]: end for entry in apps if (end := _end(entry)) is not None}
    if any("running" not in e["state"] and _end(e) is None for e in (*apps, *beside)):
        return "Pending"
    if running:
        return "Running"
    specs = {spec.name: spec for spec in pods.app_specs(pod)}
    if not ending and any(end.get("reason") == restart_all.REASON for end in ends.values()):
        return "Running"
    if not ending and any(pods.may_restart(pod, specs[name], end["exitCode"]) for name, end in ends.items()):
        return "Running"
    return "Succeeded" if all(end["exitCode"] == 0 for end in ends.values()) else "Failed"


def conditions(
    pod: Manifest, init: list[Manifest], apps: list[Manifest], *, new_phase: str, sandbox_ready: bool
) -> list[Manifest]:
    """The kubelet's conditions without times. It says PodScheduled too, with the generation that it has seen
    (kubelet_pods.go generateAPIPodStatus)."""
    sidecars = {spec.name for spec in pods.sidecar_specs(pod)}
    containers = _containers_ready([*(e for e in init if e["name"] in sidecars), *apps], new_phase)
    return [
        _condition("PodReadyToStartContainers", sandbox_ready),
        _initialized(pod, init, apps, new_phase),
        _ready(pod, containers),
        containers,
        _condition("PodScheduled", True),
    ]


def all_restarting(new_phase: str, *, cleaned: bool) -> Manifest:
    """GenerateAllContainersRestartingCondition: true from the end that asks for it until all containers are removed."""
    over = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(new_phase)
    if over is not None or cleaned:
        return _condition(restart_all.CONDITION, False, over or "")
    text = "container exited with restart policy rule"
    return _condition(restart_all.CONDITION, True, "RestartAllContainersStarted", text)


def disrupted(message: str) -> Manifest:
    """The node gives the pod up (eviction_manager.go)."""
    return _condition("DisruptionTarget", True, reasons.TERMINATION_BY_KUBELET, message)


def merge(pod: Manifest, made: list[Manifest], now: datetime) -> list[Manifest]:
    """`made` with transition times, followed by the conditions that others own."""
    old = {c["type"]: c for c in _held(pod)}
    names = {*(c["type"] for c in made), *PASSING}
    generation = pod["metadata"].get("generation")
    merged = [_dated(condition, old.get(condition["type"]), generation, now) for condition in made]
    return merged + [c for c in _held(pod) if c["type"] not in names]


def _dated(condition: Manifest, old: Manifest | None, generation: int | None, now: datetime) -> Manifest:
    same = old is not None and old["status"] == condition["status"]
    dated: Manifest = {"type": condition["type"]}
    if (seen := condition.get("observedGeneration", generation)) is not None:
        dated["observedGeneration"] = seen
    dated["status"] = condition["status"]
    dated["lastProbeTime"] = None
    dated["lastTransitionTime"] = old["lastTransitionTime"] if old is not None and same else times.rfc3339(now)
    for name in ("reason", "message"):
        if condition.get(name):
            dated[name] = condition[name]
    return dated


def _held(pod: Manifest) -> list[Manifest]:
    return list((pod.get("status") or {}).get("conditions") or [])


def _condition(kind: str, status: bool, reason: str = "", message: str = "") -> Manifest:
    condition: Manifest = {"type": kind, "status": "True" if status else "False"}
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _initialized(pod: Manifest, init: list[Manifest], apps: list[Manifest], new_phase: str) -> Manifest:
    if new_phase == "Succeeded":
        return _condition("Initialized", True, "PodCompleted")
    sidecars = {spec.name for spec in pods.sidecar_specs(pod)}
    waiting = [e["name"] for e in init if not e["started" if e["name"] in sidecars else "ready"]]
    if not waiting or any(_ever_started(entry) for entry in apps):
        return _condition("Initialized", True)
    return _condition("Initialized", False, "ContainersNotInitialized", _listed("incomplete", waiting))


def _containers_ready(apps: list[Manifest], new_phase: str) -> Manifest:
    if new_phase == "Succeeded":
        return _condition("ContainersReady", False, "PodCompleted")
    if new_phase == "Failed":
        return _condition("ContainersReady", False, "PodFailed")
    unready = [entry["name"] for entry in apps if not entry["ready"]]
    if unready:
        return _condition("ContainersReady", False, "ContainersNotReady", _listed("unready", unready))
    return _condition("ContainersReady", True)


def _ready(pod: Manifest, containers: Manifest) -> Manifest:
    if containers["status"] != "True":
        return {**containers, "type": "Ready"}
    held = {c["type"]: c["status"] for c in _held(pod)}
    complaints = [_gate_complaint(gate["conditionType"], held) for gate in pod["spec"].get("readinessGates") or []]
    message = ", ".join(text for text in complaints if text)
    return _condition("Ready", not message, "ReadinessGatesNotReady" if message else "", message)


def _gate_complaint(gate: str, held: dict[str, str]) -> str:
    if gate not in held:
        return f'corresponding condition of pod readiness gate "{gate}" does not exist.'
    if held[gate] != "True":
        return f'the status of pod readiness gate "{gate}" is not "True", but {held[gate]}'
    return ""


def _listed(what: str, names: list[str]) -> str:
    return f"containers with {what} status: [{' '.join(names)}]"


def _end(entry: Manifest) -> Manifest | None:
    """How a container that does not run ended last: a waiting one with a last end counts as ended."""
    ended: Manifest | None = entry["state"].get("terminated")
    if ended is None and entry["state"].get("waiting") is not None:
        ended = (entry.get("lastState") or {}).get("terminated")
    return ended


def _completed(entry: Manifest) -> bool:
    """This init container has done its work."""
    ended = entry["state"].get("terminated")
    return bool(ended) and ended["exitCode"] == 0


def _failed_for_good(pod: Manifest, entry: Manifest) -> bool:
    ended = entry["state"].get("terminated")
    if not ended or ended["exitCode"] == 0:
        return False
    spec = pods.find_spec(pod, entry["name"])
    if spec is not None and spec.manifest.get("restartPolicy"):
        return not pods.may_restart(pod, spec, ended["exitCode"])
    return not pods.restarts_on_failure(pod)


def _ever_started(entry: Manifest) -> bool:
    return "waiting" not in entry["state"] or bool(entry.get("lastState"))
