"""The roles and bindings of a cluster, and a stamp that says whether they are still the same. For `registry.rbac`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from podlab.apis.types import Manifest
from podlab.storage import database, statements
from podlab.storage.models import Cluster
from podlab.storage.objects import decode


@dataclass(frozen=True, slots=True)
class Stamp:
    """Any change gives a larger `newest` or a smaller `count`, and no later change brings an earlier pair back with other
    objects behind it: revisions are never used twice. `uid` is the cluster's."""

    uid: str
    count: int
    newest: int


def stamp(cluster: str, resources: Sequence[str]) -> Stamp | None:
    """None for a cluster that is not there, is being deleted, or is the recording of a run."""
    marks = ", ".join(["%s"] * len(resources))
    database.revive()
    row = statements.row(
        "SELECT c.uid, count(o.id), coalesce(max(o.revision), 0) FROM storage_cluster c LEFT JOIN storage_object o"
        f" ON o.cluster = c.name AND o.resource IN ({marks})"
        " WHERE c.name = %s AND c.runtime <> %s AND NOT c.deleting GROUP BY c.uid",
        [*resources, cluster, Cluster.Runtime.REPLAY.value],
    )
    return None if row is None else Stamp(*row)


def objects(cluster: str, resources: Sequence[str]) -> list[Manifest]:
    marks = ", ".join(["%s"] * len(resources))
    found = statements.rows(
        f"SELECT o.body FROM storage_object o WHERE o.cluster = %s AND o.resource IN ({marks})", [cluster, *resources]
    )
    return [decode(body) for (body,) in found]


def is_settled() -> bool:
    """Whether what is read here stays: outside of a transaction, which could still be undone."""
    return not connection.in_atomic_block
