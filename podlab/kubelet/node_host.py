"""Plays the Docker nodes of cluster `main` in one worker process: a kubelet per name in PODLAB_NODES, one clock, one
subscription to the change log. `bootstep` starts and stops it; `tasks` finds the kubelets here.

Syncs travel as Celery tasks on the queue of the node. When the broker does not answer they are done in this process, so
that pods are looked after while Redis is away.
"""

from __future__ import annotations

import logging
import queue
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from podlab.clock import Clock, RealClock, monotonic, pause
from podlab.kubelet import pressure
from podlab.kubelet.agent import Kubelet
from podlab.kubelet.cluster_dns import ClusterDns
from podlab.kubelet.history_runs import HistoryRuns
from podlab.kubelet.image_gc import Policy
from podlab.kubelet.image_records import ImageRecords
from podlab.kubelet.rounds import done_at_once
from podlab.kubelet.usage import Publisher
from podlab.registry.broadcaster import Broadcaster
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.registry.streams import OpenRequest
from podlab.runtime.errors import NotFound
from podlab.runtime.interface import Runtime
from podlab.runtime.streaming import StreamSession, StreamSink
from podlab.storage.errors import Compacted
from podlab.storage.feed import End, Subscription
from podlab.storage.history import ProbeWriter
from podlab.storage.hub import Hub
from podlab.storage.log import Filter, LogEntry

logger = logging.getLogger(__name__)

THREADS = 8
_ASIDE_THREADS = 8
START_PATIENCE = 120.0
_RETRY = 1.0
_BROKER_PAUSE = 2.0

# (cluster, node) → the kubelet that this process plays
_played: dict[tuple[str, str], Kubelet] = {}

Send = Callable[[str, str, str], None]  # cluster, node, pod uid


def find(cluster: str, node: str) -> Kubelet | None:
    return _played.get((cluster, node))


def own_address() -> str:
    """The address of this machine towards the world; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


class Dispatcher:
    """Sends wishes for syncs from a thread of its own: neither the clock nor the hub may wait for a broker."""

    def __init__(self, cluster: str, send: Send, instead: Callable[[str, str], None]) -> None:
        self._cluster, self._send, self._instead = cluster, send, instead
        self._queue: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._waiting: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._mute_until = 0.0  # the broker failed and is not asked before
        self._thread = threading.Thread(target=self._run, name="dispatch", daemon=True)
        self._thread.start()

    def ask(self, node: str, uid: str) -> None:
        """A wish that still waits is not written down twice."""
        with self._lock:
            if (node, uid) in self._waiting:
                return
            self._waiting.add((node, uid))
        self._queue.put((node, uid))

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            with self._lock:
                self._waiting.discard(item)
            if monotonic() < self._mute_until or not self._sent(*item):
                self._instead(*item)

    def _sent(self, node: str, uid: str) -> bool:
        try:
            self._send(self._cluster, node, uid)
        except Exception as error:
            if not self._mute_until:
                logger.warning("the broker does not take tasks, so pods are synced here: %s", error)
            self._mute_until = monotonic() + _BROKER_PAUSE
            return False
        self._mute_until = 0.0
        return True


class NodeHost:
    def __init__(
        self,
        *,
        cluster: str,
        nodes: tuple[str, ...],
        make_runtime: Callable[[str], Runtime],
        hub: Hub,
        data: Path,
        send: Send,
        clock: Clock | None = None,
        stream_address: str = "",
        host_access: frozenset[str] = frozenset(),
        thresholds: str = pressure.KUBERNETES_DEFAULT,
        image_policy: Policy | None = None,
    ) -> None:
        self._host_access, self._thresholds = host_access, thresholds
        self._cluster, self._nodes, self._make_runtime = cluster, nodes, make_runtime
        self._hub, self._data = hub, data
        self._stream_address = stream_address
        self._clock: Clock = clock if clock is not None else RealClock()
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="kubelet")
        # Of its own: a sync waits for what it has put here, and syncs may fill the other one.
        self._beside = ThreadPoolExecutor(_ASIDE_THREADS, thread_name_prefix="beside")
        self._probe_writer = ProbeWriter(delay=0.02)  # batches of the nodes that come together
        self._dispatcher = Dispatcher(cluster, send, self._sync_here)
        self._image_records = ImageRecords(data / "images.json")
        self._image_policy = image_policy
        self._kubelets: dict[str, Kubelet] = {}
        self._runtimes: list[Runtime] = []
        self._recorders: list[Broadcaster] = []
        self._subscription: Subscription[LogEntry] | None = None
        self._stopping = threading.Event()
        self._usage: Publisher | None = None

    def start(self) -> None:
        """Bring the nodes up; waits for database, cluster and engine if they are not there yet."""
        until = monotonic() + START_PATIENCE
        for node in self._nodes:
            self._kubelets[node] = kubelet = self._make(node)
            _played[(self._cluster, node)] = kubelet
            while True:
                try:
                    kubelet.start()
                    break
                except Exception as error:
                    if monotonic() > until or self._stopping.is_set():
                        raise
                    logger.warning("node %s cannot start yet: %s", node, error)
                    pause(_RETRY)
        self._follow()
        runtimes = dict(zip(self._nodes, self._runtimes, strict=True))
        self._usage = Publisher(self._cluster, runtimes, clock=self._clock, defer=self._in_background)

    def stop(self) -> None:
        """Let go of everything within a few seconds; containers go on running."""
        self._stopping.set()
        if self._usage is not None:
            self._usage.close()
        if self._subscription is not None:
            self._subscription.close()
        self._dispatcher.close()
        for node, kubelet in self._kubelets.items():
            _played.pop((self._cluster, node), None)
            kubelet.stop()
        for recorder in self._recorders:
            recorder.close()
        self._probe_writer.close()
        for runtime in self._runtimes:
            close = getattr(runtime, "close", None)
            if close is not None:
                close()
        if isinstance(self._clock, RealClock):
            self._clock.close()
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._beside.shutdown(wait=False, cancel_futures=True)

    def open_stream(self, request: OpenRequest, sink: StreamSink) -> StreamSession:
        """The door of the worker's stream server."""
        kubelet = self._kubelets.get(request.node) if request.cluster == self._cluster else None
        if kubelet is None:
            raise NotFound(f"node {request.node} of cluster {request.cluster} is not played here")
        return kubelet.open_stream(request, sink)

    def _make(self, node: str) -> Kubelet:
        runtime = self._make_runtime(node)
        self._runtimes.append(runtime)
        client = Client(self._cluster, system("kubelet"), self._clock.now)
        recorder = Broadcaster(client, "kubelet", node, self._clock.now)
        self._recorders.append(recorder)
        static = self._data / "static" / self._cluster / node
        static.mkdir(parents=True, exist_ok=True)
        return Kubelet(
            cluster=self._cluster,
            node=node,
            runtime=runtime,
            clock=self._clock,
            client=client,
            recorder=recorder,
            log_root=self._data / "logs" / self._cluster,
            pod_root=self._data / "pods" / self._cluster / node,
            dispatch=lambda uid: self._dispatcher.ask(node, uid),
            address=own_address(),
            runs=HistoryRuns(self._cluster, node, self._probe_writer),
            defer=self._in_background,
            aside=self._aside,
            stream_address=self._stream_address,
            host_access=self._host_access,
            thresholds=self._thresholds,
            image_records=self._image_records,
            image_policy=self._image_policy,
            static_folder=static,
            cluster_dns=ClusterDns(client),
        )

    def _follow(self) -> None:
        """Subscribe to the changes of all pods, from where the kubelets have read the lists."""
        while not self._stopping.is_set():
            since = min(kubelet.revision for kubelet in self._kubelets.values())
            wanted = Filter(cluster=self._cluster, resource="pods")
            try:
                self._subscription = self._hub.subscribe(wanted, since, self._deliver, on_end=self._ended)
                return
            except Compacted:
                self._reload()

    def _deliver(self, entries: list[LogEntry]) -> None:
        for entry in entries:
            for kubelet in self._kubelets.values():
                kubelet.on_change(entry)

    def _ended(self, reason: End) -> None:
        if not self._stopping.is_set() and reason is not End.CLOSED:
            logger.warning("the change log of pods was lost (%s): reading everything anew", reason)
            self._in_background(self._recover)

    def _recover(self) -> None:
        while not self._stopping.is_set():
            try:
                self._reload()
                self._follow()
                return
            except Exception as error:
                logger.warning("cannot follow the change log yet: %s", error)
                pause(_RETRY)

    def _reload(self) -> None:
        for kubelet in self._kubelets.values():
            kubelet.reload()

    def _sync_here(self, node: str, uid: str) -> None:
        kubelet = self._kubelets.get(node)
        if kubelet is not None:
            self._in_background(lambda: kubelet.sync_pod(uid))

    def _aside(self, work: Callable[[], None]) -> Future[None]:
        try:
            return self._beside.submit(work)
        except RuntimeError:  # a sync goes on while the node stops
            return done_at_once(work)

    def _in_background(self, work: Callable[[], None]) -> None:
        if self._stopping.is_set():
            return
        try:
            self._executor.submit(_guarded, work)
        except RuntimeError:
            logger.debug("work came after the node had stopped")


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        logger.exception("background work of a node failed")
