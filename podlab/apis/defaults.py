"""What the API server fills in by itself, before admission.

The registry calls apply() after decoding and before admission; forms call it to show what will be. Idempotent, in place.
Sources: pkg/apis/core/v1/defaults.go and conversion.go (the second moves serviceAccount, stringData and a negative
grace period). Volumes go on in default_volumes.py.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from podlab.apis import default_cluster, default_workloads, pods
from podlab.apis.default_pod_spec import containers, pod_spec, set_absent, set_empty
from podlab.apis.default_volumes import round_up
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest

_POD_LEVEL = ("cpu", "memory")


def apply(resource: Resource, obj: Manifest) -> None:
    """Fills in the defaults of this kind; a kind without any is left alone."""
    known = _BY_KEY.get(resource.key)
    if known is not None:
        known(obj)


def _pod(pod: Manifest) -> None:
    spec = pod.setdefault("spec", {})
    pod_spec(spec)
    if spec["terminationGracePeriodSeconds"] < 0:  # of pods only (Convert_v1_Pod_To_core_Pod)
        spec["terminationGracePeriodSeconds"] = 1
    _request_what_is_limited(spec)
    _pod_level_requests(pod)
    set_absent(spec, "enableServiceLinks", True)
    if spec.get("hostNetwork"):
        for container in containers(spec, "containers", "initContainers"):
            for port in container.get("ports") or []:
                set_empty(port, "hostPort", port.get("containerPort", 0))


def _request_what_is_limited(spec: Manifest) -> None:
    for container in containers(spec, "containers", "initContainers"):
        resources = container["resources"]
        for name, limit in (resources.get("limits") or {}).items():
            if resources.get("requests") is None:
                resources["requests"] = {}
            resources["requests"].setdefault(name, limit)


def _supported_at_pod_level(name: str) -> bool:
    return name in _POD_LEVEL or name.startswith("hugepages-")


def _pod_level_requests(pod: Manifest) -> None:
    """Pod-level requests come from the containers, then from the pod-level limits (defaultPodRequests). Huge pages cannot
    be promised twice: of them the containers' limits count (defaultHugePagePodLimits)."""
    resources = pod["spec"].get("resources")
    if not resources:
        return
    requests, limits = dict(resources.get("requests") or {}), dict(resources.get("limits") or {})
    bare = {**pod, "spec": {**pod["spec"], "resources": None, "overhead": None}}
    for name, total in pods.total_quantities(bare, kind="limits").items():
        if name.startswith("hugepages-") and (requests or limits) and name not in requests:
            limits.setdefault(name, str(total))
    if not limits:
        return
    resources["limits"] = limits
    for name, total in pods.total_quantities(bare).items():
        if name in _POD_LEVEL:
            requests.setdefault(name, str(total))
    for name, limit in resources["limits"].items():
        if _supported_at_pod_level(name):
            requests.setdefault(name, limit)
    if requests:
        resources["requests"] = requests


def _namespace(namespace: Manifest) -> None:
    metadata = namespace.setdefault("metadata", {})
    if metadata.get("name"):
        if metadata.get("labels") is None:
            metadata["labels"] = {}
        metadata["labels"]["kubernetes.io/metadata.name"] = metadata["name"]
    set_empty(namespace.setdefault("spec", {}), "finalizers", ["kubernetes"])
    set_empty(namespace.setdefault("status", {}), "phase", "Active")


def _secret(secret: Manifest) -> None:
    set_empty(secret, "type", "Opaque")
    plain = secret.pop("stringData", None)
    if plain:
        data = secret["data"] = dict(secret.get("data") or {})
        for key, text in plain.items():
            data[key] = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def _node(node: Manifest) -> None:
    spec = node.setdefault("spec", {})
    blocks = spec.get("podCIDRs") or []
    if spec.get("podCIDR") and blocks[:1] != [spec["podCIDR"]]:  # the older field wins (conversion.go)
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif blocks:
        spec["podCIDR"] = blocks[0]
    status = node.setdefault("status", {})
    for field in ("capacity", "allocatable"):
        round_up(status.get(field))
    if status.get("capacity"):
        set_empty(status, "allocatable", dict(status["capacity"]))


def _event(event: Manifest) -> None:
    """Nothing is defaulted; these fields are written even when empty (no omitempty in types.go)."""
    event.setdefault("source", {})
    for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
        event.setdefault(name, None)
    for name in ("reportingComponent", "reportingInstance"):
        event.setdefault(name, "")


_BY_KEY: dict[str, Callable[[Manifest], None]] = {
    "pods": _pod,
    "namespaces": _namespace,
    "secrets": _secret,
    "nodes": _node,
    "events": _event,
    **default_cluster.BY_KEY,
    **default_workloads.BY_KEY,
}
