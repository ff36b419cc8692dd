"""Makes the changes, probe results and runs of invented pods for the story's tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 21, 9, 0, 0, tzinfo=UTC)
UID = "11111111-2222-3333-4444-555555555555"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FakeChange:
    revision: int
    at: datetime
    obj: dict[str, Any]
    type: str = "MODIFIED"
    why: str = ""


@dataclass
class FakeProbe:
    seq: int
    at: datetime
    outcome: str = "success"
    run: int = 1
    threshold: int = 3
    caused: str = ""
    container: str = "app"
    attempt: int = 0
    probe: str = "liveness"
    latency_ms: float = 4.0
    message: str = ""


@dataclass
class FakeRun:
    container: str = "app"
    attempt: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    start_why: str = ""
    stop_why: str = ""


def pod(**parts: Any) -> dict[str, Any]:
    """A pod named web with one container named app; `state` etc. make its only container status."""
    status: dict[str, Any] = {"phase": parts.get("phase", "Pending")}
    if "conditions" in parts:
        status["conditions"] = [
            {"type": type, "status": value, "reason": reason, "message": message}
            for type, value, reason, message in parts["conditions"]
        ]
    if "state" in parts:
        entry = {"name": "app", "state": parts["state"], "restartCount": parts.get("restarts", 0)}
        entry["ready"] = parts.get("ready", False)
        if "last" in parts:
            entry["lastState"] = {"terminated": parts["last"]}
        status["containerStatuses"] = [entry]
    meta: dict[str, Any] = {"name": "web", "namespace": "default", "uid": UID, "creationTimestamp": stamp(0)}
    if "deleted" in parts:
        meta |= {"deletionTimestamp": stamp(parts["deleted"]), "deletionGracePeriodSeconds": parts["grace"]}
    container = {"name": "app", "image": "busybox:1.36", **parts.get("container", {})}
    spec = {"containers": [container], "nodeName": parts.get("node", "node-a"), "restartPolicy": "Always"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec | parts.get("spec", {}), "status": status}


def event(reason: str, *, count: int = 1, name: str = "web.1", type: str = "Normal", container: str = "app", uid: str = UID) -> dict[str, Any]:  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": "web", "uid": uid, "fieldPath": f"spec.containers{{{container}}}"},
        "type": type,
        "reason": reason,
        "message": f"{reason} happened",
        "source": {"component": "kubelet"},
        "count": count,
    }


def terminated(code: int, started: float, finished: float, reason: str = "") -> dict[str, Any]:
    return {
        "exitCode": code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "startedAt": stamp(started),
        "finishedAt": stamp(finished),
    }


@dataclass
class Log:
    """A change log that numbers itself."""

    entries: list[FakeChange] = field(default_factory=list)

    def add(self, seconds: float, obj: dict[str, Any], *, type: str = "MODIFIED", why: str = "") -> Log:
        self.entries.append(FakeChange(len(self.entries) + 1, at(seconds), obj, type, why))
        return self
