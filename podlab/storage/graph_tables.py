"""The SQL side of the projection, called by `graph.apply`.

Row ids come from revisions, which are never used twice: a pod's row has the revision that created the pod, a container's
the revision that wrote it and its position. So parents and children can be inserted without asking for ids in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet

from podlab.storage import statements
from podlab.storage.graph_models import (
    GraphContainer,
    GraphEdge,
    GraphEnvSource,
    GraphMount,
    GraphPod,
    GraphPort,
    GraphProbe,
    GraphVolume,
)
from podlab.storage.objects import Stored

if TYPE_CHECKING:
    from podlab.storage.graph import Container, Edge, Pod, Projection, Volume

_MOST_CONTAINERS = 2**16


def change(stored: Stored, old: Projection, new: Projection) -> None:
    """Write the difference. `stored` is the object's newest state."""
    pod_id = stored.created_revision
    if old.containers != new.containers:
        if old.containers:
            _drop_containers(pod_id)
        _insert_containers(pod_id, stored.revision, new.containers)
    if old.volumes != new.volumes:
        if old.volumes:
            _raw_delete(GraphVolume.objects.filter(pod_id=pod_id))
        _insert_volumes(pod_id, new.volumes)
    if old.pod != new.pod:
        _change_pod(stored, old.pod, new.pod)
    if old.edges != new.edges:
        if old.edges:
            own = GraphEdge.objects.filter(cluster=stored.key.cluster, from_uid=stored.uid)
            _raw_delete(own.exclude(type="selects"))
        _insert_edges(stored, new.edges)


def _change_pod(stored: Stored, old: Pod | None, new: Pod | None) -> None:
    pod_id = stored.created_revision
    if new is None:
        _raw_delete(GraphPod.objects.filter(id=pod_id))
    elif old is None:
        _insert(GraphPod, [{"id": pod_id, "cluster": stored.key.cluster, "uid": stored.uid, **_columns(new)}])
    else:
        changed = {f.name: getattr(new, f.name) for f in fields(new) if getattr(new, f.name) != getattr(old, f.name)}
        GraphPod.objects.filter(id=pod_id).update(**changed)


def _drop_containers(pod_id: int) -> None:
    of_pod = GraphContainer.objects.filter(pod_id=pod_id)
    of_containers = list(of_pod.values_list("id", flat=True))
    for child in (GraphProbe, GraphMount, GraphPort, GraphEnvSource):
        _raw_delete(child._default_manager.filter(container_id__in=of_containers))
    _raw_delete(of_pod)


def _insert_containers(pod_id: int, revision: int, containers: Iterable[Container]) -> None:
    rows: dict[type[Model], list[dict[str, Any]]] = {
        model: [] for model in (GraphContainer, GraphProbe, GraphMount, GraphPort, GraphEnvSource)
    }
    for container in containers:
        row_id = revision * _MOST_CONTAINERS + container.position
        columns = _columns(container)
        children = {
            GraphProbe: columns.pop("probes"),
            GraphMount: columns.pop("mounts"),
            GraphPort: columns.pop("ports"),
            GraphEnvSource: columns.pop("env_sources"),
        }
        rows[GraphContainer].append({"id": row_id, "pod_id": pod_id, **columns})
        for model, items in children.items():
            rows[model] += [{"container_id": row_id, **_columns(item)} for item in items]
    for model, wanted in rows.items():
        _insert(model, wanted)


def _insert_volumes(pod_id: int, volumes: Iterable[Volume]) -> None:
    _insert(GraphVolume, [{"pod_id": pod_id, **_columns(volume)} for volume in volumes])


def _insert_edges(stored: Stored, edges: Iterable[Edge]) -> None:
    key = stored.key
    start = {
        "cluster": key.cluster,
        "namespace": key.namespace,
        "from_resource": key.resource,
        "from_name": key.name,
        "from_uid": stored.uid,
    }
    _insert(GraphEdge, [{**start, **_columns(edge)} for edge in edges])


def _columns(row: object) -> dict[str, Any]:
    """Like asdict, without its deep copies, which took a sixth of a write."""
    return {name: getattr(row, name) for name in row.__slots__}  # type: ignore[attr-defined]


def _insert(model: type[Model], rows: list[dict[str, Any]]) -> None:
    """Plain INSERTs: this runs in every write of a pod, and bulk_create costs three times as much."""
    if not rows:
        return
    query = _insertion(model, tuple(rows[0]))
    if len(rows) == 1:
        statements.change(query, list(rows[0].values()))
    else:
        statements.change_many(query, [list(row.values()) for row in rows])


@cache
def _insertion(model: type[Model], columns: tuple[str, ...]) -> str:
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({places})"


def _raw_delete(rows: QuerySet[Any]) -> None:
    """Without Django's look for rows that refer to them: this module deletes children first."""
    rows._raw_delete(rows.db)
