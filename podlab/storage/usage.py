"""What containers use now: one row each, replaced by the node that runs them. No history, no change log.

`kubelet.usage` writes every few seconds, `registry.metrics` reads for metrics.k8s.io. Losing rows costs a moment of
`kubectl top`, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from podlab.storage import database
from podlab.storage.models import HISTORY, Cluster, ContainerUsage


@dataclass(frozen=True, slots=True)
class Usage:
    """`at` is lab time; `window` are the seconds that the CPU figure is an average of."""

    cluster: str
    node: str
    namespace: str
    pod: str
    pod_uid: str
    container: str
    at: datetime
    wall: datetime
    window: float
    cpu_nano_cores: int
    memory_bytes: int


_COLUMNS = [field.name for field in fields(Usage)]


def replace(cluster: str, rows: Sequence[Usage], *, nodes: Sequence[str]) -> None:
    """Take the place of whatever these nodes said before. A cluster that is gone is no error."""
    with database.writing():
        database.lock(HISTORY)
        ContainerUsage.objects.filter(cluster=cluster, node__in=nodes).delete()
        if rows and Cluster.objects.filter(name=cluster, deleting=False).exists():
            found = [ContainerUsage(**dict(zip(_COLUMNS, astuple(row), strict=True))) for row in rows]
            ContainerUsage.objects.bulk_create(found, ignore_conflicts=True)


def of_cluster(cluster: str, namespace: str | None = None) -> list[Usage]:
    """By namespace, pod and container."""
    rows = ContainerUsage.objects.filter(cluster=cluster)
    if namespace is not None:
        rows = rows.filter(namespace=namespace)
    return [Usage(*row) for row in rows.order_by("namespace", "pod", "pk").values_list(*_COLUMNS)]
