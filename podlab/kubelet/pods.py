"""Reading pods: the few look-ups that every part of the kubelet needs. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from podlab.apis import pods as pod_facts
from podlab.apis import quantity, times
from podlab.apis.types import Manifest
from podlab.runtime.interface import PodRef

TERMINAL = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Spec:
    """One container of a pod's spec. `init` is true for everything under initContainers, sidecars included."""

    name: str
    init: bool
    manifest: Manifest
    ephemeral: bool = False

    @property
    def sidecar(self) -> bool:
        """A restartable init container: it runs beside the app containers and ends after them."""
        return self.init and self.manifest.get("restartPolicy") == "Always"

    @property
    def list_name(self) -> str:
        return "ephemeralContainers" if self.ephemeral else "initContainers" if self.init else "containers"

    @property
    def field_path(self) -> str:
        """What events name as involvedObject.fieldPath."""
        return f"spec.{self.list_name}{{{self.name}}}"


def ref(pod: Manifest) -> PodRef:
    meta = pod["metadata"]
    return PodRef(namespace=meta["namespace"], name=meta["name"], uid=meta["uid"])


def memory_request(container: Manifest) -> int:
    requests = (container.get("resources") or {}).get("requests") or {}
    return quantity.value(str(requests["memory"])) if requests.get("memory") else 0


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


def ephemeral_specs(pod: Manifest) -> list[Spec]:
    held = pod["spec"].get("ephemeralContainers") or []
    return [Spec(name=c["name"], init=False, manifest=c, ephemeral=True) for c in held]


def sidecar_specs(pod: Manifest) -> list[Spec]:
    return [spec for spec in init_specs(pod) if spec.sidecar]


def all_specs(pod: Manifest) -> list[Spec]:
    return [*init_specs(pod), *app_specs(pod), *ephemeral_specs(pod)]


def find_spec(pod: Manifest, name: str) -> Spec | None:
    return next((spec for spec in all_specs(pod) if spec.name == name), None)


def restart_policy(pod: Manifest) -> str:
    return str(pod["spec"].get("restartPolicy") or "Always")


def restarts_on_failure(pod: Manifest, spec: Spec | None = None) -> bool:
    """Whether a container (the pod as a whole) that the kubelet itself stopped for a fault is started again."""
    own = spec.manifest.get("restartPolicy") if spec is not None else None
    return str(own or restart_policy(pod)) != "Never"


def may_restart(pod: Manifest, spec: Spec, exit_code: int | None) -> bool:
    """Whether a container that ended with `exit_code` is started again."""
    return not spec.ephemeral and pod_facts.container_restarts(restart_policy(pod), spec.manifest, exit_code)


def restart_rule_text(pod: Manifest, spec: Spec, exit_code: int | None) -> str:
    """Which rule `may_restart` went by, for people."""
    own = spec.manifest.get("restartPolicy")
    rule = pod_facts.matching_restart_rule(spec.manifest, exit_code)
    if rule is not None:
        return f"one of its restartPolicyRules says {rule.get('action')}"
    return f"its own restartPolicy is {own}" if own else f"restartPolicy is {restart_policy(pod)}"


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


def old_status(pod: Manifest, spec: Spec) -> Manifest | None:
    """The container status that the API holds now."""
    kind = {"initContainers": "initContainer", "ephemeralContainers": "ephemeralContainer"}.get(
        spec.list_name, "container"
    )
    entries = (pod.get("status") or {}).get(f"{kind}Statuses") or []
    return next((entry for entry in entries if entry["name"] == spec.name), None)


def container_hash(container: Manifest) -> str:
    """Tells whether the container must be replaced. As in Kubernetes only name and image count
    (pkg/kubelet/container/helpers.go, HashContainer): nothing else of a running container may change in place."""
    text = json.dumps([container["name"], container.get("image", "")])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def back_off_key(spec: Spec) -> tuple[str, str]:
    """Another image or other resources are a new beginning (kuberuntime_manager.go GetBackoffKey)."""
    held = spec.manifest.get("resources") or {}
    return (spec.name, json.dumps([spec.manifest.get("image") or "", held], sort_keys=True))


go_duration = times.go_duration


def asks_for_sync(old: Manifest, new: Manifest, written: Manifest | None) -> bool:
    """Whether a change is the kubelet's business: spec or metadata, or a status that somebody else wrote."""
    if old["spec"] != new["spec"] or _lasting(old) != _lasting(new):
        return True
    return old.get("status") != new.get("status") and new.get("status") != written


def _lasting(pod: Manifest) -> Manifest:
    return {k: v for k, v in pod["metadata"].items() if k not in ("resourceVersion", "managedFields")}
