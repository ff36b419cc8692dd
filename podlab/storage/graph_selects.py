"""Edges of type selects: from an object with a label selector to the pods of its namespace that match now.

They depend on two objects, so both sides keep them: a write of a pod asks the selecting objects of its namespace, a write
of a selecting object asks the pods. Called by `graph.apply` in the write's transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from podlab.apis.selectors import LabelSelector, SelectorError, from_label_selector
from podlab.apis.types import Key, Manifest
from podlab.storage import statements
from podlab.storage.graph_models import GraphEdge
from podlab.storage.models import Object
from podlab.storage.objects import Stored, decode

logger = logging.getLogger(__name__)

# Resources whose spec.selector selects pods: a LabelSelector, or a plain map of labels.
LABEL_SELECTORS = (
    "daemonsets.apps",
    "deployments.apps",
    "jobs.batch",
    "poddisruptionbudgets.policy",
    "replicasets.apps",
    "statefulsets.apps",
)
LABEL_MAPS = ("replicationcontrollers", "services")
SELECTING = (*LABEL_SELECTORS, *LABEL_MAPS)


def apply(before: Stored | None, after: Stored | None) -> None:
    either = after or before
    if either is None:
        return
    if either.key.resource == "pods":
        _pod_changed(before, after)
    elif either.key.resource in SELECTING:
        _selector_changed(before, after)


def selects(resource: str, obj: Manifest) -> LabelSelector | None:
    """The selector of an object; None if it selects no pods."""
    selector = (obj.get("spec") or {}).get("selector")
    if not selector:
        return None
    try:
        return from_label_selector({"matchLabels": selector} if resource in LABEL_MAPS else selector)
    except SelectorError:
        logger.warning("the selector of a stored object of %s cannot be read", resource)
        return None


def _pod_changed(before: Stored | None, after: Stored | None) -> None:
    if before is not None and after is not None and _labels(before.obj) == _labels(after.obj):
        return
    pod = after or before
    if pod is None:
        return
    # In most namespaces nothing selects: this one read is all.
    selecting = list(_objects(pod.key, SELECTING))
    if not selecting:
        return
    if before is not None:
        _forget(pod.key, "to_uid", pod.uid)
    if after is not None:
        labels = _labels(after.obj)
        _insert([_edge(key, uid, after.key, after.uid) for key, uid, obj in selecting if _matches(key, obj, labels)])


def _selector_changed(before: Stored | None, after: Stored | None) -> None:
    old = selects(before.key.resource, before.obj) if before is not None else None
    new = selects(after.key.resource, after.obj) if after is not None else None
    if old == new:
        return
    if before is not None:
        _forget(before.key, "from_uid", before.uid)
    if after is not None and new is not None:
        pods = _objects(after.key, ("pods",))
        _insert([_edge(after.key, after.uid, key, uid) for key, uid, obj in pods if new.matches(_labels(obj))])


def _matches(key: Key, obj: Manifest, labels: Mapping[str, str]) -> bool:
    selector = selects(key.resource, obj)
    return selector is not None and selector.matches(labels)


def _labels(obj: Manifest) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def _objects(near: Key, resources: tuple[str, ...]) -> Iterator[tuple[Key, str, Manifest]]:
    places = ", ".join(["%s"] * len(resources))
    rows = statements.rows(
        f"SELECT resource, name, uid, body FROM {Object._meta.db_table}"
        f" WHERE cluster = %s AND resource IN ({places}) AND namespace = %s",
        [near.cluster, *resources, near.namespace],
    )
    for resource, name, uid, body in rows:
        yield Key(near.cluster, resource, near.namespace, name), uid, decode(body)


def _edge(start: Key, start_uid: str, pod: Key, pod_uid: str) -> GraphEdge:
    return GraphEdge(
        cluster=start.cluster,
        type="selects",
        namespace=start.namespace,
        from_resource=start.resource,
        from_name=start.name,
        from_uid=start_uid,
        to_resource=pod.resource,
        to_name=pod.name,
        to_uid=pod_uid,
    )


def _forget(near: Key, column: str, uid: str) -> None:
    statements.change(
        f"DELETE FROM storage_graphedge WHERE cluster = %s AND {column} = %s AND type = 'selects'", [near.cluster, uid]
    )


def _insert(edges: Iterable[GraphEdge]) -> None:
    if wanted := list(edges):
        GraphEdge.objects.bulk_create(wanted)
