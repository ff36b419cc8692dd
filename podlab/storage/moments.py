"""The change log as pages about the past read it: a kind in a namespace from its beginning, and which revision was when.

Unlike `log.read_after` these do not refuse what is below the floor: they tell what is left. A `namespace` of "" is the
whole cluster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Max, Min, QuerySet

from podlab.apis import times
from podlab.apis.types import Key
from podlab.storage import database, log
from podlab.storage.history import Run
from podlab.storage.log import LogEntry
from podlab.storage.models import Change
from podlab.storage.pulls import PullRow


def history_in(cluster: str, resource: str, namespace: str, *, after: int = 0, upto: int, limit: int) -> list[LogEntry]:
    """The changes of a kind in a namespace after `after` up to `upto`, deleted objects too, without their `prev`."""
    changes = Change.objects.filter(
        cluster=cluster, resource=resource, namespace=namespace, revision__gt=after, revision__lte=upto
    )
    return _entries(changes.order_by("revision"), limit)


def moment_of(cluster: str, revision: int, namespace: str = "") -> LogEntry | None:
    """The last change up to `revision`: what the lab time was then."""
    found = _entries(_changes(cluster, namespace).filter(revision__lte=revision).order_by("-revision"), 1)
    return found[0] if found else None


def revision_at(cluster: str, at: datetime) -> int | None:
    """The last revision of a cluster up to a moment of its lab time; None before its first change."""
    found = _entries(_changes(cluster, "").filter(at__lte=at).order_by("-revision"), 1)
    return found[0].revision if found else None


def superseded_at(cluster: str, revision: int) -> datetime | None:
    """When, on the clock of the wall, something was written after that revision; None while it is the last one."""
    database.revive()
    later = _changes(cluster, "").filter(revision__gt=revision)
    return later.order_by("revision").values_list("wall", flat=True).first()


def later_of(at: datetime, wanted: str | None) -> datetime:
    """The moment of a revision, or one after it that somebody asks for; what cannot be read is not asked for."""
    try:
        return at if not wanted else max(at, times.parse(wanted))
    except ValueError:
        return at


def span_of(cluster: str, namespace: str = "") -> tuple[int, int] | None:
    """The first and the last revision that can be replayed; None if there is none."""
    database.revive()
    floor = log.floor(cluster)
    found = _changes(cluster, namespace).aggregate(first=Min("revision"), last=Max("revision"))
    if found["first"] is None:
        return None
    return max(found["first"], floor), max(found["last"], floor)


def neighbours(cluster: str, revision: int, namespace: str = "") -> tuple[int | None, int | None]:
    """The revisions of the changes before and after that one."""
    changes = _changes(cluster, namespace)
    before = changes.filter(revision__lt=revision).aggregate(found=Max("revision"))["found"]
    after = changes.filter(revision__gt=revision).aggregate(found=Min("revision"))["found"]
    return before, after


def known_at(runs: Iterable[Run], at: datetime) -> list[Run]:
    """The runs as they were known at that moment."""
    begun = [run for run in runs if run.started_at is not None and run.started_at <= at]
    return [
        run
        if run.finished_at is None or run.finished_at <= at
        else replace(run, finished_at=None, exit_code=None, reason="", message="", stop_why="")
        for run in begun
    ]


def pulled_at(pulls: Iterable[PullRow], at: datetime) -> list[PullRow]:
    """The same for pulls of images; how far one had come is not kept."""
    return [
        one
        if one.finished_at is not None and one.finished_at <= at
        else replace(one, finished_at=None, layers=0, layers_done=0, current=0, total=0, error="")
        for one in pulls
        if one.started_at <= at
    ]


def _changes(cluster: str, namespace: str) -> QuerySet[Change]:
    changes = Change.objects.filter(cluster=cluster)
    return changes.filter(namespace=namespace) if namespace else changes


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
