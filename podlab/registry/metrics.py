"""metrics.k8s.io: what pods and nodes use now, from the figures that the nodes published (`storage.usage`).

Called through `registry.computed`. As with metrics-server, a pod without fresh figures is not listed. Source:
kubernetes-sigs/metrics-server/pkg/api.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from podlab import clock
from podlab.apis import static_pods, times
from podlab.apis.types import Key, Manifest
from podlab.storage import clusters, store, usage
from podlab.storage.usage import Usage

API_VERSION = "metrics.k8s.io/v1beta1"
FRESH = timedelta(seconds=60)
WINDOW = 15.0  # seconds, said of a node on which nothing was measured
_NANO_PER_MICRO = 1000


def pods(cluster: str, namespace: str | None, name: str = "") -> Iterator[Manifest]:
    rows = _fresh(cluster, namespace)
    for (place, pod, uid), containers in groupby(rows, key=lambda row: (row.namespace, row.pod, row.pod_uid)):
        stored = None if name and name != pod else store.get(Key(cluster, "pods", place, pod))
        if stored is None or static_pods.runtime_uid(stored.obj) != uid:
            continue
        measured = list(containers)
        at = times.rfc3339(max(row.at for row in measured))
        meta: Manifest = {"name": pod, "namespace": place, "creationTimestamp": at}
        if stored.obj["metadata"].get("labels"):
            meta["labels"] = stored.obj["metadata"]["labels"]
        yield {
            **_head("PodMetrics", meta, at, measured),
            "containers": [{"name": row.container, "usage": _usage([row])} for row in measured],
        }


def nodes(cluster: str, name: str = "") -> Iterator[Manifest]:
    """A node uses what its containers use together: nothing when it is ready and runs none."""
    by_node: dict[str, list[Usage]] = {}
    for row in _fresh(cluster, None):
        by_node.setdefault(row.node, []).append(row)
    for stored in store.list_objects(cluster, "nodes", "").items:
        rows = by_node.get(stored.key.name, [])
        if (name and name != stored.key.name) or not (rows or is_ready(stored.obj)):
            continue
        at = times.rfc3339(max(row.at for row in rows) if rows else _now(cluster))
        meta: Manifest = {"name": stored.key.name, "creationTimestamp": at}
        if stored.obj["metadata"].get("labels"):
            meta["labels"] = stored.obj["metadata"]["labels"]
        yield {**_head("NodeMetrics", meta, at, rows), "usage": _usage(rows)}


def of_node(cluster: str, node: str) -> list[Usage]:
    """The figures of one node that are fresh, by namespace, pod and container."""
    return [row for row in _fresh(cluster, None) if row.node == node]


def is_ready(node: Manifest) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)


def _now(cluster: str) -> datetime:
    wall, row = clock.wall_now(), clusters.get(cluster)
    return row.time.at(wall) if row.runtime == "sim" else wall


def _fresh(cluster: str, namespace: str | None) -> list[Usage]:
    """A node of flesh that says nothing any more is not believed; a simulated one that rests says nothing new."""
    rows = usage.of_cluster(cluster, namespace)
    found = clusters.find(cluster)
    if found is None or found.runtime == "sim":
        return rows
    oldest = clock.wall_now() - FRESH
    return [row for row in rows if row.wall >= oldest]


def _head(kind: str, meta: Manifest, at: str, rows: list[Usage]) -> Manifest:
    window = max((row.window for row in rows), default=WINDOW)
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": meta,
        "timestamp": at,
        "window": f"{window:g}s",
    }


def _usage(rows: Iterable[Usage]) -> Manifest:
    """CPU in microcores rounded up, memory in whole KiB."""
    cpu, memory = 0, 0
    for row in rows:
        cpu += row.cpu_nano_cores
        memory += row.memory_bytes
    return {"cpu": f"{-(-cpu // _NANO_PER_MICRO)}u", "memory": f"{memory // 1024}Ki"}
