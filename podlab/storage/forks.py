"""Everything of a cluster as it was at a revision, and a new simulated cluster that begins with it: the rows of a fork.

`registry.forking` decides who may fork, at which moment and what goes along.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from django.db import connection

from podlab import clock
from podlab.apis.types import Manifest
from podlab.storage import clusters, database, log, moments, recordings
from podlab.storage.clusters import ClusterRow
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.history import Run
from podlab.storage.log import LogEntry
from podlab.storage.models import CLUSTERS, Change, Cluster, ContainerRun
from podlab.storage.objects import Stored, encode
from podlab.storage.reads import stored


def all_at(cluster: str, revision: int) -> list[Stored]:
    """Every object of a cluster at `revision`, in the order in which they were last written. Compacted below the floor
    (recordings have none), FutureRevision above the newest."""
    database.revive()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.cluster, o.resource, o.namespace, o.name, o.uid, o.revision, o.created_revision, o.body"
            " FROM storage_change o WHERE o.type <> 'DELETED' AND o.revision IN"
            " (SELECT max(i.revision) FROM storage_change i WHERE i.cluster = %s AND i.revision <= %s"
            " GROUP BY i.resource, i.namespace, i.name) ORDER BY o.revision",
            [cluster, revision],
        )
        found = [stored(row) for row in cursor.fetchall()]
    floor, head = log.floor(cluster), log.head()  # after the read: the floor is raised before rows go
    if revision < floor:
        raise Compacted(revision, floor)
    if revision > head:
        raise FutureRevision(revision, head)
    return found


def runs_until(cluster: str, uids: Collection[str], at: datetime) -> list[Run]:
    """The runs of these pods' containers as they were known at `at`."""
    database.revive()
    rows = ContainerRun.objects.filter(cluster=cluster, started_at__lte=at).order_by("id")
    found = (Run(**row) for row in rows.values(*(field.name for field in fields(Run))).iterator())
    return moments.known_at((run for run in found if run.pod_uid in uids), at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """`at` is the lab time of the moment, from which the fork goes on."""

    name: str
    source: str
    revision: int
    at: datetime
    seed: int
    paused: bool
    actor: str
    why: str


def create(
    fork: Fork, objects: Iterable[tuple[Stored, Manifest]], runs: Iterable[Run], furnish: Callable[[], None]
) -> ClusterRow:
    """The new cluster with these objects, as they are to be there, with these runs of containers behind it and what
    `furnish` adds: one transaction.
    ClusterExists if there is one of that name, UnknownCluster if the source went meanwhile."""
    with database.writing():
        database.lock(CLUSTERS)
        clusters.get(fork.source)
        row = clusters.create(
            fork.name,
            runtime=Cluster.Runtime.SIM,
            seed=fork.seed,
            lab=fork.at,
            paused=fork.paused,
            origin=fork.source,
            origin_revision=fork.revision,
            origin_at=fork.at,
        )
        wall = clock.wall_now()
        changes = [_added(fork, one, obj, wall) for one, obj in objects]
        recordings.insert(fork.name, changes)
        recordings.insert_runs(fork.name, runs)
        furnish()
    return row


def _added(fork: Fork, one: Stored, obj: Manifest, wall: datetime) -> LogEntry:
    body = encode(obj, one.revision)
    return LogEntry(
        one.revision, 0, Change.Type.ADDED, one.key, one.uid, body, fork.at, wall, actor=fork.actor, why=fork.why
    )
