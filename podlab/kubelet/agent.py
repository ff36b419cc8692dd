"""The kubelet of one node: keeps the pods bound to it in step with a runtime. The same class serves Docker and simulator.

It is fed by `on_change` (the change log), by the runtime's events, by timers of the clock, and asks by `dispatch(uid)` for
a call of `sync_pod(uid)`: a Celery task in the node worker, a queue in the simulator. `sync_pod` is serial per pod and
coalesced; it never waits. Which pods there are is in `pod_manager`. Next: `pod_workers.sync`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from podlab.apis import reasons
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.clock import Clock
from podlab.kubelet import (
    eviction,
    housekeeping,
    image_gc,
    making_room,
    memory,
    node_lease,
    node_status,
    pleg,
    pod_workers,
    pods,
    pressure,
    readings,
    static_pods,
    streams,
    volumes,
)
from podlab.kubelet.context import Aside, Context, PodState
from podlab.kubelet.eviction_manager import EvictionManager
from podlab.kubelet.history_runs import HistoryRuns
from podlab.kubelet.image_gc import Collector, Policy
from podlab.kubelet.image_records import ImageRecords
from podlab.kubelet.log_pump import LogPump
from podlab.kubelet.lookup import ClientLookup
from podlab.kubelet.pod_manager import PodManager
from podlab.kubelet.prober.manager import ProbeManager
from podlab.kubelet.puller import Puller
from podlab.kubelet.rounds import Rounds, at_once, done_at_once
from podlab.kubelet.runs import Runs
from podlab.kubelet.start_outcome import RETRY
from podlab.kubelet.static_pods import StaticPods
from podlab.registry.client import Client
from podlab.registry.events import Recorder
from podlab.registry.streams import OpenRequest
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.images import KeepsImages
from podlab.runtime.interface import PlacesFiles, PodStatus, Runtime, RuntimeEvent, Subscription
from podlab.runtime.streaming import StreamSession, StreamSink
from podlab.storage.errors import StorageError
from podlab.storage.log import LogEntry

logger = logging.getLogger(__name__)

SOON = timedelta(seconds=2)
RELIST_SECONDS = 10.0
RESYNC_SECONDS = 60.0
CLAIM_SWEEP_SECONDS = 60.0
PROBE_BATCH_SECONDS = 0.2


class Kubelet:
    """`defer` takes work that may take a moment off the clock's thread, `aside` short work that a sync waits for later; a
    simulated node does both at once. `runs` and `pod_root` (volumes) have their usual places unless a test gives others.
    `stream_address` is published on the Node; `static_folder` holds files of pods that run without the API."""

    def __init__(
        self,
        *,
        cluster: str,
        node: str,
        runtime: Runtime,
        clock: Clock,
        client: Client,
        recorder: Recorder,
        log_root: Path,
        dispatch: Callable[[str], None],
        address: str,
        runs: Runs | None = None,
        pod_root: Path | None = None,
        rng: random.Random | None = None,
        defer: Callable[[Callable[[], None]], None] = at_once,
        aside: Aside = done_at_once,
        stream_address: str = "",
        host_access: frozenset[str] = frozenset(),
        image_records: ImageRecords | None = None,
        image_policy: Policy | None = None,
        static_folder: Path | None = None,
        cluster_dns: Callable[[], str] = str,
        thresholds: str = pressure.KUBERNETES_DEFAULT,
    ) -> None:
        self.cluster, self.node, self.address = cluster, node, address
        self._stream_address = stream_address
        self._clock, self._client, self._recorder, self._runtime = clock, client, recorder, runtime
        self._dispatch_outside, self._defer, self._aside = dispatch, defer, aside
        self._log_root = log_root
        self._pod_root = pod_root if pod_root is not None else log_root.parent.parent / "pods" / cluster / node
        self._rng = rng if rng is not None else random.Random(node)
        self._runs: Runs = runs if runs is not None else HistoryRuns(cluster, node)
        self._image_records = image_records if image_records is not None else ImageRecords()
        self._static_folder = static_folder
        self._static: StaticPods | None = None
        self._thresholds = pressure.parse_thresholds(thresholds)
        self._evictions: EvictionManager | None = None
        self._host_access, self._cluster_dns = host_access, cluster_dns
        self._image_policy = image_policy or Policy()
        self._pods = PodManager()
        self._listing: Mapping[str, PodStatus] = {}
        self._rounds = Rounds(clock, defer)
        self._events: Subscription | None = None
        self._running = False
        self._ctx: Context | None = None
        self.revision = 0  # of the change log, up to which `reload` has seen everything

    def start(self) -> None:
        """Register the node, take over what runs, begin to follow the runtime. Call `on_change` only afterwards."""
        self._ctx = ctx = self._make_context()
        node = node_status.register(
            self._client,
            ctx.machine,
            node=self.node,
            address=self.address,
            annotations=node_status.announced(ctx.volume_root, ctx.machine, self._stream_address),
            held=self._runtime.list_images(),
        )
        node_lease.make(self._client, self.node)
        self._evictions = EvictionManager(
            ctx, self._thresholds, states=self._pods.all, dispatch=self._dispatch, post=self._post
        )
        self._evictions.restore(node)
        self._recorder.event(node, reasons.NORMAL, reasons.STARTING, "Starting kubelet.", why="")
        self._running = True
        if self._static_folder is not None:
            # Before orphans are looked for: these have no object that would tell of them.
            self._static = StaticPods(ctx, self._static_folder, self._pods.states, self._dispatch)
            self._static.look()
        self.reload()
        if not ctx.machine.simulated:
            housekeeping.sweep_pods((self._pod_root, ctx.memory_root), {*self.pods(), *self._runtime.list_pods()})
        self._events = self._runtime.events(self._on_runtime_event)
        self._relist()
        if not ctx.machine.simulated:
            self._rounds.every(RELIST_SECONDS, self._relist)
            self._rounds.every(RESYNC_SECONDS, self.resync)
            self._rounds.every(eviction.CHECK_SECONDS, self._evictions.look)
            self._rounds.every(static_pods.LOOK_SECONDS, self.look_at_files)
            self._rounds.every(node_status.HEARTBEAT_SECONDS, self._post)
            self._rounds.every(node_lease.RENEW_SECONDS, partial(node_lease.renew, self._client, self.node))
            self._collect_images(node)
            self._rounds.every(CLAIM_SWEEP_SECONDS, partial(housekeeping.sweep_claims, ctx.volume_root, self._client))

    def stop(self) -> None:
        """Let go of everything; containers go on running."""
        self._running = False
        timers = [s.timer for s in self._pods.all() if s.timer is not None]
        self._rounds.stop()
        for timer in timers:
            timer.cancel()
        if self._events is not None:
            self._events.close()
        if self._evictions is not None:
            self._evictions.close()
        if self._ctx is not None:
            self._ctx.probes.close()
            self._ctx.pump.close()
            memory.give_back(self._ctx.memory_root)

    def reload(self) -> None:
        """Read the pods bound to this node anew: at the start, and when the change log could not be followed. Follow it
        from `revision` on."""
        page = self._client.list("pods", None, field_selector=f"spec.nodeName={self.node}")
        listed = {stored.uid: stored for stored in page.items}
        if self._static is not None:
            mirrors = {uid: stored for uid, stored in listed.items() if static_pods.is_mirror(stored.obj)}
            listed = {uid: stored for uid, stored in listed.items() if uid not in mirrors}
            self._static.listed(list(mirrors.values()))
        self._pods.listed(listed)
        self.revision = page.revision
        for uid in self.pods():
            self._dispatch(uid)

    def on_change(self, entry: LogEntry) -> None:
        """A change of a pod of this cluster; those of other nodes are left alone."""
        if not self._running:
            return
        if entry.key.resource == "nodes" and entry.key.name == self.node and self._evictions is not None:
            self._evictions.heard(entry.obj)
        if entry.key.resource in ("configmaps", "secrets"):
            self._content_changed(entry)
        if entry.key.resource != "pods":
            return
        pod = entry.obj
        if self._static is not None and static_pods.is_mirror(pod):
            if pod["spec"].get("nodeName") == self.node:
                self._static.heard(pod, entry.revision, deleted=entry.type == "DELETED")
            return
        ours = entry.type != "DELETED" and pod["spec"].get("nodeName") == self.node
        state = self._pods.meet(entry.uid, pod, ours=ours)
        if state is None:
            return
        old = state.pod
        if not state.take(pod, entry.revision) and entry.type != "DELETED":
            return
        if entry.type == "DELETED":
            state.gone = True
        elif old is not None and not pods.asks_for_sync(old, pod, state.written):
            return
        self._dispatch(entry.uid)

    def _content_changed(self, entry: LogEntry) -> None:
        """A simulated node looks at volumes again when there is something new for them, at the time at which a node looks
        that has a clockwork."""
        if self._ctx is None or self._ctx.places is None:
            return
        for state in self._pods.all():
            if state.mounted and state.pod is not None and volumes.refers(state.pod, entry.key):
                due, uid = state.volumes_due or self._clock.now(), state.ref.uid
                self._clock.call_at(max(due, self._clock.now()), lambda uid=uid: self._dispatch(uid))  # type: ignore[misc]

    def look_at_files(self) -> None:
        """Follow the folder of static pods. Cheap when nothing has changed."""
        if self._static is not None and self._running:
            self._static.look()

    def sync_pod(self, uid: str) -> None:
        """Sync one pod; if somebody is at it, he does it once more."""
        state = self._pods.begin(uid) if self._running else None
        while state is not None:
            state.dirty = False
            self._sync_once(state)
            if self._pods.finish(state, again=self._running):
                return

    def resync(self) -> None:
        """Look at everything again, orphans included."""
        self._relist()
        for uid in self.pods():
            self._dispatch(uid)

    def open_stream(self, request: OpenRequest, sink: StreamSink) -> StreamSession:
        """Exec, attach or dial for a caller of `stream_server`; raises RuntimeFailure."""
        return streams.open_stream(self._runtime, request, sink)

    def pods(self) -> list[str]:
        """The uids of the pods it knows."""
        return self._pods.uids()

    def flush(self) -> None:
        """Write the probe results that wait: the simulator calls it after each drain of its queue."""
        if self._ctx is not None:
            self._ctx.probes.flush()

    # Inside

    def _make_context(self) -> Context:
        machine = self._runtime.machine()
        if not machine.simulated:
            machine = replace(machine, storage_bytes=readings.storage(self._pod_root))
        probes = ProbeManager(
            runtime=self._runtime,
            clock=self._clock,
            recorder=self._recorder,
            rng=self._rng,
            dispatch=self._dispatch,
            record=self._runs.probed,
            batch_seconds=0.0 if machine.simulated else PROBE_BATCH_SECONDS,
            defer=self._defer,
        )
        return Context(
            cluster=self.cluster,
            node=self.node,
            address=self.address,
            runtime=self._runtime,
            machine=machine,
            clock=self._clock,
            client=self._client,
            recorder=self._recorder,
            lookup=ClientLookup(self._client),
            runs=self._runs,
            probes=probes,
            pump=LogPump(self._runtime, self._log_root, self._dispatch),
            pod_root=self._pod_root,
            volume_root=self._pod_root.parent.parent.parent / "volumes" / self.cluster / self.node,
            memory_root=memory.root(self._runtime, self._pod_root) if not machine.simulated else None,
            host_access=self._host_access,
            puller=Puller(self._runtime, self._clock),
            image_records=self._image_records,
            cluster_dns=self._cluster_dns,
            limit_set=lambda: self._evictions.limit_set() if self._evictions is not None else None,
            places=self._runtime if machine.simulated and isinstance(self._runtime, PlacesFiles) else None,
            pressures=lambda: self._evictions.conditions if self._evictions is not None else frozenset(),
            log_root=self._log_root,
            pods=self._pods.granted,
            rng=self._rng,
            dispatch=self._dispatch,
            aside=self._aside,
            room_made=self._room_made,
            preempt=self._preempt,
            waits=lambda uid: self._static is not None and self._static.waits(uid),
            forget=self._forget,
        )

    def _collect_images(self, node: Manifest) -> None:
        if isinstance(self._runtime, KeepsImages):
            collector = Collector(
                self._runtime, self._image_records, self._clock, self._recorder, node, self._image_policy
            )
            self._rounds.every(image_gc.PERIOD_SECONDS, collector.collect)

    def _relist(self) -> None:
        """Wake the pods that changed unnoticed; take orphans in, in order to end them."""
        try:
            fresh = self._runtime.list_pods()
        except RuntimeFailure as error:
            logger.warning("node %s: relist failed: %s", self.node, error)
            return
        before, self._listing = self._listing, fresh
        if self._ctx is not None:
            self._ctx.pump.keep_only({one.id for status in fresh.values() for one in status.containers})
        found = self._pods.take_orphans(fresh)
        for ref in found:
            logger.warning(
                "node %s: pod %s/%s (%s) is not known to the lab", self.node, ref.namespace, ref.name, ref.uid
            )
        for uid in dict.fromkeys([*pleg.changed(before, fresh), *(ref.uid for ref in found)]):
            self._dispatch(uid)

    def _sync_once(self, state: PodState) -> None:
        assert self._ctx is not None
        if state.timer is not None:
            state.timer.cancel()
            state.timer = None
        state.wake = None
        try:
            pod_workers.sync(self._ctx, state)
        except (RuntimeFailure, StorageError, ApiError) as error:
            # An engine or a store that does not answer now: later it will.
            logger.warning("pod %s/%s: %s", state.ref.namespace, state.ref.name, error)
            state.wake_at(self._clock.now() + SOON)
        except Exception:
            # One pod's trouble must not become the trouble of its neighbours, nor end the worker.
            logger.exception("pod %s/%s could not be synced", state.ref.namespace, state.ref.name)
            state.wake_at(self._clock.now() + RETRY)
        uid = state.ref.uid
        wake = state.wish()
        if wake is not None and self._running and uid in self._pods:
            state.timer = self._clock.call_at(wake, lambda: self._dispatch(uid))

    def _forget(self, uid: str) -> None:
        state = self._pods.pop(uid)
        if state is not None and state.timer is not None:
            state.timer.cancel()
        if self._ctx is not None:
            self._ctx.probes.remove(uid)
            self._ctx.lookup.forget(uid)
        if state is not None and self._static is not None:
            self._static.ended(state.ref)

    def _on_runtime_event(self, event: RuntimeEvent) -> None:
        if not self._pods.remind(event.pod_uid):  # whoever is at it looks again: no need to send for him
            self._dispatch(event.pod_uid)

    def _preempt(self, uid: str, why: str) -> None:
        state = self._pods.get(uid)
        if state is not None and self._ctx is not None:
            making_room.give_way(self._ctx, state, why)

    def _room_made(self) -> None:
        """Critical pods that made it, and resizes that did not fit are looked at again."""
        for state in self._pods.wanting_room():
            self._dispatch(state.ref.uid)

    def _dispatch(self, uid: str) -> None:
        if self._running and uid in self._pods:
            self._dispatch_outside(uid)

    def _post(self) -> None:
        """The heartbeat of the node; also when a pressure comes or goes."""
        assert self._ctx is not None
        try:
            node_status.post(
                self._client,
                self._ctx.machine,
                node=self.node,
                address=self.address,
                why="heartbeat of the node",
                pressures=self._ctx.pressures(),
                held=self._runtime.list_images(),
            )
        except Exception as error:
            logger.warning("node %s: heartbeat failed: %s", self.node, error)
