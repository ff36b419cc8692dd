"""Container runs and probe results of one node in the history tables."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from podlab.kubelet.runs import KnownRun, ProbeNote, PullNote
from podlab.runtime.interface import ContainerStatus, PodRef
from podlab.storage import history, pulls
from podlab.storage.errors import StoreBusy, UnknownCluster

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HistoryRuns:
    """`writer` keeps probe results that cannot be written now; without one they are written at once, or lost."""

    cluster: str
    node: str
    writer: history.ProbeWriter | None = None

    def started(self, pod: PodRef, status: ContainerStatus, *, image: str, why: str) -> None:
        history.start_run(
            history.Run(
                cluster=self.cluster,
                namespace=pod.namespace,
                pod=pod.name,
                pod_uid=pod.uid,
                container=status.name,
                attempt=status.attempt,
                node=self.node,
                container_id=status.id,
                image=image,
                started_at=status.started_at,
                start_why=why,
            )
        )

    def finished(self, pod: PodRef, status: ContainerStatus, *, why: str) -> None:
        history.finish_run(
            self.cluster,
            pod.uid,
            status.name,
            status.attempt,
            finished_at=status.finished_at or status.started_at or status.created_at,
            exit_code=status.exit_code,
            reason=status.reason,
            message=status.message,
            why=why,
        )

    def of(self, uid: str) -> list[KnownRun]:
        runs = [
            KnownRun(
                container=run.container,
                attempt=run.attempt,
                image=run.image,
                started_at=run.started_at,
                finished_at=run.finished_at,
            )
            for run in history.runs_of(self.cluster, uid)
        ]
        return sorted(runs, key=lambda run: (run.container, run.attempt))

    def pulling(self, note: PullNote) -> None:
        row = pulls.PullRow(
            cluster=self.cluster,
            pod_uid=note.pod_uid,
            container=note.container,
            image=note.image[:512],
            started_at=note.started,
            finished_at=note.finished,
            layers=note.layers,
            layers_done=note.layers_done,
            current=note.current,
            total=note.total,
            error=note.error,
        )
        try:
            pulls.record(row)
        except (StoreBusy, UnknownCluster) as error:
            logger.warning("how far the pull of %s is was not written: %s", note.image, error)

    def probed(self, notes: list[ProbeNote]) -> None:
        rows = [
            history.ProbeRow(
                cluster=self.cluster,
                pod_uid=note.pod_uid,
                container=note.container,
                attempt=note.attempt,
                probe=note.probe,
                at=note.at,
                latency_ms=note.latency_ms,
                outcome=note.outcome,
                run=note.run,
                threshold=note.threshold,
                message=note.message,
                caused=note.caused,
            )
            for note in notes
        ]
        if self.writer is not None:
            for row in rows:
                self.writer.add(row)
            return
        try:
            history.record_probes(rows)
        except (StoreBusy, UnknownCluster) as error:
            logger.warning("%d probe results of node %s are lost: %s", len(rows), self.node, error)
