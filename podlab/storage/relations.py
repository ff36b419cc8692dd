"""What belongs to what in a namespace: from the graph tables for the present, from the change log for the past.

For the object graph of the pages. Both answers are made of the same edges (`graph.project`, `graph_selects.selects`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from podlab.apis.types import Key
from podlab.storage import database, graph, graph_selects, reads
from podlab.storage.graph_models import GraphEdge
from podlab.storage.objects import Stored

# What a namespace's graph is made of. Others show up as the end of an edge only.
RESOURCES = (
    *("services", "deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch"),
    *("cronjobs.batch", "replicationcontrollers", "poddisruptionbudgets.policy", "pods"),
    *("persistentvolumeclaims", "configmaps", "secrets"),
)


@dataclass(frozen=True, slots=True)
class Relation:
    """`type` is owner (from the owned to the owner), selects, mounts or scheduled-on, as in the table."""

    type: str
    start: tuple[str, str]  # resource, name
    end: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Relations:
    objects: Sequence[Stored]
    edges: Sequence[Relation]


def present(cluster: str, namespace: str, resources: Sequence[str] = RESOURCES) -> Relations:
    """As it is now, by the tables."""
    database.revive()
    objects = [item for key in resources for item in reads.list_objects(cluster, key, namespace).items]
    rows = GraphEdge.objects.filter(cluster=cluster, namespace=namespace).order_by("id")
    edges = [
        Relation(type, (start, name), (end, other))
        for type, start, name, end, other in rows.values_list(
            "type", "from_resource", "from_name", "to_resource", "to_name"
        )
        if start in resources
    ]
    return Relations(objects, edges)


def past(cluster: str, namespace: str, revision: int, resources: Sequence[str] = RESOURCES) -> Relations:
    """As it was at a revision. Compacted and FutureRevision as for every read of the past."""
    objects = [item for key in resources for item in reads.list_at(revision, cluster, key, namespace).items]
    return Relations(objects, [*_projected(objects), *_selected(objects)])


def _projected(objects: Iterable[Stored]) -> Iterator[Relation]:
    for item in objects:
        for edge in graph.project(item.key.resource, item.obj).edges:
            yield Relation(edge.type, _name(item.key), (edge.to_resource, edge.to_name))


def _selected(objects: Sequence[Stored]) -> Iterator[Relation]:
    pods = [item for item in objects if item.key.resource == "pods"]
    for item in objects:
        if item.key.resource not in graph_selects.SELECTING:
            continue
        selector = graph_selects.selects(item.key.resource, item.obj)
        for pod in pods if selector is not None else ():
            if selector is not None and selector.matches(pod.obj["metadata"].get("labels") or {}):
                yield Relation("selects", _name(item.key), _name(pod.key))


def _name(key: Key) -> tuple[str, str]:
    return key.resource, key.name
