"""What is measured inside a process of the lab, through the registry as every door does."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from podlab import clock
from podlab.apis import times
from podlab.apis.types import Key, Manifest
from podlab.registry import clusters, identity
from podlab.storage import history, store
from podlab.storage.history import ProbeRow, Run
from podlab.storage.history_models import ProbeResult

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


def crowd(count: int) -> int:
    """A namespace `crowd` of `count` pods that came within ten minutes, with 96 probe results each; nobody plays them.
    Returns how many probe results there are."""
    begin = clock.wall_now() - timedelta(minutes=10)
    _namespace("crowd")
    rows: list[ProbeRow] = []
    for number in range(count):
        at = begin + timedelta(seconds=number * 0.3)
        uid, key = f"crowd-{number}", Key("main", "pods", "crowd", f"web-{number:04}")
        store.create(key, _crowded(key, uid, at, running=False), at=at, actor="bench", why="")
        started = at + timedelta(seconds=2)
        running = _crowded(key, uid, at, running=True)
        store.update(key, running, expect=None, at=started, actor="bench", why="The image is here.")
        history.start_run(Run("main", "crowd", key.name, uid, "app", 0, "node-a", "sim://1", "busybox", started))
        rows += [_probe(uid, started + timedelta(seconds=2 * one), one) for one in range(96)]
    for start in range(0, len(rows), 5000):
        history.record_probes(rows[start : start + 5000])
    return len(rows)


def rows(count: int) -> int:
    """A namespace `rows` of `count` pods that wait."""
    now = clock.wall_now()
    _namespace("rows")
    for number in range(count):
        key = Key("main", "pods", "rows", f"web-{number:05}")
        store.create(key, _crowded(key, f"rows-{number}", now, running=False), at=now, actor="bench", why="")
    return count


def _namespace(name: str) -> None:
    clusters.client_for("main", BENCH).create(
        "namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    )


def _crowded(key: Key, uid: str, at: datetime, *, running: bool) -> Manifest:
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 2}
    container = {"name": "app", "image": "busybox:1.36", "livenessProbe": probe}
    status: Manifest = {"phase": "Pending"}
    if running:
        state = {"running": {"startedAt": times.rfc3339(at)}}
        ready = {"type": "Ready", "status": "True"}
        one = {"name": "app", "state": state, "restartCount": 0, "ready": True}
        status = {"phase": "Running", "conditions": [ready], "containerStatuses": [one]}
    meta = {"name": key.name, "namespace": key.namespace, "uid": uid, "creationTimestamp": times.rfc3339(at)}
    spec = {"containers": [container], "schedulerName": "bench"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def _probe(uid: str, at: datetime, number: int) -> ProbeRow:
    failed = number % 24 == 23
    outcome, caused = ("failure", "") if failed else ("success", "")
    return ProbeRow("main", uid, "app", 0, "liveness", at, 3.0 + number % 40, outcome, 1, 3, "", caused)


def probe_gaps(since: int) -> list[float]:
    """Seconds between every two consecutive probes of a container that began after `since` (Unix time)."""
    begin = datetime.fromtimestamp(since, UTC)
    rows = ProbeResult.objects.filter(at__gte=begin).order_by("pod_uid", "container", "probe", "at")
    gaps = []
    before: tuple[tuple[str, ...], datetime] | None = None
    for *key, at in rows.values_list("pod_uid", "container", "probe", "at"):
        if before is not None and before[0] == tuple(key):
            gaps.append((at - before[1]).total_seconds())
        before = tuple(key), at
    return gaps
