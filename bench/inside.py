"""What is measured inside a process of the lab, through the registry as every door does."""

from __future__ import annotations

import time
from typing import Any

from podlab.registry import clusters, identity

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "app", "image": "busybox:1.36", "command": ["sleep", "3600"]}]},
}
BENCH = identity.system("bench")


def make_clusters(count: int) -> list[float]:
    """Seconds to make each of `count` simulated clusters of two nodes."""
    seconds = []
    for number in range(count):
        begin = time.perf_counter()
        clusters.create_sim(f"bench-{number}", nodes=("node-a", "node-b"), seed=number, identity=BENCH)
        seconds.append(time.perf_counter() - begin)
    return seconds


def create_pods(count: int) -> list[float]:
    """Seconds to create each of `count` pods, with defaults, admission, validation and the graph; no scheduler takes them."""
    client = clusters.client_for("main", BENCH)
    seconds = []
    for number in range(count):
        pod = {**POD, "metadata": {"name": f"bench-{number}"}, "spec": {**POD["spec"], "schedulerName": "bench"}}
        begin = time.perf_counter()
        client.create("pods", pod, namespace="default")
        seconds.append(time.perf_counter() - begin)
    return seconds


def list_pods(count: int) -> list[float]:
    """Seconds for each of `count` lists of the namespace."""
    client = clusters.client_for("main", BENCH)
    seconds = []
    for _ in range(count):
        begin = time.perf_counter()
        client.list("pods", "default")
        seconds.append(time.perf_counter() - begin)
    return seconds
