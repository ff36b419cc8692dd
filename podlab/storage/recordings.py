"""A stretch of a cluster's log as plain rows, and a cluster made of such rows again: what a run file holds.

`registry.recordings` decides who may do it and what is believed; here are only the rows. A recording is a cluster of
runtime `replay`: its lab time stands at its last change, nobody plays it, and `store` refuses to write to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q

from podlab import clock
from podlab.apis.types import Key
from podlab.storage import clusters, database, doorbell, graph, history
from podlab.storage.clusters import ClusterRow
from podlab.storage.log import LogEntry
from podlab.storage.models import REVISIONS, Change, Cluster, ContainerRun, Object
from podlab.storage.objects import Stored, decode, encode

_BATCH = 500
_COLUMNS = (
    *("revision", "prev_revision", "type", "cluster", "resource", "namespace", "name"),
    *("uid", "body", "at", "wall", "actor", "why"),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """Rows in their order, of whichever cluster they were read from. Numbers are those of that lab."""

    changes: Sequence[LogEntry]
    runs: Sequence[history.Run]
    probes: Sequence[history.ProbeRow]


def read_changes(cluster: str, namespace: str, resources: Sequence[str], *, most: int) -> list[LogEntry]:
    """All that is left of the changes of a namespace: of these resources in it, of the namespace and of the nodes. At
    most `most`, the newest ones."""
    database.revive()
    wanted = Q(namespace=namespace, resource__in=resources)
    wanted |= Q(namespace="", resource="namespaces", name=namespace) | Q(namespace="", resource="nodes")
    rows = Change.objects.filter(wanted, cluster=cluster, resource__in=resources).order_by("-revision")
    found = [_entry(row) for row in rows.values_list(*_COLUMNS)[:most]]
    return found[::-1]


def _entry(row: tuple) -> LogEntry:  # type: ignore[type-arg]
    revision, prev_revision, type, cluster, resource, namespace, name, *rest = row
    return LogEntry(revision, prev_revision, type, Key(cluster, resource, namespace, name), *rest)


def create(name: str, recording: Recording, *, origin: str) -> ClusterRow:
    """A cluster of these rows, in one transaction. ClusterExists if there is one of that name; ValueError if the recording
    has no change."""
    if not recording.changes:
        raise ValueError("a recording needs at least one change")
    with database.writing():
        last = recording.changes[-1].at
        row = clusters.create(name, runtime=Cluster.Runtime.REPLAY, lab=last, paused=True, origin=origin)
        insert(name, recording.changes)
        insert_runs(name, recording.runs)
        history.record_probes([replace(probe, cluster=name) for probe in recording.probes])
    return row


def insert(cluster: str, changes: Sequence[LogEntry]) -> None:
    """Changes of another cluster, in their order, as the first ones of this new one, and the objects that are there after
    them. Part of the transaction that makes the cluster."""
    with database.writing():
        first = database.lock(REVISIONS) + 1
        _insert_objects(_insert_changes(cluster, changes, first))
        head = first + len(changes) - 1
        database.advance(REVISIONS, head)
        transaction.on_commit(partial(doorbell.ring, doorbell.REVISION, head), robust=True)


def insert_runs(cluster: str, runs: Iterable[history.Run]) -> None:
    """The same for runs of containers."""
    rows = [ContainerRun(**_run(cluster, run)) for run in runs]
    ContainerRun.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)


def _insert_changes(cluster: str, changes: Sequence[LogEntry], first: int) -> list[Stored]:
    """Number them anew; returns the objects that are there at the end."""
    numbers: dict[int, int] = {}
    created: dict[Key, int] = {}
    living: dict[Key, Stored] = {}
    wall = clock.wall_now()
    rows: list[Change] = []
    for number, old in enumerate(changes, first):
        numbers[old.revision] = number
        key = replace(old.key, cluster=cluster)
        previous = numbers.get(old.prev_revision, 0)
        # What was compacted before it is not told: the first change of an object makes it.
        type = old.type if previous or old.type == Change.Type.DELETED else Change.Type.ADDED
        if type == Change.Type.ADDED:
            created[key] = number
        state = Stored(key, old.uid, number, created.get(key, number), encode(decode(old.body), number))
        living.pop(key, None)
        if type != Change.Type.DELETED:
            living[key] = state
        rows.append(_change(state, previous, type, old, wall))
        if len(rows) == _BATCH:
            Change.objects.bulk_create(rows)
            rows = []
    Change.objects.bulk_create(rows)
    return list(living.values())


def _change(state: Stored, previous: int, type: str, old: LogEntry, wall: datetime) -> Change:
    key = state.key
    return Change(
        revision=state.revision,
        prev_revision=previous,
        created_revision=state.created_revision,
        type=type,
        cluster=key.cluster,
        resource=key.resource,
        namespace=key.namespace,
        name=key.name,
        uid=state.uid,
        body=state.body,
        at=old.at,
        wall=wall,
        actor=old.actor[:128],
        why=database.clean(old.why),
    )


def _insert_objects(final: Sequence[Stored]) -> None:
    rows = [
        Object(
            cluster=state.key.cluster,
            resource=state.key.resource,
            namespace=state.key.namespace,
            name=state.key.name,
            uid=state.uid,
            revision=state.revision,
            created_revision=state.created_revision,
            body=state.body,
        )
        for state in final
    ]
    Object.objects.bulk_create(rows, batch_size=_BATCH)
    for state in final:
        graph.apply(None, state)


def _run(cluster: str, run: history.Run) -> Mapping[str, object]:
    values = {name: getattr(run, name) for name in run.__dataclass_fields__}
    return values | {"cluster": cluster}


def read_history(cluster: str, uids: Sequence[str]) -> Iterator[tuple[list[history.Run], list[history.ProbeRow]]]:
    """Of each pod the runs of its containers and the results of its probes."""
    for uid in uids:
        yield history.runs_of(cluster, uid), history.probes_of(cluster, uid)
