"""The defaults that pods and pod templates share (SetDefaults_PodSpec and what hangs on it in core/v1/defaults.go).

defaults.py calls this for pods, default_workloads.py for the templates of apps and batch. Idempotent, in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podlab.apis import default_volumes, image_names
from podlab.apis.types import Manifest

TERMINATION_MESSAGE_PATH = "/dev/termination-log"
CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")


def set_empty(target: Manifest, name: str, value: Any) -> None:
    """Absent, null and empty are one thing to Go's defaulting."""
    if not target.get(name):
        target[name] = value


def set_absent(target: Manifest, name: str, value: Any) -> None:
    """A pointer counts as set even when it points at zero."""
    if target.get(name) is None:
        target[name] = value


def pod_spec(spec: Manifest) -> None:
    """The part that pod templates share with pods."""
    set_empty(spec, "restartPolicy", "Always")
    set_empty(spec, "dnsPolicy", "ClusterFirst")
    set_empty(spec, "schedulerName", "default-scheduler")
    set_absent(spec, "securityContext", {})
    set_absent(spec, "terminationGracePeriodSeconds", 30)
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name
    for container in containers(spec, *CONTAINER_LISTS):
        _container(container)
    for volume in spec.get("volumes") or []:
        default_volumes.apply(volume)
    default_volumes.round_up(spec.get("overhead"))
    if spec.get("resources"):
        default_volumes.round_up(spec["resources"].get("requests"))
        default_volumes.round_up(spec["resources"].get("limits"))


def containers(spec: Manifest, *lists: str) -> Iterator[Manifest]:
    for name in lists:
        yield from spec.get(name) or []


def _container(container: Manifest) -> None:
    set_empty(container, "imagePullPolicy", image_names.pull_policy(container.get("image") or ""))
    set_empty(container, "terminationMessagePath", TERMINATION_MESSAGE_PATH)
    set_empty(container, "terminationMessagePolicy", "File")
    resources = container.setdefault("resources", {})
    default_volumes.round_up(resources.get("requests"))
    default_volumes.round_up(resources.get("limits"))
    for port in container.get("ports") or []:
        set_empty(port, "protocol", "TCP")
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
    set_empty(probe, "timeoutSeconds", 1)
    set_empty(probe, "periodSeconds", 10)
    set_empty(probe, "successThreshold", 1)
    set_empty(probe, "failureThreshold", 3)
    _handler(probe)
    if probe.get("grpc") is not None:
        set_absent(probe["grpc"], "service", "")


def _handler(handler: Manifest) -> None:
    if handler.get("httpGet") is not None:
        set_empty(handler["httpGet"], "path", "/")
        set_empty(handler["httpGet"], "scheme", "HTTP")
    for name in ("httpGet", "tcpSocket"):
        if handler.get(name) is not None:
            set_absent(handler[name], "port", 0)


def template(holder: Manifest) -> None:
    """The `template` of a workload, made when it is missing: in Go it is a struct and always there."""
    found = holder.get("template")
    if found is None:
        found = holder["template"] = {}
    if found.get("metadata") is None:
        found["metadata"] = {}
    if found.get("spec") is None:
        found["spec"] = {}
    pod_spec(found["spec"])
