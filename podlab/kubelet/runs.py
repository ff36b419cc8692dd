"""The memory of container runs and probe results as the kubelet needs it. `history_runs` keeps it in the database;
tests bring their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from podlab.runtime.interface import ContainerStatus, PodRef


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """A run as history has it; `finished_at` None = not ended, as far as it was told."""

    container: str
    attempt: int
    image: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeNote:
    """One probe result on its way into history."""

    pod_uid: str
    container: str
    attempt: int
    probe: str
    at: datetime
    latency_ms: float
    outcome: str
    message: str
    run: int
    threshold: int
    caused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullNote:
    """How far the pull of an image for a container is. `started` tells the pulls of a container apart."""

    pod_uid: str
    container: str
    image: str
    started: datetime
    finished: datetime | None = None
    layers: int = 0
    layers_done: int = 0
    current: int = 0  # bytes
    total: int = 0
    error: str = ""


class Runs(Protocol):
    def started(self, pod: PodRef, status: ContainerStatus, *, image: str, why: str) -> None:
        """A run has begun. Telling it twice changes nothing."""
        ...

    def finished(self, pod: PodRef, status: ContainerStatus, *, why: str) -> None:
        """A run has ended. Telling it twice changes nothing."""
        ...

    def of(self, uid: str) -> list[KnownRun]:
        """Every run of a pod, by container and attempt."""
        ...

    def pulling(self, note: PullNote) -> None:
        """Keep how far a pull is; never raises, for nothing hangs on it."""
        ...

    def probed(self, notes: list[ProbeNote]) -> None:
        """Keep a batch of probe results."""
        ...
