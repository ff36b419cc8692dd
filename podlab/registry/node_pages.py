"""What a kubelet serves over HTTP, of what people and tools ask for: `nodes/<name>/proxy/…`. Read from the store.

`apiserver.node_proxy` calls `page`. The nodes' agents have no HTTP server of their own: everything that these pages say is
in the objects and in `storage.usage` already. Cumulative CPU time is measured by nobody here, so what Kubernetes says of it
is left out. Sources: pkg/kubelet/server/server.go, k8s.io/kubelet/pkg/apis/stats/v1alpha1, pkg/kubelet/metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from podlab.apis import field_errors, quantity, status_errors, times
from podlab.apis.types import Manifest
from podlab.registry import metrics
from podlab.registry.client import Client
from podlab.storage.usage import Usage

JSON = "application/json"
Page = tuple[str, Any]  # content type, and a manifest or bytes


def page(client: Client, node: str, path: str) -> Page:
    """`path` without slashes around it. ApiError 404 for a node or page that is not there, 503 for a node that is not
    ready."""
    obj = client.get("nodes", "", node).obj
    if not metrics.is_ready(obj):
        raise status_errors.service_unavailable(f"error trying to reach service: node {node} is not ready")
    make = _PAGES.get(path)
    if make is None:
        served = ", ".join(f"/{name}" for name in _PAGES)
        text = f"the lab plays the kubelet of node {node} and serves {served} there, not {field_errors.go_quote('/' + path)}"
        raise status_errors.ApiError(404, "NotFound", text, details={})
    return make(client, obj)


def _healthz(client: Client, node: Manifest) -> Page:
    return "text/plain; charset=utf-8", b"ok"


def _pods_of(client: Client, node: Manifest) -> list[Manifest]:
    selector = f"spec.nodeName={node['metadata']['name']}"
    return [item.obj for item in client.list("pods", None, field_selector=selector).items]


def _pods(client: Client, node: Manifest) -> Page:
    items = [
        {key: value for key, value in pod.items() if key not in {"kind", "apiVersion"}}
        for pod in _pods_of(client, node)
    ]
    return JSON, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}


def _summary(client: Client, node: Manifest) -> Page:
    meta = node["metadata"]
    rows = metrics.of_node(client.cluster, meta["name"])
    memory = _memory(rows)
    allocatable = quantity.parse(str(((node.get("status") or {}).get("allocatable") or {}).get("memory") or "0"))
    memory["availableBytes"] = max(0, int(allocatable.value) - memory["workingSetBytes"])
    whole = {
        "nodeName": meta["name"],
        "startTime": meta["creationTimestamp"],
        "cpu": _cpu(rows),
        "memory": memory,
    }
    pods = {pod["metadata"]["uid"]: pod for pod in _pods_of(client, node)}
    measured = groupby(rows, key=lambda row: row.pod_uid)
    return JSON, {"node": whole, "pods": [_pod(pods[uid], list(found)) for uid, found in measured if uid in pods]}


def _pod(pod: Manifest, rows: list[Usage]) -> Manifest:
    meta, status = pod["metadata"], pod.get("status") or {}
    started = {item["name"]: _started(item) for item in status.get("containerStatuses") or []}
    containers = [
        {"name": row.container, "startTime": started.get(row.container), "cpu": _cpu([row]), "memory": _memory([row])}
        for row in rows
    ]
    return {
        "podRef": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
        "startTime": status.get("startTime"),
        "containers": containers,
        "cpu": _cpu(rows),
        "memory": _memory(rows),
    }


def _started(status: Manifest) -> str | None:
    return ((status.get("state") or {}).get("running") or {}).get("startedAt")


def _cpu(rows: list[Usage]) -> dict[str, Any]:
    return {**_time(rows), "usageNanoCores": sum(row.cpu_nano_cores for row in rows)}


def _memory(rows: list[Usage]) -> dict[str, Any]:
    return {**_time(rows), "workingSetBytes": sum(row.memory_bytes for row in rows)}


def _time(rows: list[Usage]) -> dict[str, Any]:
    return {"time": times.rfc3339(max(row.at for row in rows))} if rows else {}


def _resource_metrics(client: Client, node: Manifest) -> Page:
    rows = metrics.of_node(client.cluster, node["metadata"]["name"])
    return _exposition(_working_sets(rows))


def _working_sets(rows: list[Usage]) -> Iterator[GaugeMetricFamily]:
    text = "Current working set in bytes of the"
    whole = GaugeMetricFamily("node_memory_working_set_bytes", f"{text} node")
    whole.add_metric([], sum(row.memory_bytes for row in rows))
    pods = GaugeMetricFamily("pod_memory_working_set_bytes", f"{text} pod", labels=["namespace", "pod"])
    containers = GaugeMetricFamily(
        "container_memory_working_set_bytes", f"{text} container", labels=["container", "namespace", "pod"]
    )
    for (namespace, pod), found in groupby(rows, key=lambda row: (row.namespace, row.pod)):
        inside = list(found)
        pods.add_metric([namespace, pod], sum(row.memory_bytes for row in inside))
        for row in inside:
            containers.add_metric([row.container, namespace, pod], row.memory_bytes)
    yield from (containers, whole, pods)


def _metrics(client: Client, node: Manifest) -> Page:
    return _exposition(_running(node["metadata"]["name"], _pods_of(client, node)))


def _running(node: str, pods: list[Manifest]) -> Iterator[GaugeMetricFamily]:
    name = GaugeMetricFamily("kubelet_node_name", "The node's name. The count is always 1.", labels=["node"])
    name.add_metric([node], 1)
    states = {"running": 0, "exited": 0, "created": 0}
    living = 0
    for pod in pods:
        found = [item.get("state") or {} for item in (pod.get("status") or {}).get("containerStatuses") or []]
        running = sum("running" in state for state in found)
        living += bool(running)
        states["running"] += running
        states["exited"] += sum("terminated" in state for state in found)
    containers = GaugeMetricFamily(
        "kubelet_running_containers", "Number of containers by state", labels=["container_state"]
    )
    for state, count in states.items():
        if count:
            containers.add_metric([state], count)
    yield from (name, containers)
    yield GaugeMetricFamily("kubelet_running_pods", "Number of pods that have a running container", value=living)


def _exposition(families: Iterator[GaugeMetricFamily]) -> Page:
    registry = CollectorRegistry()
    registry.register(_Once(list(families)))
    return CONTENT_TYPE_LATEST, generate_latest(registry)


class _Once(Collector):
    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> list[GaugeMetricFamily]:
        return self._families


_PAGES: dict[str, Callable[[Client, Manifest], Page]] = {
    "healthz": _healthz,
    "metrics": _metrics,
    "metrics/resource": _resource_metrics,
    "pods": _pods,
    "stats/summary": _summary,
}
