"""One simulated cluster: its lab clock, a kubelet and a simulated runtime for each node, its scheduler and chores.

Single-threaded and deterministic: `run` fires timers in order, and before lab time moves on, everything that follows from
what happened is done: changes are read from the log, fed to the actors, and what they ask for is worked off until nothing
is left. A change that somebody else wrote at lab time t is applied after the timers due before t. `host` owns the worlds
and says up to when to run. State lives in the store and in the runtimes' journals, so a world can be closed at any time.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from podlab.apis.status_errors import ApiError
from podlab.clock import LabClock, monotonic
from podlab.controllers.manager import Manager
from podlab.kubelet import usage
from podlab.kubelet.agent import Kubelet
from podlab.registry.client import Client
from podlab.registry.clusters import MAIN
from podlab.registry.events import Recorder
from podlab.registry.identity import system
from podlab.registry.service_network import CLUSTER_DNS
from podlab.registry.service_network import network as network_of
from podlab.runtime.errors import NotFound
from podlab.runtime.sim.runtime import SimRuntime
from podlab.scheduler import bind, cycle, work
from podlab.scheduler.assumed import Assumed
from podlab.scheduler.event_ttl import EventTtl
from podlab.scheduler.queue import SchedulingQueue
from podlab.services.catalogue import Catalogue
from podlab.simhost import network, node_size
from podlab.simhost.pod_network import PodNetwork
from podlab.storage import log
from podlab.storage.clusters import ClusterRow
from podlab.storage.errors import Compacted
from podlab.storage.log import LogEntry

logger = logging.getLogger(__name__)

Job = tuple[str, ...]  # ("sync", node, uid) | ("schedule", namespace, name) | ("control", controller, key)

# More jobs than this at one instant of lab time mean that two actors answer each other for ever.
JOBS_AT_ONCE = 100_000
# A step looks no further ahead than this for something that changes.
STEP_HORIZON = timedelta(days=7)
STEP_TIMERS = 200_000


class World:
    def __init__(self, row: ClusterRow, *, data: Path, now: datetime, stream_address: str = "") -> None:
        """`now` is the lab time at which the world is taken up; `open` does the work. `stream_address` is what its nodes
        publish."""
        self.name = row.name
        self.uid = row.uid
        self.clock = LabClock(now)
        self.revision = 0  # of the change log, read up to here
        self._seed = row.seed
        self._origin = str(row.origin_revision) if row.origin_at is not None else ""
        self._data = data
        self._stream_address = stream_address
        self._kubelets: dict[str, Kubelet] = {}
        self._runtimes: dict[str, SimRuntime] = {}
        self._jobs: dict[Job, None] = {}  # in order, each once
        self._pending: deque[LogEntry] = deque()  # read, and not applied yet
        self._visible = 0  # changes that a person would see
        self._addresses: dict[str, str] = {}
        self._dns = str(network_of(row.name)[CLUSTER_DNS])  # what pods ask, as far as their files say
        self._catalogue = Catalogue()
        self._network = PodNetwork(self._catalogue, self._runtimes, self._addresses)
        client = self._client("scheduler")
        self._recorder = Recorder(client, cycle.NAME, "", self.clock.now)
        self._scheduling = SchedulingQueue(self.clock, lambda namespace, name: self._ask("schedule", namespace, name))
        self._assumed = Assumed()
        self._events = EventTtl(self.clock, self._forget_event)
        self._controllers = self._manager()

    @property
    def next_due(self) -> datetime | None:
        """The lab time at which something happens by itself; None = not before somebody changes something."""
        times = [entry.at for entry in self._pending]
        due = self.clock.next_due()
        return min([*times, due] if due is not None else times, default=None)

    @property
    def nodes(self) -> list[str]:
        return list(self._kubelets)

    @property
    def streaming(self) -> bool:
        """Somebody has a stream open into one of its pods."""
        return any(runtime.streaming for runtime in self._runtimes.values())

    def publish_usage(self) -> None:
        """Tell what the containers use, for `kubectl top`."""
        usage.publish(self.name, self._runtimes, self.clock.now())

    def kubelet(self, node: str) -> Kubelet:
        found = self._kubelets.get(node)
        if found is None:
            raise NotFound(f"node {node} of cluster {self.name} is not played here")
        return found

    def open(self) -> None:
        """Take over what the store and the journals say. May be called again to read everything anew."""
        self.close()
        client = self._client("controller")
        self.revision = log.head()
        self._catalogue.load(client)
        for stored in sorted(client.list("nodes", None).items, key=lambda one: one.created_revision):
            self._add_node(stored.key.name)
        work.load(client, self._scheduling, self._events)
        self._controllers = self._manager()
        self._controllers.load()
        self._settle()

    def close(self) -> None:
        """Let go of everything. Containers live on in the journals."""
        for name in list(self._kubelets):
            self._drop_node(name)
        self._scheduling.close()
        self._events.close()
        self._controllers.close()
        self._jobs.clear()
        self._pending.clear()

    def run(self, until: datetime, *, seconds: float | None = None) -> bool:
        """Bring lab time to `until`. False: it took more than so many seconds of real time, and there is more to do."""
        begun = monotonic()
        for kubelet in list(self._kubelets.values()):
            kubelet.look_at_files()
        self._settle()
        while True:
            if seconds is not None and monotonic() - begun > seconds:
                return False
            change = min((entry.at for entry in self._pending), default=None)
            limit = until if change is None else min(change, until)
            if self.clock.fire_next(limit):
                self._settle()
            elif change is not None and change <= until:
                self.clock.advance(change)
                self._settle()
            else:
                self.clock.advance(until)
                return True

    def step(self) -> bool:
        """Run to the next moment at which something changes that a person can see, and stay there. False if nothing
        would ever change by itself; lab time then stands where it stood."""
        self._settle()
        before, horizon = self._visible, self.clock.now() + STEP_HORIZON
        for _ in range(STEP_TIMERS):
            due = self.next_due
            if due is None or due > horizon:
                break
            self.run(due)
            if self._visible != before:
                return True
        return False

    # What follows from what

    def _settle(self) -> None:
        """Do everything that is to be done at the present lab time."""
        for _ in range(JOBS_AT_ONCE):
            self._read()
            applied = self._apply_due()
            if self._jobs:
                job = next(iter(self._jobs))
                del self._jobs[job]
                self._do(job)
            elif not applied:
                return
        logger.error("cluster %s does not come to rest at %s; still to do: %s", self.name, self.clock.now(), self._jobs)

    def _read(self) -> None:
        try:
            while entries := log.read_after(self.revision, cluster=self.name):
                self._pending.extend(entries)
                self.revision = entries[-1].revision
        except Compacted:
            logger.warning("cluster %s: the change log was shortened: reading everything anew", self.name)
            self.open()

    def _apply_due(self) -> bool:
        """Feed the changes up to now. One that is stamped later waits, unless a newer one of the same object is due (an
        actor wrote on top of it): the states of an object come in the order of the log."""
        now = self.clock.now()
        last = {entry.uid: entry.revision for entry in self._pending if entry.at <= now}
        if not last:
            return False
        due = [entry for entry in self._pending if entry.revision <= last.get(entry.uid, 0)]
        self._pending = deque(entry for entry in self._pending if entry.revision > last.get(entry.uid, 0))
        for entry in due:
            self._apply(entry)
        return True

    def _apply(self, entry: LogEntry) -> None:
        if entry.key.resource == "nodes":
            self._node_changed(entry)
        elif not (entry.key.resource == "events" and entry.type == "DELETED"):
            self._visible += 1
        for kubelet in list(self._kubelets.values()):
            kubelet.on_change(entry)
        self._catalogue.apply(entry)
        self._scheduling.on_change(entry)
        self._events.on_change(entry)
        self._controllers.on_change(entry)

    def _ask(self, *job: str) -> None:
        self._jobs.setdefault(job)

    def _do(self, job: Job) -> None:
        """One job. A failure is told and does not stop the world: each has its own way of coming back."""
        try:
            if job[0] == "sync":
                kubelet = self._kubelets.get(job[1])
                if kubelet is not None:
                    kubelet.sync_pod(job[2])
            elif job[0] == "schedule":
                client = self._client("scheduler")
                now = self.clock.now()
                bind.schedule_one(
                    client, self._recorder, job[1], job[2], now=now, assumed=self._assumed, seed=self._seed
                )
            else:
                self._controllers.work(job[1], job[2])
        except Exception:
            logger.exception("cluster %s: %s failed", self.name, " ".join(job))

    def _forget_event(self, namespace: str, name: str, uid: str) -> None:
        work.forget_event(self._client("controller"), namespace, name, uid)

    def _manager(self) -> Manager:
        return Manager(self.name, self.clock, lambda controller, key: self._ask("control", controller, key))

    def _client(self, component: str) -> Client:
        return Client(self.name, system(component), self.clock.now)

    # Nodes

    def _node_changed(self, entry: LogEntry) -> None:
        name = entry.key.name
        if entry.type == "DELETED":
            self._drop_node(name)
        elif name not in self._kubelets:
            try:
                self._add_node(name)
            except ApiError as error:
                if error.code != 404:  # gone again already: its deletion is among the changes that follow
                    raise

    def _add_node(self, name: str) -> None:
        client = self._client("kubelet")
        subnet = network.subnet_of(client, name)
        meta = client.get("nodes", "", name).obj["metadata"]
        cpu_milli, memory_bytes = node_size.of(meta.get("annotations") or {})
        runtime = SimRuntime(
            cluster=self.name,
            node=name,
            clock=self.clock,
            seed=self._seed,
            journal=journal_folder(self._data, self.uid) / f"{name}.jsonl",
            subnet=subnet,
            cpu_milli=cpu_milli,
            memory_bytes=memory_bytes,
            network=self._network,
            origin=self._origin,
        )
        self._addresses[name] = network.address(subnet)
        static = self._data / "static" / self.name / name
        if self.name == MAIN:
            static.mkdir(parents=True, exist_ok=True)  # to be found; elsewhere somebody who wants it makes it
        kubelet = Kubelet(
            cluster=self.name,
            node=name,
            runtime=runtime,
            clock=self.clock,
            client=client,
            recorder=Recorder(client, "kubelet", name, self.clock.now),
            log_root=self._data / "logs" / self.name,
            pod_root=self._data / "pods" / self.name / name,
            dispatch=self._sync(name),
            address=network.address(subnet),
            rng=random.Random(f"{self._seed}/{name}"),
            stream_address=self._stream_address,
            static_folder=static,
            cluster_dns=lambda: self._dns,
        )
        self._runtimes[name], self._kubelets[name] = runtime, kubelet
        kubelet.start()

    def _sync(self, node: str) -> Callable[[str], None]:
        return lambda uid: self._ask("sync", node, uid)

    def _drop_node(self, name: str) -> None:
        kubelet, runtime = self._kubelets.pop(name, None), self._runtimes.pop(name, None)
        self._addresses.pop(name, None)
        if kubelet is not None:
            kubelet.stop()
        if runtime is not None:
            runtime.close()


def journal_folder(data: Path, cluster_uid: str) -> Path:
    """By uid: a cluster that gets the name of a deleted one begins with empty nodes."""
    return data / "sim" / cluster_uid
