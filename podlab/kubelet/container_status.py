"""containerStatuses and initContainerStatuses from what the runtime shows. Pure; `status` calls it.

pkg/kubelet/kubelet_pods.go convertToAPIContainerStatuses, and convertStatusToAPIStatus for ready and started.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.kubelet import images, pods, resize, restart_all
from podlab.kubelet.actions import should_restart
from podlab.kubelet.plan import Verdicts
from podlab.kubelet.pods import Spec
from podlab.runtime.interface import ContainerState, ContainerStatus, PodStatus

_RESOURCES = ("allocatedResources", "resources")
LOST_EXIT_CODE = 137
LOST_REASON = "ContainerStatusUnknown"
LOST_AT_END = "The container could not be located when the pod was terminated"
LOST_WHILE_RUNNING = "The container could not be located when the pod was deleted.  The container used to be Running"


@dataclass(frozen=True, slots=True)
class StartProblem:
    """Why a container is not started: reason and message of its waiting state, and `why` for people."""

    reason: str
    message: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that the status of one pod is made of. `problems` by container name; `hooked`: ids of containers
    whose postStart hook still runs; `scheme` is the runtime's name in container ids."""

    pod: Manifest
    observed: PodStatus
    verdicts: Verdicts
    problems: Mapping[str, StartProblem] = field(default_factory=dict)
    hooked: frozenset[str] = frozenset()
    actual: Mapping[str, Manifest] = field(default_factory=dict)  # resources by id of running container
    resizing: tuple[Manifest, ...] = ()  # conditions
    restarting: bool = False  # all containers are being restarted
    scheme: str = "docker"
    node_ip: str = ""
    now: datetime


def container_statuses(inputs: Inputs, specs: list[Spec]) -> list[Manifest]:
    return [_one(inputs, spec) for spec in specs]


def _one(inputs: Inputs, spec: Spec) -> Manifest:
    pod = inputs.pod
    runs = [c for c in inputs.observed.containers if c.name == spec.name]
    old = pods.old_status(pod, spec)
    waiting = "PodInitializing" if pods.init_specs(pod) and not spec.ephemeral else "ContainerCreating"
    entry = _from_runs(inputs, runs, old, waiting) if runs else _without_runs(spec, old, waiting)
    if inputs.restarting and not runs and not spec.ephemeral:
        restart_all.removed(entry, old)
    problem = inputs.problems.get(spec.name)
    if problem is not None and should_restart(pod, spec, runs[0] if runs else None):
        _show_problem(entry, problem)
    _add_readiness(inputs, spec, entry, runs[0] if runs else None)
    _add_resources(inputs, spec, entry, runs[0] if runs else None)
    return _ordered(spec, entry)


def _from_runs(inputs: Inputs, runs: list[ContainerStatus], old: Manifest | None, waiting: str) -> Manifest:
    latest = runs[0]
    entry: Manifest = {
        "state": _state(inputs, latest, waiting),
        "lastState": {},
        "restartCount": latest.attempt,
        "image": images.canonical(latest.image),
        "imageID": latest.image_id,
        "containerID": f"{latest.runtime or inputs.scheme}://{latest.id}",
    }
    before = next((run for run in runs[1:] if run.state is ContainerState.EXITED), None)
    if before is not None:
        entry["lastState"] = {"terminated": _terminated(inputs.scheme, before)}
    elif old is not None:
        entry["lastState"] = _remembered_last_state(old, latest, entry["containerID"])
    return entry


def _remembered_last_state(old: Manifest, latest: ContainerStatus, container_id: str) -> Manifest:
    """The runtime forgot the run before; the API may still know it."""
    ended: Manifest | None = (old.get("state") or {}).get("terminated")
    if old.get("containerID") != container_id and ended and int(old["restartCount"]) < latest.attempt:
        return {"terminated": ended}
    if int(old["restartCount"]) == latest.attempt or old.get("containerID") != container_id:
        last: Manifest = old.get("lastState") or {}
        # While a start problem is shown, the run's own end stands in lastState: it is not the run before.
        if (last.get("terminated") or {}).get("containerID") != container_id:
            return last
    return {}


def _without_runs(spec: Spec, old: Manifest | None, waiting: str) -> Manifest:
    entry: Manifest = {
        "state": {"waiting": {"reason": waiting}},
        "lastState": {},
        "restartCount": 0,
        "image": spec.manifest.get("image", ""),
        "imageID": "",
    }
    if old is None:
        return entry
    entry["restartCount"] = int(old["restartCount"])
    entry["lastState"] = old.get("lastState") or {}
    state = old.get("state") or {}
    if state.get("terminated"):
        entry["state"] = state
        entry["containerID"] = old.get("containerID", "")
        entry["imageID"] = old.get("imageID", "")
    elif state.get("running"):
        # The runtime lost a container that ran: say so, and count the restart that is due.
        entry["lastState"] = {"terminated": lost(LOST_WHILE_RUNNING)}
        entry["restartCount"] += 1
    elif entry["lastState"].get("terminated") and old.get("containerID"):
        # One that had ended before is lost: by its id `actions.next_attempt` knows that the count is still its own.
        entry["containerID"] = old["containerID"]
    return entry


def lost(message: str) -> Manifest:
    return {
        "exitCode": LOST_EXIT_CODE,
        "reason": LOST_REASON,
        "message": message,
        "startedAt": None,
        "finishedAt": None,
    }


def _state(inputs: Inputs, status: ContainerStatus, waiting: str) -> Manifest:
    if status.state is ContainerState.EXITED:
        return {"terminated": _terminated(inputs.scheme, status)}
    if status.state is ContainerState.RUNNING and status.id not in inputs.hooked:
        return {"running": {"startedAt": times.rfc3339(status.started_at or status.created_at)}}
    return {"waiting": {"reason": waiting}}


def _terminated(scheme: str, status: ContainerStatus) -> Manifest:
    ended: Manifest = {"exitCode": status.exit_code or 0, "reason": status.reason}
    if status.message:
        ended["message"] = status.message
    ended["startedAt"] = times.rfc3339(status.started_at) if status.started_at else None
    ended["finishedAt"] = times.rfc3339(status.finished_at) if status.finished_at else None
    ended["containerID"] = f"{status.runtime or scheme}://{status.id}"
    return ended


def _show_problem(entry: Manifest, problem: StartProblem) -> None:
    if entry["state"].get("running"):
        return
    if entry["state"].get("terminated"):
        entry["lastState"] = {"terminated": entry["state"]["terminated"]}
    waiting = {"reason": problem.reason}
    if problem.message:
        waiting["message"] = problem.message
    entry["state"] = {"waiting": waiting}


def _add_readiness(inputs: Inputs, spec: Spec, entry: Manifest, latest: ContainerStatus | None) -> None:
    running = bool(entry["state"].get("running")) and latest is not None
    container_id = latest.id if latest is not None else ""
    if spec.ephemeral:
        entry["ready"] = False
        return
    if spec.init and not spec.sidecar:
        entry["started"] = running
        entry["ready"] = (entry["state"].get("terminated") or {}).get("exitCode") == 0
        return
    started = running and passes(inputs.verdicts, spec.manifest, container_id, "startup")
    entry["started"] = started
    entry["ready"] = started and passes(inputs.verdicts, spec.manifest, container_id, "readiness")


def _add_resources(inputs: Inputs, spec: Spec, entry: Manifest, latest: ContainerStatus | None) -> None:
    """The pod's spec is the allocation; a running container may not have it yet."""
    block = spec.manifest.get("resources") or {}
    if block.get("requests"):
        entry["allocatedResources"] = dict(block["requests"])
    if latest is not None and latest.state is ContainerState.RUNNING:
        block = resize.actual(latest, inputs.actual, inputs.pod, spec)
    entry["resources"] = {key: dict(block[key]) for key in ("limits", "requests") if block.get(key)}


def passes(verdicts: Verdicts, container: Manifest, container_id: str, kind: str) -> bool:
    """No such probe, or it has said yes."""
    if not container.get(f"{kind}Probe"):
        return True
    verdict = verdicts.get((container_id, kind))
    return verdict is not None and verdict.ok


def _ordered(spec: Spec, entry: Manifest) -> Manifest:
    ordered: Manifest = {"name": spec.name}
    for name in (
        "state",
        "lastState",
        "ready",
        "restartCount",
        "image",
        "imageID",
        "containerID",
        "started",
        *_RESOURCES,
    ):
        if name in entry:
            ordered[name] = entry[name]
    mounts = [_mount(mount) for mount in spec.manifest.get("volumeMounts") or []]
    if mounts:
        ordered["volumeMounts"] = mounts
    return ordered


def _mount(mount: Manifest) -> Manifest:
    shown = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        shown |= {"readOnly": True, "recursiveReadOnly": "Disabled"}  # IfPossible comes to the same: the runtime cannot
    return shown
