"""The kinds of metrics.k8s.io, which are not among Kubernetes' own definitions, in the form of the schema artefact.

schema.py joins them to it. Source: k8s.io/metrics/pkg/apis/metrics/v1beta1/types.go.
"""

from __future__ import annotations

from typing import Any

_REF = "#/components/schemas/"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_BASE = "io.k8s.metrics.pkg.apis.metrics.v1beta1."
_TYPE = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
_USAGE = {
    "type": "object",
    "additionalProperties": {"$ref": f"{_REF}io.k8s.apimachinery.pkg.api.resource.Quantity"},
}


def _object(kind: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "object",
        "properties": {**_TYPE, **properties},
        "x-kubernetes-group-version-kind": [{"group": "metrics.k8s.io", "version": "v1beta1", "kind": kind}],
    }
    return {**body, "required": list(required)} if required else body


def _list(kind: str) -> dict[str, Any]:
    items = {"type": "array", "items": {"$ref": f"{_REF}{_BASE}{kind}"}}
    return _object(f"{kind}List", {"items": items, "metadata": {"$ref": f"{_REF}{_META}ListMeta"}}, "items")


_MEASURED = {
    "metadata": {"$ref": f"{_REF}{_META}ObjectMeta"},
    "timestamp": {"$ref": f"{_REF}{_META}Time"},
    "window": {"type": "string"},
}
_CONTAINERS = {"type": "array", "items": {"$ref": f"{_REF}{_BASE}ContainerMetrics"}}

DEFINITIONS: dict[str, dict[str, Any]] = {
    f"{_BASE}ContainerMetrics": {
        "type": "object",
        "required": ["name", "usage"],
        "properties": {"name": {"type": "string"}, "usage": _USAGE},
    },
    f"{_BASE}NodeMetrics": _object("NodeMetrics", {**_MEASURED, "usage": _USAGE}, "timestamp", "window", "usage"),
    f"{_BASE}NodeMetricsList": _list("NodeMetrics"),
    f"{_BASE}PodMetrics": _object(
        "PodMetrics", {**_MEASURED, "containers": _CONTAINERS}, "timestamp", "window", "containers"
    ),
    f"{_BASE}PodMetricsList": _list("PodMetrics"),
}
KINDS = {
    f"metrics.k8s.io/v1beta1/{kind}": f"{_BASE}{kind}"
    for kind in ("NodeMetrics", "NodeMetricsList", "PodMetrics", "PodMetricsList")
}
DESCRIPTIONS: dict[str, dict[str, str]] = {
    f"{_BASE}ContainerMetrics": {
        "": "ContainerMetrics sets resource usage metrics of a container.",
        "name": "The name of the container.",
        "usage": "What the container uses: cpu in cores, averaged over the window, and memory in bytes.",
    },
    f"{_BASE}NodeMetrics": {
        "": "NodeMetrics sets resource usage metrics of a node.",
        "timestamp": "The end of the time in which the usage was measured.",
        "window": "How long the usage was measured.",
        "usage": "What the containers of all pods on the node use together.",
    },
    f"{_BASE}PodMetrics": {
        "": "PodMetrics sets resource usage metrics of a pod.",
        "timestamp": "The end of the time in which the usage was measured.",
        "window": "How long the usage was measured.",
        "containers": "What each running container uses.",
    },
}
