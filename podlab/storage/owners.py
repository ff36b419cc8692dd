"""Who belongs to whom, read from the graph's owner edges. For `controllers.garbage_collector`; edges are written with the
objects, in one transaction, so they are never behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from podlab.apis.types import Key
from podlab.storage import database, statements
from podlab.storage.graph_models import GraphEdge

_EDGE = "e.cluster, e.from_resource, e.namespace, e.from_name, e.from_uid"


@dataclass(frozen=True, slots=True)
class Member:
    """An object by its key, and which of that name."""

    key: Key
    uid: str


def dependents(owner: Member) -> list[Member]:
    """The objects that name `owner` as one, in the order in which they did so. An owner in a namespace has none elsewhere:
    a reference across namespaces is one to nothing."""
    # The namespace is not for SQL: SQLite would look through all edges of it instead of those to this uid.
    rows = _from(GraphEdge.objects.filter(cluster=owner.key.cluster, type="owner", to_uid=owner.uid))
    place = owner.key.namespace
    return [row for row in rows if row.key.namespace == place] if place else rows


def users(cluster: str, namespace: str, resource: str, name: str) -> list[Member]:
    """The pods that mount this object."""
    rows = GraphEdge.objects.filter(cluster=cluster, namespace=namespace, type="mounts")
    return _from(rows.filter(to_resource=resource, to_name=name))


def _from(rows: QuerySet[GraphEdge]) -> list[Member]:
    fields = rows.order_by("id").values_list("cluster", "from_resource", "namespace", "from_name", "from_uid")
    return list(dict.fromkeys(_member(row) for row in fields))


def dangling(cluster: str) -> list[Member]:
    """The objects with an owner that is not there (any more)."""
    return _members(
        f"SELECT {_EDGE} FROM storage_graphedge e LEFT JOIN storage_object o ON o.cluster = e.cluster AND o.uid = e.to_uid"
        " WHERE e.cluster = %s AND e.type = 'owner' AND o.uid IS NULL ORDER BY e.id",
        [cluster],
    )


def mentioning(cluster: str, words: Sequence[str]) -> list[Member]:
    """The objects with one of these words in quotation marks somewhere in them: a sieve, for a closer look."""
    where = " OR ".join(["o.body LIKE %s"] * len(words))
    return _members(
        "SELECT o.cluster, o.resource, o.namespace, o.name, o.uid FROM storage_object o"
        f" WHERE o.cluster = %s AND ({where}) ORDER BY o.created_revision",
        [cluster, *(f'%"{word}"%' for word in words)],
    )


def _members(query: str, values: list[Any]) -> list[Member]:
    database.revive()
    return list(dict.fromkeys(_member(row) for row in statements.rows(query, values)))


def _member(row: Sequence[Any]) -> Member:
    return Member(Key(row[0], row[1], row[2], row[3]), row[4])
