"""Cluster rows: made, listed, timed and deleted here. `registry.clusters` adds the objects a new cluster begins with.

A cluster is rows only, so making one is one small transaction. Every change moves the CLUSTERS counter and rings the
doorbell, and each process's hub passes on the names of the changed ones (`Hub.subscribe_clusters`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Model

from podlab import clock
from podlab.clock import LabTime
from podlab.storage import database, doorbell, statements
from podlab.storage.errors import ClusterExists, UnknownCluster
from podlab.storage.models import (
    CLUSTERS,
    HISTORY,
    REVISIONS,
    AccountGrant,
    Change,
    Cluster,
    ContainerRun,
    ContainerUsage,
    GraphContainer,
    GraphEdge,
    GraphEnvSource,
    GraphMount,
    GraphPod,
    GraphPort,
    GraphProbe,
    GraphVolume,
    ImagePull,
    Object,
    ProbeResult,
    RoleGrant,
)

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class ClusterRow:
    name: str
    uid: str
    runtime: str  # docker | sim | replay
    seed: int
    created_at: datetime  # wall time
    time: LabTime
    steps_wanted: int
    origin: str
    origin_revision: int
    origin_at: datetime | None  # lab time at which a fork began
    deleting: bool


def create(
    name: str,
    *,
    runtime: str,
    seed: int = 0,
    lab: datetime | None = None,
    speed: float = 1.0,
    paused: bool = False,
    origin: str = "",
    origin_revision: int = 0,
    origin_at: datetime | None = None,
) -> ClusterRow:
    """A new cluster. Its lab time begins at `lab` (default: wall time). Called inside a transaction, the objects that
    follow belong to the same one."""
    wall = clock.wall_now()
    with database.writing():
        number = database.lock(CLUSTERS) + 1
        if Cluster.objects.filter(name=name).exists():
            raise ClusterExists(name)
        row = Cluster.objects.create(
            name=name,
            uid=str(uuid.uuid4()),
            runtime=Cluster.Runtime(runtime),
            seed=seed,
            created_at=wall,
            anchor_wall=wall,
            anchor_lab=wall if lab is None else lab,
            speed=speed,
            paused=paused,
            origin=origin,
            origin_revision=origin_revision,
            origin_at=origin_at,
        )
        _changed(name, number)
    return _row(row)


def find(name: str) -> ClusterRow | None:
    """The cluster, or None; one that is being deleted counts as gone."""
    return next(iter(_select("WHERE name = %s AND NOT deleting", name)), None)


def get(name: str) -> ClusterRow:
    row = find(name)
    if row is None:
        raise UnknownCluster(name)
    return row


def list_all() -> list[ClusterRow]:
    """All clusters by name, without those being deleted."""
    return _select("WHERE NOT deleting ORDER BY name")


def lab_time(name: str) -> LabTime:
    return get(name).time


def set_time(name: str, change: Callable[[LabTime], LabTime]) -> LabTime:
    """Change the cluster's time line: `change` gets the present one and returns the next, under the lock."""
    with database.writing():
        number, row = _locked(name)
        time = change(_time(row))
        _put_time(row, time)
        row.save(update_fields=["anchor_wall", "anchor_lab", "speed", "paused"])
        _changed(name, number)
    return time


def set_runtime(name: str, runtime: str) -> ClusterRow:
    """The cluster goes on with another runtime, from now on at wall time."""
    wall = clock.wall_now()
    with database.writing():
        number, row = _locked(name)
        row.runtime = runtime
        _put_time(row, LabTime(wall=wall, lab=wall))
        row.save(update_fields=["runtime", "anchor_wall", "anchor_lab", "speed", "paused"])
        _changed(name, number)
    return _row(row)


def set_speed(name: str, speed: float) -> LabTime:
    if not speed > 0:
        raise ValueError(f"the speed of lab time must be greater than 0, not {speed}")
    wall = clock.wall_now()
    return set_time(name, lambda time: time.changed(wall, speed=speed))


def set_paused(name: str, *, paused: bool) -> LabTime:
    wall = clock.wall_now()
    return set_time(name, lambda time: time.changed(wall, paused=paused))


def request_step(name: str) -> int:
    """Ask the clock's owner to run to the next transition and pause there; returns how many steps are wanted now."""
    with database.writing():
        number, row = _locked(name)
        row.steps_wanted += 1
        row.save(update_fields=["steps_wanted"])
        _changed(name, number)
    return row.steps_wanted


def finish_step(name: str, lab: datetime) -> LabTime:
    """The owner of the clock took one wanted step: lab time stands paused at `lab`."""
    wall = clock.wall_now()
    with database.writing():
        number, row = _locked(name)
        time = _time(row).stepped(wall, lab)
        _put_time(row, time)
        row.steps_wanted = max(row.steps_wanted - 1, 0)
        row.save(update_fields=["anchor_wall", "anchor_lab", "speed", "paused", "steps_wanted"])
        _changed(name, number)
    return time


def delete(name: str) -> bool:
    """Remove the cluster and everything of it; returns whether there was one. It takes no writes from the first moment.
    The rows go in batches; a delete that was cut off is finished by calling it again, see `deleting`."""
    with database.writing():
        number = database.lock(CLUSTERS) + 1
        # Writers hold one of these while they check that the cluster lives.
        database.lock(REVISIONS)
        database.lock(HISTORY)
        if not Cluster.objects.filter(name=name).update(deleting=True):
            return False
        _changed(name, number)
    _delete_rows(name)
    with database.writing():
        number = database.lock(CLUSTERS) + 1
        Cluster.objects.filter(name=name).delete()
        _changed(name, number)
    return True


def deleting() -> list[str]:
    """Clusters whose deletion was begun and not finished; call `delete` for each when the lab starts."""
    database.revive()
    return list(Cluster.objects.filter(deleting=True).order_by("name").values_list("name", flat=True))


def _delete_rows(name: str) -> None:
    of_pod = {"pod__cluster": name}
    of_container = {"container__pod__cluster": name}
    of_cluster = {"cluster": name}
    tables: list[tuple[type[Model], dict[str, str]]] = [
        (GraphProbe, of_container),
        (GraphMount, of_container),
        (GraphPort, of_container),
        (GraphEnvSource, of_container),
        (GraphContainer, of_pod),
        (GraphVolume, of_pod),
        (GraphPod, of_cluster),
        (GraphEdge, of_cluster),
        (Object, of_cluster),
        (Change, of_cluster),
        (ContainerRun, of_cluster),
        (ProbeResult, of_cluster),
        (ContainerUsage, of_cluster),
        (ImagePull, of_cluster),
        (RoleGrant, of_cluster),
        (AccountGrant, of_cluster),
    ]
    for model, condition in tables:
        _delete_in_batches(model, condition)


def _delete_in_batches(model: type[Model], condition: dict[str, str]) -> None:
    """No transaction is long, so other clusters go on."""
    rows = model._default_manager.all()
    while True:
        with database.writing():
            keys = list(rows.filter(**condition).values_list("pk", flat=True)[:_BATCH])
            # Children are gone already: skip Django's look for them.
            rows.filter(pk__in=keys)._raw_delete(rows.db)
        if len(keys) < _BATCH:
            return


def _select(condition: str, *values: str) -> list[ClusterRow]:
    """Without the ORM: every request of the API asks for its cluster."""
    database.revive()
    rows = statements.rows(
        "SELECT name, uid, runtime, seed, created_at, anchor_wall, anchor_lab, speed, paused, steps_wanted, origin,"
        f" origin_revision, origin_at, deleting FROM storage_cluster {condition}",
        values,
    )
    return [_from_columns(*row) for row in rows]


def _from_columns(
    name: str,
    uid: str,
    runtime: str,
    seed: int,
    created_at: datetime,
    anchor_wall: datetime,
    anchor_lab: datetime,
    speed: float,
    paused: bool,
    steps_wanted: int,
    origin: str,
    origin_revision: int,
    origin_at: datetime | None,
    deleting: Any,
) -> ClusterRow:
    moment = database.moment
    time = LabTime(wall=moment(anchor_wall), lab=moment(anchor_lab), speed=speed, paused=bool(paused))
    begun = None if origin_at is None else moment(origin_at)
    return ClusterRow(
        *(name, uid, runtime, seed, moment(created_at), time, steps_wanted, origin, origin_revision, begun),
        deleting=deleting,
    )


def _locked(name: str) -> tuple[int, Cluster]:
    number = database.lock(CLUSTERS) + 1
    row = Cluster.objects.filter(name=name, deleting=False).first()
    if row is None:
        raise UnknownCluster(name)
    return number, row


def _changed(name: str, number: int) -> None:
    database.advance(CLUSTERS, number)
    transaction.on_commit(partial(doorbell.ring, doorbell.CLUSTER, name), robust=True)


def _time(row: Cluster) -> LabTime:
    return LabTime(wall=row.anchor_wall, lab=row.anchor_lab, speed=row.speed, paused=row.paused)


def _put_time(row: Cluster, time: LabTime) -> None:
    row.anchor_wall, row.anchor_lab, row.speed, row.paused = time.wall, time.lab, time.speed, time.paused


def _row(row: Cluster) -> ClusterRow:
    return ClusterRow(
        name=row.name,
        uid=row.uid,
        runtime=row.runtime,
        seed=row.seed,
        created_at=row.created_at,
        time=_time(row),
        steps_wanted=row.steps_wanted,
        origin=row.origin,
        origin_revision=row.origin_revision,
        origin_at=row.origin_at,
        deleting=row.deleting,
    )
