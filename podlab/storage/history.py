"""What Kubernetes forgets and the lab keeps: every run of a container and every probe. The kubelet writes it here.

Times are lab time. Probe results are numbered by a counter of their own, so the hub follows them like the change log.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from functools import partial

from django.db import connections, transaction

from podlab.storage import database, doorbell
from podlab.storage.errors import StoreBusy, UnknownCluster
from podlab.storage.models import HISTORY, Cluster, ContainerRun, ProbeResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """One start of one container; `finished_at` is None while it runs."""

    cluster: str
    namespace: str
    pod: str
    pod_uid: str
    container: str
    attempt: int  # the restartCount of this run
    node: str
    container_id: str
    image: str
    started_at: datetime | None
    start_why: str = ""
    finished_at: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    stop_why: str = ""


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """One probe. `seq` is given when it is recorded."""

    cluster: str
    pod_uid: str
    container: str
    attempt: int
    probe: str  # startup | liveness | readiness
    at: datetime
    latency_ms: float
    outcome: str  # success | failure | error | warning
    run: int  # consecutive equal outcomes, this one included
    threshold: int  # failureThreshold or successThreshold, as the outcome goes
    message: str = ""
    caused: str = ""  # restart | ready | unready | started, when it crossed the threshold
    seq: int = 0


@dataclass(frozen=True, slots=True)
class ProbeFilter:
    cluster: str | None = None
    pod_uid: str | None = None

    def matches(self, row: ProbeRow) -> bool:
        return (self.cluster is None or self.cluster == row.cluster) and (
            self.pod_uid is None or self.pod_uid == row.pod_uid
        )


_MOST_UIDS = 400  # in one query; SQLite takes no more than 999 values
_RUN_COLUMNS = [field.name for field in fields(Run)]
_PROBE_COLUMNS = [field.name for field in fields(ProbeRow)]


def start_run(run: Run) -> None:
    """Keep that a container started. Said twice (a kubelet that was restarted), the first stays; another container in the
    place of one that has ended (a static pod's file came back: its uid is the same again) takes over."""
    with database.writing():
        database.lock(HISTORY)
        _require_cluster(run.cluster)
        values = {name: _cleaned(getattr(run, name)) for name in _RUN_COLUMNS}
        place = {name: values[name] for name in ("cluster", "pod_uid", "container", "attempt")}
        ended = ContainerRun.objects.filter(**place, finished_at__isnull=False)
        ended.exclude(container_id=values["container_id"]).delete()
        ContainerRun.objects.bulk_create([ContainerRun(**values)], ignore_conflicts=True)


def finish_run(
    cluster: str,
    pod_uid: str,
    container: str,
    attempt: int,
    *,
    finished_at: datetime,
    exit_code: int | None,
    reason: str = "",
    message: str = "",
    why: str = "",
) -> bool:
    """Keep how a run ended; False if it is unknown or had ended before."""
    with database.writing():
        database.lock(HISTORY)
        return bool(
            ContainerRun.objects.filter(
                cluster=cluster, pod_uid=pod_uid, container=container, attempt=attempt, finished_at=None
            ).update(
                finished_at=finished_at,
                exit_code=exit_code,
                reason=reason[:64],
                message=database.clean(message),
                stop_why=database.clean(why),
            )
        )


def runs_of(cluster: str, pod_uid: str) -> list[Run]:
    """All runs of a pod's containers in the order of their start."""
    database.revive()
    rows = ContainerRun.objects.filter(cluster=cluster, pod_uid=pod_uid).order_by("id")
    return [Run(**row) for row in rows.values(*_RUN_COLUMNS)]


def runs_in(cluster: str, namespace: str) -> list[Run]:
    """All runs in a namespace in the order of their start."""
    database.revive()
    rows = ContainerRun.objects.filter(cluster=cluster, namespace=namespace).order_by("id")
    return [Run(**row) for row in rows.values(*_RUN_COLUMNS)]


def record_probes(rows: Sequence[ProbeRow]) -> list[ProbeRow]:
    """Keep probe results, all in one transaction and in this order; returns them with their numbers. Those of a cluster
    that is gone are dropped."""
    with database.writing():
        seq = database.lock(HISTORY)
        alive = set(_live_clusters({row.cluster for row in rows}))
        kept = [row for row in rows if row.cluster in alive]
        numbered = [
            replace(row, seq=number, message=database.clean(row.message)) for number, row in enumerate(kept, seq + 1)
        ]
        if numbered:
            ProbeResult.objects.bulk_create(
                [ProbeResult(**dict(zip(_PROBE_COLUMNS, astuple(row), strict=True))) for row in numbered]
            )
            database.advance(HISTORY, numbered[-1].seq)
            transaction.on_commit(partial(doorbell.ring, doorbell.HISTORY, numbered[-1].seq), robust=True)
    return numbered


def probes_of(cluster: str, pod_uid: str, after_seq: int = 0, *, limit: int | None = None) -> list[ProbeRow]:
    return read_probes(after_seq, ProbeFilter(cluster, pod_uid), limit, None)


def latest_probes(cluster: str, pod_uid: str, count: int) -> list[ProbeRow]:
    """The last `count` results of a pod's probes, oldest first."""
    database.revive()
    rows = ProbeResult.objects.filter(cluster=cluster, pod_uid=pod_uid).order_by("-seq")
    return [ProbeRow(*row) for row in rows.values_list(*_PROBE_COLUMNS)[:count]][::-1]


def read_probes(after_seq: int, wanted: ProbeFilter | None, limit: int | None, upto: int | None) -> list[ProbeRow]:
    """Probe results after `after_seq` in order; the hub reads them with this."""
    database.revive()
    rows = ProbeResult.objects.filter(seq__gt=after_seq)
    if wanted is not None and wanted.cluster is not None:
        rows = rows.filter(cluster=wanted.cluster)
    if wanted is not None and wanted.pod_uid is not None:
        rows = rows.filter(pod_uid=wanted.pod_uid)
    if upto is not None:
        rows = rows.filter(seq__lte=upto)
    return [ProbeRow(*row) for row in rows.order_by("seq").values_list(*_PROBE_COLUMNS)[:limit]]


def probes_between(cluster: str, uids: Sequence[str], begin: datetime, end: datetime, *, limit: int) -> list[ProbeRow]:
    """Probe results of these pods between two moments, in order; of more than `limit` the newest."""
    database.revive()
    found: list[ProbeRow] = []
    for start in range(0, len(uids), _MOST_UIDS):
        wanted = uids[start : start + _MOST_UIDS]
        rows = ProbeResult.objects.filter(cluster=cluster, pod_uid__in=wanted, at__gte=begin, at__lte=end)
        found += [ProbeRow(*row) for row in rows.order_by("-seq").values_list(*_PROBE_COLUMNS)[:limit]]
    return sorted(found, key=lambda row: row.seq)[-limit:]


def probe(cluster: str, seq: int) -> ProbeRow | None:
    database.revive()
    row = ProbeResult.objects.filter(cluster=cluster, seq=seq).values_list(*_PROBE_COLUMNS).first()
    return None if row is None else ProbeRow(*row)


def head() -> int:
    """The newest number of a probe result; 0 before the first."""
    return database.counter(HISTORY).value


class ProbeWriter:
    """Collects probe results and records them together, at most `delay` seconds later: a node with many probes makes few
    transactions. `add` never waits; what cannot be written now is kept up to `keep` results and tried again."""

    def __init__(
        self,
        *,
        delay: float = 0.1,
        keep: int = 10_000,
        record: Callable[[Sequence[ProbeRow]], object] = record_probes,
    ) -> None:
        self._delay = delay
        self._record = record
        self._rows: deque[ProbeRow] = deque(maxlen=keep)
        self._wake = threading.Condition()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe-writer", daemon=True)
        self._thread.start()

    def add(self, row: ProbeRow) -> None:
        with self._wake:
            self._rows.append(row)
            self._wake.notify()

    def close(self) -> None:
        """Write what is left and stop."""
        self._closed.set()
        with self._wake:
            self._wake.notify()
        self._thread.join(5)

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                with self._wake:
                    while not self._rows and not self._closed.is_set():
                        self._wake.wait()
                # A moment for others to come along; writing itself collects more.
                self._closed.wait(self._delay)
                self._write()
            self._write()  # what came, or was put back, while it closed
        finally:
            connections.close_all()

    def _write(self) -> None:
        with self._wake:
            rows = list(self._rows)
            self._rows.clear()
        if not rows:
            return
        try:
            self._record(rows)
        except Exception as error:
            logger.warning("probe results could not be written and are kept for later: %s", error)
            if not isinstance(error, StoreBusy):
                connections.close_all()
            with self._wake:
                room = (self._rows.maxlen or 0) - len(self._rows)
                self._rows.extendleft(reversed(rows[-room:] if room else []))


def _live_clusters(names: set[str]) -> list[str]:
    return list(Cluster.objects.filter(name__in=names, deleting=False).values_list("name", flat=True))


def _require_cluster(name: str) -> None:
    if not _live_clusters({name}):
        raise UnknownCluster(name)


def _cleaned(value: object) -> object:
    return database.clean(value) if isinstance(value, str) else value
