"""SimRuntime: the runtime contract without processes, for one node of a simulated cluster.

Made by `simhost.world`, one for each node, and driven by that node's kubelet. Everything happens on the injected clock
and on the caller's thread; callbacks come from timers. Not thread-safe: the world serialises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from podlab.apis.types import LogLine
from podlab.clock import Clock
from podlab.runtime.calls import ExecResult, GrpcResult, HttpRequest, HttpResult, TcpResult
from podlab.runtime.errors import CreateFailed, NotFound, RuntimeFailure, StartFailed, no_handler
from podlab.runtime.images import HeldImage, ImageInfo, PullProgress, PullResult, RegistryLogin
from podlab.runtime.interface import (
    ContainerConfig,
    ContainerResources,
    ContainerStats,
    MachineInfo,
    PodRef,
    PodStatus,
    RuntimeEvent,
    SandboxConfig,
    Subscription,
)
from podlab.runtime.node_files import NodeFile, to_json
from podlab.runtime.sim import chance, network, pulling
from podlab.runtime.sim.behaviour import BadBehaviour
from podlab.runtime.sim.connection import Connection
from podlab.runtime.sim.container import SimContainer
from podlab.runtime.sim.events import Events
from podlab.runtime.sim.execution import Changes, Execution
from podlab.runtime.sim.journal import Journal
from podlab.runtime.sim.network import Listener
from podlab.runtime.sim.node import Node, Placed, container_record, sandbox_record
from podlab.runtime.sim.output import Follower
from podlab.runtime.sim.outside import ClusterNetwork
from podlab.runtime.sim.sessions import AttachSession, CommandSession
from podlab.runtime.sim.surroundings import Surroundings
from podlab.runtime.streaming import StreamOptions, StreamSession, StreamSink

VERSION = "sim://1"
STORAGE_BYTES = 100 * 2**30


class SimRuntime:
    """A `Runtime` and `PlacesFiles`; `interface` says what each call promises. A journal brings it back as it was."""

    name = "sim"

    def __init__(
        self,
        *,
        cluster: str,
        node: str,
        clock: Clock,
        seed: int = 0,
        journal: Path | None = None,
        subnet: int = 0,
        cpu_milli: int = 2000,
        memory_bytes: int = 4 * 2**30,
        network: ClusterNetwork | None = None,
        node_disk: bool = False,
        origin: str = "",
    ) -> None:
        """`origin`: of a fork, what makes its ids others than those of its source. `network`: what the containers see beyond their pod; None = nothing. `node_disk`: volumes have the files that lie
        on this machine at their host paths; without it a host path is only a name."""
        self._clock = clock
        self._node = Node(cluster, node, clock, seed, Journal(journal), subnet, origin=origin)
        self._cpu_milli = cpu_milli
        self._memory_bytes = memory_bytes
        self._events = Events(clock)
        self._sessions: dict[object, StreamSession] = {}
        self._around = Surroundings(self._node, network, node_disk=node_disk)
        self._node.network = self._around.answer
        self._node.load()
        self._node.announce = self._announce_end

    @property
    def idle(self) -> bool:
        """Nothing runs or lies around here."""
        return not self._node.sandboxes and not self._node.containers

    @property
    def streaming(self) -> bool:
        """Somebody has a stream open."""
        return bool(self._sessions)

    def close(self) -> None:
        """Let go of all timers and streams; the journal keeps what is needed to come back."""
        for session in list(self._sessions.values()):
            session.close()
        for container in self._node.containers.values():
            container.close()
        self._events.close()

    def machine(self) -> MachineInfo:
        return MachineInfo(
            cpu_milli=self._cpu_milli,
            memory_bytes=self._memory_bytes,
            os_image="podlab simulator",
            kernel="simulated",
            runtime_version=VERSION,
            architecture="amd64",
            simulated=True,
            storage_bytes=STORAGE_BYTES,
        )

    # Sandboxes

    def run_sandbox(self, config: SandboxConfig) -> str:
        if config.handler not in ("", self.name):
            raise no_handler(config.handler)
        for sandbox in self._node.of_pod(config.pod.uid):
            if sandbox.config.attempt == config.attempt:
                return sandbox.id
        sandbox = self._node.add_sandbox(self._node.next_id(), config, self._node.free_ip(), self._clock.now())
        record = sandbox_record(sandbox, self._node.made)
        self._node.journal.append(record)
        self._events.tell(config.pod.uid, sandbox.id, "started")
        return sandbox.id

    def stop_sandbox(self, sandbox_id: str) -> None:
        sandbox = self._node.sandboxes.get(sandbox_id)
        if sandbox is None or not sandbox.ready:
            return
        for container in self._node.in_sandbox(sandbox_id):
            self.signal_container(container.id, "KILL")
        sandbox.ready = False
        self._node.write("stop-sandbox", id=sandbox_id)
        self._events.tell(sandbox.config.pod.uid, sandbox_id, "died")

    def remove_sandbox(self, sandbox_id: str) -> None:
        sandbox = self._node.sandboxes.get(sandbox_id)
        if sandbox is None:
            return
        self.stop_sandbox(sandbox_id)
        for container in self._node.in_sandbox(sandbox_id):
            self.remove_container(container.id)
        self._node.remove_sandbox(sandbox_id)
        self._node.write("remove-sandbox", id=sandbox_id)
        self._events.tell(sandbox.config.pod.uid, sandbox_id, "removed")

    # Containers

    def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        for container in self._node.containers_of(config.pod.uid):
            if (container.config.name, container.config.attempt) == (config.name, config.attempt):
                return container.id
        sandbox = self._node.sandboxes.get(sandbox_id)
        if sandbox is None or not sandbox.ready:
            raise NotFound(f"no running sandbox {sandbox_id[:12]}")
        if config.image not in self._node.images:
            raise CreateFailed(f"No such image: {config.image}")
        try:
            container = self._node.add_container(self._node.next_id(), sandbox_id, config, self._clock.now())
        except BadBehaviour as bad:
            raise CreateFailed(str(bad)) from None
        self._node.journal.append(container_record(container, self._node.made))
        self._events.tell(config.pod.uid, container.id, "created")
        return container.id

    def start_container(self, container_id: str) -> None:
        container = self._container(container_id)
        if container.started_at is not None or container.ended is not None:
            return
        at = self._clock.now()
        # Before the start: what follows from it is computed again if this process dies now.
        self._node.write("start", id=container_id)
        self._events.tell(container.config.pod.uid, container_id, "started")
        try:
            container.start(at)
        except StartFailed:
            self._node.write_end(container)
            raise

    def signal_container(self, container_id: str, signal: str) -> None:
        container = self._node.containers.get(container_id)
        if container is None or not container.running:
            return
        happened = {"micros": container.micros(), "signal": signal}
        container.happened.append(happened)
        self._node.write("happened", id=container_id, **happened)
        container.signal(signal)

    def update_container(self, container_id: str, resources: ContainerResources) -> None:
        """Only memory has consequences here."""
        container = self._node.containers.get(container_id)
        if container is None or not container.running:
            return
        happened = {"micros": container.micros(), "memory_limit": resources.memory_limit}
        container.happened.append(happened)
        self._node.write("happened", id=container_id, **happened)
        container.limit_memory(resources.memory_limit)

    def remove_container(self, container_id: str) -> None:
        container = self._node.containers.get(container_id)
        if container is None:
            return
        self.signal_container(container_id, "KILL")
        container.close()
        del self._node.containers[container_id]
        self._node.write("remove", id=container_id)
        self._events.tell(container.config.pod.uid, container_id, "removed")

    def _container(self, container_id: str) -> SimContainer:
        container = self._node.containers.get(container_id)
        if container is None:
            raise NotFound(f"no such container: {container_id[:12]}")
        return container

    # Looking

    def list_pods(self) -> dict[str, PodStatus]:
        return {uid: self.pod_status(ref) for uid, ref in self._node.pods().items()}

    def pod_status(self, pod: PodRef) -> PodStatus:
        sandboxes = sorted(self._node.of_pod(pod.uid), key=lambda one: -one.config.attempt)
        containers = [one.status() for one in self._node.containers_of(pod.uid)]
        containers.reverse()  # they were made in this order; newest first is wanted, and the sort is stable
        containers.sort(key=lambda one: -one.attempt)
        return PodStatus(pod, tuple(one.status() for one in sandboxes), tuple(containers))

    def stats(self, container_id: str) -> ContainerStats | None:
        container = self._node.containers.get(container_id)
        if container is None or not container.running:
            return None
        minute = container.micros() // 60_000_000
        return ContainerStats(round(chance.between(0.1e6, 3e6, container_id, minute)), container.memory(), pids=1)

    # Images

    def image(self, ref: str) -> ImageInfo | None:
        by_id = (info for info in self._node.images.values() if info.id == ref)
        return self._node.images.get(ref) or next(by_id, None)

    def list_images(self) -> list[HeldImage]:
        return [HeldImage(one.id, (one.ref,), one.digests, one.size) for one in self._node.images.values()]

    def pull_image(
        self,
        ref: str,
        done: Callable[[PullResult], None],
        progress: Callable[[PullProgress], None] | None = None,
        annotations: Mapping[str, str] | None = None,
        login: RegistryLogin | None = None,
    ) -> None:
        pulling.pull(self._node, self._clock, ref, done, progress=progress, said=annotations or {})

    def unpack_image(self, ref: str, folder: str, done: Callable[[str], None]) -> None:
        """A simulated image has no files."""
        self._clock.call_later(0.05, lambda: done(""))

    # Calls into containers

    def exec_sync(
        self, container_id: str, argv: tuple[str, ...], timeout: float, done: Callable[[ExecResult], None]
    ) -> None:
        container = self._node.containers.get(container_id)
        if container is None or not container.running or container.machine is None:
            text = f"container {container_id[:12]} is not running"
            self._clock.call_later(0, lambda: done(ExecResult(-1, "", 0.0, error=text)))
            return
        call = network.call_into(container, timeout, self._node.seed)
        if call.outcome or call.hangs:
            result = network.told_exec(call)
            self._clock.call_later(call.seconds, lambda: done(result))
            return
        Execution(self._clock, container, argv, call, done, self._files_changed).begin()

    def http_get(
        self, container_id: str, request: HttpRequest, timeout: float, done: Callable[[HttpResult], None]
    ) -> None:
        call = network.call_into(self._node.containers.get(container_id), timeout, self._node.seed)

        def answer() -> None:
            result = network.http(call, request, self._around.listening(container_id, request.host, request.port))
            later = result.seconds - call.seconds  # what a script took to answer
            if later > 0:
                self._clock.call_later(later, lambda: done(result))
            else:
                done(result)

        self._clock.call_later(call.seconds, answer)

    def tcp_connect(
        self, container_id: str, host: str, port: int, timeout: float, done: Callable[[TcpResult], None]
    ) -> None:
        call = network.call_into(self._node.containers.get(container_id), timeout, self._node.seed)

        def answer() -> None:
            done(network.tcp(call, host, port, self._around.listening(container_id, host, port)))

        self._clock.call_later(call.seconds, answer)

    def grpc_check(
        self,
        container_id: str,
        host: str,
        port: int,
        service: str,
        timeout: float,
        done: Callable[[GrpcResult], None],
    ) -> None:
        call = network.call_into(self._node.containers.get(container_id), timeout, self._node.seed)
        listener = self._around.listening(container_id, host, port)
        result = network.grpc(call, host, port, listener)
        self._clock.call_later(result.seconds, lambda: done(result))

    def listening_at(self, ip: str, port: int) -> Listener | None:
        """Who listens in the pod of this node that has the address; None when none has it. Asked by running programs: no
        machine moves for it."""
        return self._around.listening_at(ip, port)

    def place_files(self, root: str, files: Mapping[str, NodeFile]) -> None:
        """What the kubelet puts into a volume, or one file that it mounts, by path below `root` ("" = itself). Takes the
        place of what it put there before; what containers wrote there stays on top."""
        known = self._node.placed.get(root)
        if known is None or known.files != files:
            self._node.placed[root] = Placed(files)

    def volume_bytes(self, root: str) -> int:
        """What the files of a volume take that containers wrote."""
        return sum(file.bytes for file in self._node.volumes.get(root, {}).values() if not file.is_folder)

    def _files_changed(self, container: SimContainer, files: Changes) -> None:
        happened = {"micros": container.micros(), "files": {path: to_json(file) for path, file in files.items()}}
        container.happened.append(happened)
        self._node.write("happened", id=container.id, **happened)

    # Streams

    def exec_stream(
        self, container_id: str, argv: tuple[str, ...], options: StreamOptions, sink: StreamSink
    ) -> StreamSession:
        container = self._running(container_id)
        session = CommandSession(container, argv, options, sink, self._hung_up, self._files_changed)
        self._sessions[session] = session
        session.begin()
        return session

    def attach(self, container_id: str, options: StreamOptions, sink: StreamSink) -> StreamSession:
        container = self._running(container_id)
        wanted = replace(options, tty=container.config.tty)
        session = AttachSession(container, wanted, sink, self._hung_up, self._clock.now())
        if container.running:
            self._sessions[session] = session
        return session

    def dial(self, pod: PodRef, port: int, sink: StreamSink) -> StreamSession:
        sandbox = next((one for one in self._node.of_pod(pod.uid) if one.ready), None)
        if sandbox is None:
            raise NotFound(f"the sandbox of pod {pod.namespace}/{pod.name} is not running")
        address = sandbox.ip
        if not self._around.listening("", address, port).open:
            raise RuntimeFailure(f"dial tcp {address}:{port}: connect: connection refused")
        connection = Connection(lambda: self._around.listening("", address, port), sink, self._hung_up)
        self._sessions[connection] = connection
        return connection

    def _running(self, container_id: str) -> SimContainer:
        container = self._container(container_id)
        if not container.running:
            raise RuntimeFailure(f"container {container_id[:12]} is not running")
        return container

    def _hung_up(self, session: object) -> None:
        self._sessions.pop(session, None)

    # Following

    def written_bytes(self, container_id: str) -> int:
        container = self._node.containers.get(container_id)
        files = container.machine.files.own if container is not None and container.machine is not None else {}
        return sum(file.bytes for file in files.values() if not file.is_folder)

    def follow_logs(
        self,
        container_id: str,
        on_line: Callable[[LogLine], None],
        on_end: Callable[[], None],
        since: datetime | None = None,
    ) -> Subscription:
        follower = Follower(on_line, on_end)
        self._container(container_id).follow(follower, since)
        return follower

    def recent_output(self, container_id: str, lines: int) -> str:
        return self._container(container_id).output.tail(lines)

    def events(self, on_event: Callable[[RuntimeEvent], None]) -> Subscription:
        return self._events.follow(on_event)

    def _announce_end(self, container: SimContainer) -> None:
        assert container.ended is not None
        kind = "oom" if container.ended.reason == "OOMKilled" else "died"
        self._events.tell(container.config.pod.uid, container.id, kind)
