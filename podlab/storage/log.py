"""Replay of the change log. `hub` follows it for a process; pages about the past read it directly."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from podlab.apis.types import Key, Manifest
from podlab.storage import database
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.models import REVISIONS, Change
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


def floor() -> int:
    """The oldest revision from which can be read or replayed."""
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
    database.revive()
    changes = Change.objects.filter(revision__gt=revision, **wanted.conditions())
    if upto is not None:
        changes = changes.filter(revision__lte=upto)
    entries = _entries(changes, limit)
    # Afterwards, because compaction raises the floor before it takes rows away.
    state = database.counter(REVISIONS)
    if revision < state.floor:
        raise Compacted(revision, state.floor)
    if revision > state.value:
        raise FutureRevision(revision, state.value)
    return entries


def history_of(cluster: str, uid: str, *, limit: int | None = None) -> list[LogEntry]:
    """Every change of one object that is still in the log, deleted objects too."""
    database.revive()
    return _entries(Change.objects.filter(cluster=cluster, uid=uid), limit)


def _entries(changes: QuerySet[Change], limit: int | None) -> list[LogEntry]:
    previous = Change.objects.filter(revision=OuterRef("prev_revision")).values("body")
    rows = changes.order_by("revision").values_list(
        *("revision", "prev_revision", "type", "cluster", "resource", "namespace", "name"),
        *("uid", "body", "at", "wall", "actor", "why"),
        Subquery(previous),
    )
    return [_entry(row) for row in rows[:limit]]


def _entry(row: tuple[Any, ...]) -> LogEntry:
    revision, prev_revision, type, cluster, resource, namespace, name, *rest = row
    return LogEntry(revision, prev_revision, type, Key(cluster, resource, namespace, name), *rest)
