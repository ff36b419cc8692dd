"""The parts of a pod that its Details tab tables: conditions, containers with their states, volumes and mounts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

from podlab.apis.types import Manifest
from podlab.glance import anatomy
from podlab.glance.values import PodFacts


class State(TypedDict):
    kind: str  # waiting | running | terminated
    reason: str
    exit_code: int | None
    message: str
    since: str
    until: str
    tone: str


class ContainerPart(TypedDict):
    name: str
    sort: str
    image: str
    ready: bool
    restarts: int
    state: State | None
    last: State | None
    mounts: list[Manifest]


class Volume(TypedDict):
    name: str
    type: str
    detail: str
    mounts: list[str]  # "app at /data (read only)"


def state(raw: Manifest | None) -> State | None:
    """One of the three members of a ContainerState."""
    for kind in ("waiting", "running", "terminated"):
        if raw and kind in raw:
            told: Manifest = raw[kind] or {}
            code = told.get("exitCode")
            tone = {"waiting": "waiting", "running": "running"}.get(kind, "done" if code == 0 else "failed")
            return {
                "kind": kind,
                "reason": told.get("reason") or "",
                "exit_code": code,
                "message": told.get("message") or "",
                "since": told.get("startedAt") or "",
                "until": told.get("finishedAt") or "",
                "tone": tone,
            }
    return None


def containers(pod: Manifest) -> list[ContainerPart]:
    statuses = {status["name"]: status for status in anatomy.container_statuses(pod)}
    found: list[ContainerPart] = []
    for container in anatomy.spec_containers(pod):
        status = statuses.get(container.name, {})
        found.append(
            {
                "name": container.name,
                "sort": container.sort,
                "image": container.spec.get("image") or "",
                "ready": bool(status.get("ready")),
                "restarts": int(status.get("restartCount") or 0),
                "state": state(status.get("state")),
                "last": state(status.get("lastState")),
                "mounts": container.spec.get("volumeMounts") or [],
            }
        )
    return found


def volumes(pod: Manifest) -> list[Volume]:
    found: list[Volume] = []
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        type = next((key for key in volume if key != "name"), "emptyDir")
        found.append(
            {
                "name": volume["name"],
                "type": type,
                "detail": _detail(volume.get(type) or {}),
                "mounts": list(_mounts(pod, volume["name"])),
            }
        )
    return found


def _detail(source: Any) -> str:
    """What the volume is made of: the name of the thing, or the sources of a projected one."""
    if not isinstance(source, dict):
        return ""
    if "sources" in source:
        return ", ".join(f"{kind} {_detail(one[kind])}".strip() for one in source["sources"] for kind in one)
    words = (source.get(key) for key in ("name", "secretName", "claimName", "path", "medium", "sizeLimit", "image"))
    return " ".join(str(word) for word in words if word)


def _mounts(pod: Manifest, volume: str) -> Iterable[str]:
    for container in anatomy.spec_containers(pod):
        for mount in container.spec.get("volumeMounts") or ():
            if mount.get("name") == volume:
                read_only = " (ro)" if mount.get("readOnly") else ""
                yield f"{container.name}: {mount.get('mountPath', '')}{read_only}"


def conditions(pod: Manifest) -> list[Manifest]:
    return list((pod.get("status") or {}).get("conditions") or ())


# The heights of lanes in px, as static/src/layout.js has them; a test compares the two.
LANE = {
    "phase": 18,
    "condition": 13,
    "container": 18,
    "probe": 20,
    "events": 24,
    "log": 22,
    "endpoint": 14,
    "deletion": 18,
}
_CONDITIONS = 5
_SECTION, _SERVICES, _PROBES, _LOG, _EDGES = 16, 6, 4, 12, 10 + 12


def timeline_height(facts: PodFacts, services: int = 0) -> int:
    """How high the pod's timeline will be, which so many Services select: the page keeps the room free, so that nothing
    jumps when it is drawn."""
    height = _SERVICES + services * LANE["endpoint"] if services else 0
    height += _SECTION + LANE["deletion"] if facts["deleting"] or facts["gone"] else 0
    height += _EDGES + LANE["phase"] + _SECTION + _CONDITIONS * LANE["condition"]
    for container in facts["containers"]:
        probes = len(container["probes"])
        height += _SECTION + LANE["container"] + (_PROBES + probes * LANE["probe"] if probes else 0)
    return height + _SECTION + LANE["events"] + _LOG + LANE["log"]
