"""Reading pods: the few look-ups that every part of the kubelet needs. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.runtime.interface import PodRef

TERMINAL = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Spec:
    """One container of a pod's spec. `init` is true for a plain init container."""

    name: str
    init: bool
    manifest: Manifest

    @property
    def field_path(self) -> str:
        """What events name as involvedObject.fieldPath."""
        return f"spec.{'initContainers' if self.init else 'containers'}{{{self.name}}}"


def ref(pod: Manifest) -> PodRef:
    meta = pod["metadata"]
    return PodRef(namespace=meta["namespace"], name=meta["name"], uid=meta["uid"])


def uid(pod: Manifest) -> str:
    return str(pod["metadata"]["uid"])


def title(pod: Manifest) -> str:
    """`NAME_NAMESPACE(UID)`, the form that the kubelet's messages use (pkg/kubelet/util/format)."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"


def init_specs(pod: Manifest) -> list[Spec]:
    return [Spec(name=c["name"], init=True, manifest=c) for c in pod["spec"].get("initContainers") or []]


def app_specs(pod: Manifest) -> list[Spec]:
    return [Spec(name=c["name"], init=False, manifest=c) for c in pod["spec"]["containers"]]


def all_specs(pod: Manifest) -> list[Spec]:
    return [*init_specs(pod), *app_specs(pod)]


def find_spec(pod: Manifest, name: str) -> Spec | None:
    return next((spec for spec in all_specs(pod) if spec.name == name), None)


def restart_policy(pod: Manifest) -> str:
    return str(pod["spec"].get("restartPolicy") or "Always")


def restarts_on_failure(pod: Manifest) -> bool:
    return restart_policy(pod) != "Never"


def host_network(pod: Manifest) -> bool:
    return bool(pod["spec"].get("hostNetwork"))


def grace_period(pod: Manifest) -> int:
    value = pod["spec"].get("terminationGracePeriodSeconds")
    return 30 if value is None else int(value)


def phase(pod: Manifest) -> str:
    return str((pod.get("status") or {}).get("phase") or "Pending")


def is_terminal(pod: Manifest) -> bool:
    return phase(pod) in TERMINAL


def deletion_time(pod: Manifest) -> datetime | None:
    text = pod["metadata"].get("deletionTimestamp")
    return times.parse(text) if text else None


def probes(container: Manifest) -> Iterator[tuple[str, Manifest]]:
    """(startup | liveness | readiness, probe) of a container."""
    for kind in ("startup", "liveness", "readiness"):
        probe = container.get(f"{kind}Probe")
        if probe:
            yield kind, probe


def old_status(pod: Manifest, name: str, *, init: bool) -> Manifest | None:
    """The container status that the API holds now."""
    entries = (pod.get("status") or {}).get("initContainerStatuses" if init else "containerStatuses") or []
    return next((entry for entry in entries if entry["name"] == name), None)


def container_hash(container: Manifest) -> str:
    """Tells whether the container must be replaced. As in Kubernetes only name and image count
    (pkg/kubelet/container/helpers.go, HashContainer): nothing else of a running container may change in place."""
    text = json.dumps([container["name"], container.get("image", "")])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def go_duration(seconds: float) -> str:
    """Seconds as Go prints a time.Duration in messages: 10s, 1m20s, 5m0s, 1.234s, 250ms."""
    if seconds < 1:
        return f"{_trimmed(seconds * 1000)}ms" if seconds else "0s"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{_trimmed(rest)}s"
    if seconds >= 60:
        text = f"{int(minutes)}m{text}"
    return f"{int(hours)}h{text}" if hours else text


def _trimmed(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
