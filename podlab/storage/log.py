"""Replay of the change log. `hub` follows it for a process; pages about the past read it directly."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from podlab.apis.types import Key, Manifest
from podlab.storage import database, statements
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.models import REVISIONS, Cluster
from podlab.storage.objects import decode


@dataclass(frozen=True)
class LogEntry:
    """One committed write. `body` is the object after it (of a deletion: its last state with this revision)."""

    revision: int
    prev_revision: int
    type: str  # ADDED | MODIFIED | DELETED
    key: Key
    uid: str
    body: str
    at: datetime
    wall: datetime
    actor: str = ""
    why: str = ""
    prev_body: str | None = field(default=None, repr=False)

    @cached_property
    def obj(self) -> Manifest:
        """The decoded body, shared by all readers of this process: copy before changing it."""
        return decode(self.body)

    @cached_property
    def prev(self) -> Manifest | None:
        """The object before this write; None for ADDED. Shared like `obj`."""
        return None if self.prev_body is None else decode(self.prev_body)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which changes a reader wants; None = any."""

    cluster: str | None = None
    resource: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None

    def matches(self, entry: LogEntry) -> bool:
        key = entry.key
        return (
            (self.cluster is None or self.cluster == key.cluster)
            and (self.resource is None or self.resource == key.resource)
            and (self.namespace is None or self.namespace == key.namespace)
            and (self.name is None or self.name == key.name)
            and (self.uid is None or self.uid == entry.uid)
        )

    def conditions(self) -> dict[str, str]:
        """The same for the database."""
        wanted = {
            "cluster": self.cluster,
            "resource": self.resource,
            "namespace": self.namespace,
            "name": self.name,
            "uid": self.uid,
        }
        return {column: value for column, value in wanted.items() if value is not None}


def head() -> int:
    """The newest revision; 0 before the first write."""
    return database.counter(REVISIONS).value


def floor(cluster: str = "") -> int:
    """The oldest revision from which can be read or replayed; 0 for a recording, of which compaction takes nothing."""
    if cluster and Cluster.objects.filter(name=cluster, runtime=Cluster.Runtime.REPLAY).exists():
        return 0
    return database.counter(REVISIONS).floor


def read_after(
    revision: int,
    *,
    limit: int = 500,
    upto: int | None = None,
    cluster: str | None = None,
    resource: str | None = None,
    namespace: str | None = None,
    name: str | None = None,
    uid: str | None = None,
) -> list[LogEntry]:
    """The changes after `revision` (up to `upto`, included) in order. An empty list means there are none yet."""
    wanted = Filter(cluster=cluster, resource=resource, namespace=namespace, name=name, uid=uid)
    return read_filtered(revision, wanted, limit=limit, upto=upto)


def read_filtered(revision: int, wanted: Filter, *, limit: int = 500, upto: int | None = None) -> list[LogEntry]:
    """`read_after` for a Filter."""
    conditions, values = ["c.revision > %s"], [revision]
    if upto is not None:
        conditions.append("c.revision <= %s")
        values.append(upto)
    # With the counter in the same statement: compaction raises the floor before it takes rows away.
    rows = _rows(
        f"SELECT n.value, n.floor, {_COLUMNS} FROM storage_counter n"
        f" LEFT JOIN storage_change c ON {_where(conditions, values, wanted)}"
        " WHERE n.name = %s ORDER BY c.revision LIMIT %s",
        [*values, REVISIONS, limit],
    )
    value, floor = rows[0][:2] if rows else (0, 0)  # no counter yet: nothing was ever written
    if revision < floor:
        raise Compacted(revision, floor)
    if revision > value:
        raise FutureRevision(revision, value)
    return [_entry(row[2:]) for row in rows if row[2] is not None]


def history_of(cluster: str, uid: str, *, limit: int | None = None) -> list[LogEntry]:
    """Every change of one object that is still in the log, deleted objects too."""
    values: list[Any] = []
    query = f"SELECT {_COLUMNS} FROM storage_change c WHERE {_where([], values, Filter(cluster=cluster, uid=uid))}"
    query += " ORDER BY c.revision"
    if limit is not None:
        query += " LIMIT %s"
        values.append(limit)
    return [_entry(row) for row in _rows(query, values)]


_COLUMNS = (
    "c.revision, c.prev_revision, c.type, c.cluster, c.resource, c.namespace, c.name, c.uid, c.body, c.at, c.wall,"
    " c.actor, c.why, (SELECT p.body FROM storage_change p WHERE p.revision = c.prev_revision)"
)


def _where(conditions: list[str], values: list[Any], wanted: Filter) -> str:
    """The conditions with those of `wanted`, whose values are added."""
    found = wanted.conditions()
    for column, value in found.items():
        # By its index SQLite would look through all changes of a cluster and sort them, for the few after a revision.
        column = f"c.{column} || ''" if list(found) == ["cluster"] else f"c.{column}"
        conditions.append(f"{column} = %s")
        values.append(value)
    return " AND ".join(conditions)


def _rows(query: str, values: list[Any]) -> list[statements.Row]:
    database.revive()
    return statements.rows(query, values)


def _entry(row: statements.Row) -> LogEntry:
    revision, prev_revision, type, cluster, resource, namespace, name, uid, body, at, wall, *rest = row
    key = Key(cluster, resource, namespace, name)
    times = database.moment(at), database.moment(wall)
    return LogEntry(revision, prev_revision, type, key, uid, body, *times, *rest)
