"""The change log as pages about the past read it: a kind in a namespace from its beginning, and which revision was when.

Unlike `log.read_after` these do not refuse what is below the floor: they tell what is left.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max, Min, QuerySet

from podlab.apis.types import Key
from podlab.storage import database, log
from podlab.storage.log import LogEntry
from podlab.storage.models import Change


def history_in(cluster: str, resource: str, namespace: str, *, after: int = 0, upto: int, limit: int) -> list[LogEntry]:
    """The changes of a kind in a namespace after `after` up to `upto`, deleted objects too, without their `prev`."""
    changes = Change.objects.filter(
        cluster=cluster, resource=resource, namespace=namespace, revision__gt=after, revision__lte=upto
    )
    return _entries(changes.order_by("revision"), limit)


def moment_of(cluster: str, revision: int) -> LogEntry | None:
    """The last change of a cluster up to `revision`: what its lab time was then."""
    found = _entries(Change.objects.filter(cluster=cluster, revision__lte=revision).order_by("-revision"), 1)
    return found[0] if found else None


def revision_at(cluster: str, at: datetime) -> int | None:
    """The last revision of a cluster up to a moment of its lab time; None before its first change."""
    found = _entries(Change.objects.filter(cluster=cluster, at__lte=at).order_by("-revision"), 1)
    return found[0].revision if found else None


def span_of(cluster: str) -> tuple[int, int] | None:
    """The first and the last revision of a cluster that can be replayed; None if there is none."""
    database.revive()
    found = Change.objects.filter(cluster=cluster, revision__gte=log.floor(cluster)).aggregate(
        first=Min("revision"), last=Max("revision")
    )
    return None if found["first"] is None else (found["first"], found["last"])


def _entries(changes: QuerySet[Change], limit: int) -> list[LogEntry]:
    database.revive()
    rows = changes.values_list(
        *("revision", "prev_revision", "type", "cluster", "resource", "namespace", "name"),
        *("uid", "body", "at", "wall", "actor", "why"),
    )
    return [_entry(row) for row in rows[:limit]]


def _entry(row: tuple[Any, ...]) -> LogEntry:
    revision, prev_revision, type, cluster, resource, namespace, name, *rest = row
    return LogEntry(revision, prev_revision, type, Key(cluster, resource, namespace, name), *rest)
