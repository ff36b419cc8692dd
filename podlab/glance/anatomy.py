"""The containers of a pod in start order, and what their status says in text. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from podlab.apis.types import Manifest

_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_BACK_OFF = re.compile(r"back-off ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+) ")


def instant(at: datetime) -> str:
    """With milliseconds: what a browser's Date keeps."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def back_off(message: str) -> timedelta | None:
    """The delay in kubelet's `back-off 1m20s restarting failed container=…` (kuberuntime_manager.go doBackOff)."""
    found = _BACK_OFF.search(message)
    if found is None:
        return None
    return timedelta(seconds=sum(float(n) * _UNITS[unit] for n, unit in _GO_DURATION.findall(found[1])))


CONTAINER_FIELDS = (
    ("initContainers", "init"),
    ("containers", "app"),
    ("ephemeralContainers", "ephemeral"),
)
PROBE_FIELDS = (("startup", "startupProbe"), ("liveness", "livenessProbe"), ("readiness", "readinessProbe"))


@dataclass(frozen=True, slots=True)
class SpecContainer:
    name: str
    sort: str
    path: str
    spec: Manifest


def spec_containers(pod: Manifest) -> list[SpecContainer]:
    """In start order. An init container with restartPolicy Always is a sidecar."""
    found = []
    for field, sort in CONTAINER_FIELDS:
        for index, container in enumerate(pod.get("spec", {}).get(field) or ()):
            sidecar = sort == "init" and container.get("restartPolicy") == "Always"
            name = str(container.get("name", ""))
            found.append(SpecContainer(name, "sidecar" if sidecar else sort, f"spec.{field}[{index}]", container))
    return found


STATUS_FIELDS = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


def container_statuses(pod: Manifest) -> list[Manifest]:
    status = pod.get("status") or {}
    return [entry for field in STATUS_FIELDS for entry in status.get(field) or ()]
