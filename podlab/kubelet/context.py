"""What every part of one kubelet shares (`Context`) and what it remembers of one pod (`PodState`).

A `PodState` is disposable: everything in it can be rebuilt from the API, the runtime and the run history, and is after
the agent was replaced.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from podlab.apis.types import Manifest
from podlab.clock import Clock, Timer
from podlab.kubelet.ahead import Ahead
from podlab.kubelet.backoff import Entry
from podlab.kubelet.claim_folders import Held
from podlab.kubelet.claim_folders import Place as ClaimPlace
from podlab.kubelet.container_status import StartProblem
from podlab.kubelet.environment import Facts, Lookup
from podlab.kubelet.image_records import ImageRecords
from podlab.kubelet.images import Pull
from podlab.kubelet.kill import Kill
from podlab.kubelet.puller import Puller
from podlab.kubelet.resize import Allocation, Pending, Progress, with_allocation
from podlab.kubelet.runs import Runs
from podlab.kubelet.status import Forced
from podlab.kubelet.termination_message import with_messages
from podlab.kubelet.volume_folders import Folders
from podlab.registry.client import Client
from podlab.registry.events import Recorder
from podlab.runtime.images import ImageInfo
from podlab.runtime.interface import ContainerStatus, MachineInfo, PlacesFiles, PodRef, PodStatus, Runtime
from podlab.runtime.node_files import NodeFile

if TYPE_CHECKING:
    from podlab.kubelet.log_pump import LogPump
    from podlab.kubelet.prober.manager import ProbeManager

Aside = Callable[[Callable[[], None]], "Future[None]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One node's surroundings. `dispatch(uid)` asks for a sync soon; `aside` does short work beside it; `room_made` has the resizes looked
    at that did not fit; `waits(uid)`: a static pod whose forerunner has not ended; `preempt(uid, why)`: this pod
    gives way to a critical one; `forget(uid)` drops a pod that is over and gone. `pods` are those let in, as allocated."""

    cluster: str
    node: str
    address: str
    runtime: Runtime
    machine: MachineInfo
    clock: Clock
    client: Client
    recorder: Recorder
    lookup: Lookup
    runs: Runs
    probes: ProbeManager
    pump: LogPump
    pod_root: Path
    volume_root: Path  # of claims
    memory_root: Path | None
    host_access: frozenset[str]
    puller: Puller
    image_records: ImageRecords
    pressures: Callable[[], frozenset[str]]  # the conditions of the node that are true
    log_root: Path
    cluster_dns: Callable[[], str]
    limit_set: Callable[[], None]  # a pod with a limit of storage has come
    places: PlacesFiles | None  # a simulated node's runtime, which keeps the files of volumes
    pods: Callable[[], list[Manifest]]
    rng: random.Random
    dispatch: Callable[[str], None]
    aside: Aside
    room_made: Callable[[], None]
    waits: Callable[[str], bool]
    preempt: Callable[[str, str], None]
    forget: Callable[[str], None]

    def observe(self, ref: PodRef) -> PodStatus:
        """What the runtime shows of a pod, with the termination messages of its ended containers."""
        observed = self.runtime.pod_status(ref)
        if self.machine.simulated:
            return observed
        return with_messages(self.pod_root / ref.uid, observed, self.runtime.recent_output)

    def folders(self, uid: str) -> Folders:
        return Folders(self.pod_root / uid, self.memory_root / uid if self.memory_root is not None else None)

    def claim_place(self) -> ClaimPlace:
        return ClaimPlace(
            node=self.node,
            labels=lambda: self.client.get("nodes", "", self.node).obj["metadata"].get("labels") or {},
            root=None if self.machine.simulated else self.volume_root,
            host_access=self.host_access,
        )

    def facts(self, pod_ip: str) -> Facts:
        return Facts(
            pod_ip=pod_ip,
            node_ip=self.address,
            allocatable_cpu_milli=self.machine.cpu_milli,
            allocatable_memory=self.machine.memory_bytes,
        )


class Stage(StrEnum):
    """Never backwards (pkg/kubelet/pod_workers.go)."""

    SYNC = "sync"
    TERMINATING = "terminating"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class Retry:
    """Nothing is tried again before `at`, unless the pod was changed (`generation`)."""

    at: datetime
    generation: int


@dataclass(slots=True)
class PodState:
    ref: PodRef
    pod: Manifest | None = None  # None: containers without an object
    revision: int = 0
    gone: bool = False  # the object has been deleted
    static: bool = False  # it comes from a file; `revision` is then its mirror's
    removed: bool = False  # the file has gone or holds another pod now
    mirror: Manifest | None = None  # what the API has of a static pod
    stage: Stage = Stage.SYNC
    end_why: str = ""
    forced: Forced | None = None
    grace: int | None = None  # what an eviction leaves the containers
    allocation: Allocation | None = None  # the resources granted, by container
    actual: dict[str, Manifest] = field(default_factory=dict)  # what running containers were given, by id
    resize_pending: Pending | None = None
    resize_progress: Progress | None = None
    handler: str | None = None  # of its RuntimeClass; None: not looked up yet
    restarting: str = ""  # why all containers are being restarted
    problems: dict[str, StartProblem] = field(default_factory=dict)  # by container
    pulls: dict[str, Pull] = field(default_factory=dict)  # by container, or image volume of one
    backoffs: dict[tuple[str, str], Entry] = field(default_factory=dict)  # by container and what it runs
    retries: dict[str, Retry] = field(default_factory=dict)  # by container; "" = the sandbox
    announced: dict[str, int] = field(default_factory=dict)  # container → attempt whose back-off has its event
    kills: dict[str, Kill] = field(default_factory=dict)  # by container id
    replacing: set[str] = field(default_factory=set)  # only asked for membership
    hooks: dict[str, str] = field(default_factory=dict)  # container id → running | failed: … | "", of postStart
    last_started: str = ""
    end_shown: bool = False  # the ends of all containers were stored, before the phase that follows
    mounted: bool = False
    unpacked: dict[str, str] = field(default_factory=dict)  # image volume → "", what went wrong, or under way
    placed: dict[str, Mapping[str, NodeFile]] = field(default_factory=dict)  # by volume or path: on a simulated node
    held: dict[str, Held] = field(default_factory=dict)  # what its claims give it, by volume
    sandbox_told: bool = False  # the event about a changed sandbox was given
    volumes_of: Manifest | None = None  # the metadata that the volumes were last made for
    volumes_due: datetime | None = None  # when they are looked at again although nothing changed
    mount_failures: int = 0
    mount_retry: datetime | None = None
    admitted: bool = False  # the node has let the pod in
    makes_room: set[str] = field(default_factory=set)  # uids of pods that are ended for this one
    adopted: bool = False  # run history was read
    told: dict[tuple[str, int], bool] = field(default_factory=dict)  # (container, attempt) → history knows the end
    start_whys: dict[str, str] = field(default_factory=dict)  # container id → why
    stop_whys: dict[str, str] = field(default_factory=dict)
    written: Manifest | None = None  # the status as stored last by us
    drained_by: datetime | None = None  # until when the end of the log is waited for
    storing: Future[None] | None = None  # a status that is being stored meanwhile
    making_ahead: Future[None] | None = None  # the container after the one that is being started
    ahead: Ahead | None = None
    images_seen: dict[str, ImageInfo] = field(default_factory=dict)  # in this sync, by reference
    wake: datetime | None = None
    timer: Timer | None = None
    working: bool = False
    dirty: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def leaving(self) -> bool:
        """Nobody wants this pod any more: what is left of it goes too."""
        deleted = self.pod is None or self.pod["metadata"].get("deletionTimestamp") is not None
        return deleted or self.gone or self.removed

    @property
    def granted(self) -> Manifest | None:
        """The pod as the node runs it: with the resources that were granted."""
        if self.pod is None or self.allocation is None:
            return self.pod
        return with_allocation(self.pod, self.allocation)

    def take(self, pod: Manifest, revision: int) -> bool:
        """Learn a newer version of the object; False if it is not newer."""
        with self.lock:
            if revision <= self.revision:
                return False
            self.pod, self.revision = pod, revision
            return True

    def put_off(self, name: str, at: datetime) -> None:
        """Try again at `at`, not with every sync that something else brings."""
        self.retries[name] = Retry(at, self._generation())
        self.wake_at(at)

    def is_put_off(self, name: str, now: datetime) -> bool:
        retry = self.retries.get(name)
        if retry is None or now >= retry.at or retry.generation != self._generation():
            self.retries.pop(name, None)
            return False
        self.wake_at(retry.at)
        return True

    def forget_run(self, status: ContainerStatus) -> None:
        """A dead container was removed; its run is in history."""
        self.told.pop((status.name, status.attempt), None)
        for held in (self.actual, self.start_whys, self.stop_whys):
            held.pop(status.id, None)
        self.replacing.discard(status.id)

    def _generation(self) -> int:
        return int((self.pod or {}).get("metadata", {}).get("generation") or 0)

    def wish(self) -> datetime | None:
        """When the sync that just ran wants to come again."""
        return self.wake

    def wake_at(self, when: datetime) -> None:
        """Ask for another sync at `when`; the earliest wish counts."""
        if self.wake is None or when < self.wake:
            self.wake = when
