"""What the API server fills in by itself, before admission.

The registry calls apply() after decoding and before admission; forms call it to show what will be. Idempotent, in place.
Sources: pkg/apis/core/v1/defaults.go and conversion.go (the second moves serviceAccount, stringData and a negative
grace period). Volumes go on in default_volumes.py.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from podlab.apis import default_volumes, image_names, pods, quantity
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest

_POD_LEVEL = ("cpu", "memory")
TERMINATION_MESSAGE_PATH = "/dev/termination-log"
_CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")


def apply(resource: Resource, obj: Manifest) -> None:
    """Fills in the defaults of this kind; a kind without any is left alone."""
    known = _BY_KEY.get(resource.key)
    if known is not None:
        known(obj)


def _set(target: Manifest, name: str, value: Any) -> None:
    """Absent, null and empty are one thing to Go's defaulting."""
    if not target.get(name):
        target[name] = value


def _set_pointer(target: Manifest, name: str, value: Any) -> None:
    """A pointer counts as set even when it points at zero."""
    if target.get(name) is None:
        target[name] = value


def _pod(pod: Manifest) -> None:
    spec = pod.setdefault("spec", {})
    pod_spec(spec)
    _request_what_is_limited(spec)
    _pod_level_requests(pod)
    _set_pointer(spec, "enableServiceLinks", True)
    if spec.get("hostNetwork"):
        for container in _containers(spec, "containers", "initContainers"):
            for port in container.get("ports") or []:
                _set(port, "hostPort", port.get("containerPort", 0))


def pod_spec(spec: Manifest) -> None:
    """The part that pod templates share with pods."""
    _set(spec, "restartPolicy", "Always")
    _set(spec, "dnsPolicy", "ClusterFirst")
    _set(spec, "schedulerName", "default-scheduler")
    _set_pointer(spec, "securityContext", {})
    _set_pointer(spec, "terminationGracePeriodSeconds", 30)
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name
    for container in _containers(spec, *_CONTAINER_LISTS):
        _container(container)
    for volume in spec.get("volumes") or []:
        default_volumes.apply(volume)
    _round_up(spec.get("overhead"))
    if spec.get("resources"):
        _round_up(spec["resources"].get("requests"))
        _round_up(spec["resources"].get("limits"))


def _containers(spec: Manifest, *lists: str) -> Iterator[Manifest]:
    for name in lists:
        yield from spec.get(name) or []


def _container(container: Manifest) -> None:
    _set(container, "imagePullPolicy", image_names.pull_policy(container.get("image") or ""))
    _set(container, "terminationMessagePath", TERMINATION_MESSAGE_PATH)
    _set(container, "terminationMessagePolicy", "File")
    resources = container.setdefault("resources", {})
    _round_up(resources.get("requests"))
    _round_up(resources.get("limits"))
    for port in container.get("ports") or []:
        _set(port, "protocol", "TCP")
    for variable in container.get("env") or []:
        default_volumes.references(variable.get("valueFrom") or {})
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name) is not None:
            _probe(container[name])
    for name in ("postStart", "preStop"):
        handler = (container.get("lifecycle") or {}).get(name)
        if handler is not None:
            _handler(handler)


def _probe(probe: Manifest) -> None:
    _set(probe, "timeoutSeconds", 1)
    _set(probe, "periodSeconds", 10)
    _set(probe, "successThreshold", 1)
    _set(probe, "failureThreshold", 3)
    _handler(probe)
    if probe.get("grpc") is not None:
        _set_pointer(probe["grpc"], "service", "")


def _handler(handler: Manifest) -> None:
    if handler.get("httpGet") is not None:
        _set(handler["httpGet"], "path", "/")
        _set(handler["httpGet"], "scheme", "HTTP")
    for name in ("httpGet", "tcpSocket"):
        if handler.get(name) is not None:
            _set_pointer(handler[name], "port", 0)


def _round_up(values: Manifest | None) -> None:
    for name, text in (values or {}).items():
        (values or {})[name] = str(quantity.parse(text).round_up_to_milli())


def _request_what_is_limited(spec: Manifest) -> None:
    for container in _containers(spec, "containers", "initContainers"):
        resources = container["resources"]
        for name, limit in (resources.get("limits") or {}).items():
            if resources.get("requests") is None:
                resources["requests"] = {}
            resources["requests"].setdefault(name, limit)


def _supported_at_pod_level(name: str) -> bool:
    return name in _POD_LEVEL or name.startswith("hugepages-")


def _pod_level_requests(pod: Manifest) -> None:
    """Pod-level requests come from the containers, then from the pod-level limits (defaultPodRequests)."""
    resources = pod["spec"].get("resources")
    if not resources or not resources.get("limits"):
        return
    requests = dict(resources.get("requests") or {})
    bare = {**pod, "spec": {**pod["spec"], "resources": None, "overhead": None}}
    for name, nano in pods.total_requests(bare).items():
        if _supported_at_pod_level(name):
            form: quantity.Format = "BinarySI" if name != "cpu" else "DecimalSI"
            requests.setdefault(name, str(quantity.Quantity(nano, form)))
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
    _set(namespace.setdefault("spec", {}), "finalizers", ["kubernetes"])
    _set(namespace.setdefault("status", {}), "phase", "Active")


def _secret(secret: Manifest) -> None:
    _set(secret, "type", "Opaque")
    plain = secret.pop("stringData", None)
    if plain:
        data = secret["data"] = dict(secret.get("data") or {})
        for key, text in plain.items():
            data[key] = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def _node(node: Manifest) -> None:
    node.setdefault("spec", {})
    status = node.setdefault("status", {})
    if status.get("capacity"):
        _set(status, "allocatable", dict(status["capacity"]))


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
}
