"""Pulls of images: one row each, brought up to date while it goes on and kept afterwards. The kubelet writes here, the timeline
reads. Each change takes a new number, so the hub follows them like the change log; a reader sees the last state of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from functools import partial

from django.db import transaction

from podlab.storage import database, doorbell
from podlab.storage.errors import UnknownCluster
from podlab.storage.models import PULLS, Cluster, ImagePull


@dataclass(frozen=True, slots=True)
class PullRow:
    """`total` bytes and `layers` grow while more becomes known; `finished_at` None = under way. `seq` is given when it is
    recorded."""

    cluster: str
    pod_uid: str
    container: str
    image: str
    started_at: datetime
    finished_at: datetime | None = None
    layers: int = 0
    layers_done: int = 0
    current: int = 0
    total: int = 0
    error: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class PullFilter:
    cluster: str | None = None
    pod_uid: str | None = None

    def matches(self, row: PullRow) -> bool:
        return (self.cluster is None or self.cluster == row.cluster) and (
            self.pod_uid is None or self.pod_uid == row.pod_uid
        )


_COLUMNS = [field.name for field in fields(PullRow)]
_MOST_UIDS = 400  # in one query; SQLite takes no more than 999 values
_KEY = ("cluster", "pod_uid", "container", "started_at")


def record(row: PullRow) -> PullRow:
    """Keep how far a pull is. Raises UnknownCluster and StoreBusy."""
    with database.writing():
        seq = database.lock(PULLS) + 1
        if not Cluster.objects.filter(name=row.cluster, deleting=False).exists():
            raise UnknownCluster(row.cluster)
        numbered = replace(row, seq=seq, error=database.clean(row.error))
        values = dict(zip(_COLUMNS, astuple(numbered), strict=True))
        key = {name: values.pop(name) for name in _KEY}
        ImagePull.objects.update_or_create(**key, defaults=values)
        database.advance(PULLS, seq)
        transaction.on_commit(partial(doorbell.ring, doorbell.HISTORY, seq), robust=True)
    return numbered


def head() -> int:
    """The newest number of a change; 0 before the first."""
    return database.counter(PULLS).value


def pulls_of(cluster: str, pod_uid: str) -> list[PullRow]:
    return read(0, PullFilter(cluster, pod_uid), None, None)


def pulls_among(cluster: str, uids: Collection[str]) -> list[PullRow]:
    """Of these pods, in the order of their last change."""
    database.revive()
    asked, found = sorted(uids), list[PullRow]()
    for start in range(0, len(asked), _MOST_UIDS):
        rows = ImagePull.objects.filter(cluster=cluster, pod_uid__in=asked[start : start + _MOST_UIDS])
        found += [PullRow(*row) for row in rows.values_list(*_COLUMNS)]
    return sorted(found, key=lambda row: row.seq)


def read(after: int, wanted: PullFilter | None, limit: int | None, upto: int | None) -> list[PullRow]:
    """What changed after `after`, in order; the hub reads with this."""
    database.revive()
    rows = ImagePull.objects.filter(seq__gt=after)
    if wanted is not None and wanted.cluster is not None:
        rows = rows.filter(cluster=wanted.cluster)
    if wanted is not None and wanted.pod_uid is not None:
        rows = rows.filter(pod_uid=wanted.pod_uid)
    if upto is not None:
        rows = rows.filter(seq__lte=upto)
    return [PullRow(*row) for row in rows.order_by("seq").values_list(*_COLUMNS)[:limit]]
