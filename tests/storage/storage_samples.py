"""Objects to write in the tests of storage, also from worker processes."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from podlab.apis.types import Key
from podlab.storage.history import ProbeRow

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)

_uids = itertools.count(1)


def make_pod(name: str = "web", *, uid: str | None = None, **metadata: Any) -> dict[str, Any]:
    """A small pod; further arguments are fields of its metadata."""
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "default", "uid": uid or f"uid-{next(_uids)}", **metadata},
        "spec": {"containers": [{"name": "app", "image": "busybox:1.36"}]},
        "status": {"phase": "Pending"},
    }


def pod_key(name: str = "web", *, cluster: str = "main", namespace: str = "default") -> Key:
    return Key(cluster, "pods", namespace, name)


def make_probe(pod_uid: str, *, at: datetime = AT, cluster: str = "main", outcome: str = "success") -> ProbeRow:
    return ProbeRow(
        cluster=cluster,
        pod_uid=pod_uid,
        container="app",
        attempt=0,
        probe="liveness",
        at=at,
        latency_ms=1.5,
        outcome=outcome,
        run=1,
        threshold=3,
    )
