"""Cases for the explanations: a pod with what is known of it, in few words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from podlab.glance.explain.case import Case

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Result:
    """A probe result."""

    outcome: str
    message: str = ""
    probe: str = "liveness"
    caused: str = ""
    attempt: int = 0
    container: str = "app"
    threshold: int = 3
    seq: int = 7
    at: datetime = NOW - timedelta(seconds=20)


@dataclass(frozen=True)
class RunRow:
    container: str = "app"
    attempt: int = 0
    started_at: datetime | None = NOW - timedelta(seconds=50)
    finished_at: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    message: str = ""


def event(reason: str, message: str = "", *, container: str = "", at: float = 30) -> dict[str, Any]:
    about = {"fieldPath": f"spec.containers{{{container}}}"} if container else {}
    return {
        "metadata": {"name": f"web.{reason.lower()}"},
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "count": 1,
        "lastTimestamp": ago(at),
    }


def ended(code: int, reason: str = "Error", *, message: str = "", ran: float = 2) -> dict[str, Any]:
    end = {"exitCode": code, "reason": reason, "startedAt": ago(40 + ran), "finishedAt": ago(40)}
    return {"terminated": end | ({"message": message} if message else {})}


RUNNING: dict[str, Any] = {"running": {"startedAt": ago(39)}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def case(
    state: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
    *,
    restarts: int = 0,
    ready: bool = False,
    started: bool | None = None,
    container: dict[str, Any] | None = None,
    sort: str = "containers",
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    meta: dict[str, Any] | None = None,
    node: str | None = "node-a",
    **known: Any,
) -> Case:
    """A pod whose one container `app` (an init container `setup` beside it with sort="initContainers") has this state."""
    name = "app" if sort == "containers" else "setup"
    own = {"name": name, "image": "busybox:1.36"} | (container or {})
    containers = {"containers": [{"name": "app", "image": "busybox:1.36"}]} | {sort: [own]}
    told = {"name": name, "restartCount": restarts, "ready": ready, "state": state or {}, "lastState": last or {}}
    told |= {} if started is None else {"started": started}
    fields = {"containers": "containerStatuses", "initContainers": "initContainerStatuses"}
    whole_status: dict[str, Any] = {"phase": "Running"} | ({fields[sort]: [told]} if state or last else {})
    whole_spec = {"restartPolicy": "Always"} | containers | ({"nodeName": node} if node else {}) | (spec or {})
    pod = {
        "metadata": {"name": "web", "namespace": "default", "uid": "u", "creationTimestamp": ago(60)} | (meta or {}),
        "spec": whole_spec,
        "status": whole_status | (status or {}),
    }
    return Case(pod, NOW, **known)


def refused(message: str, spec: dict[str, Any] | None = None, **known: Any) -> Case:
    """A pod that the scheduler could not place."""
    verdict = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    status = {"phase": "Pending", "conditions": [verdict]} | known.pop("status", {})
    return case(node=None, spec=spec, status=status, **known)


def node(ready: str = "True") -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", "status": ready, "message": "Kubelet stopped posting"}]}}
