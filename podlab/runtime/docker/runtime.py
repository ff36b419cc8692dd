"""`DockerRuntime`: what a kubelet runs one node's pods on. Each verb lives in a module of its own; this puts them together.

Work that takes cluster time runs on a thread of its own and reports through `done`, once; `close` breaks everything off.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from podlab.apis.types import LogLine
from podlab.clock import RealClock, Timer
from podlab.runtime.calls import ExecResult, GrpcResult, HttpRequest, HttpResult, TcpResult
from podlab.runtime.docker import container, dial, grpc_health, hairpin, images, sandbox, sessions, unpacking
from podlab.runtime.docker import exec as executing
from podlab.runtime.docker.client import engine_errors, shared
from podlab.runtime.docker.event_stream import EventFollower
from podlab.runtime.docker.labels import Scope
from podlab.runtime.docker.log_stream import LogFollower
from podlab.runtime.docker.stats import StatsReader
from podlab.runtime.docker.status import StatusReader
from podlab.runtime.docker.threads import Threads
from podlab.runtime.errors import NotFound, Unavailable, no_handler
from podlab.runtime.images import Disk, HeldImage, ImageInfo, PullProgress, PullResult, RegistryLogin
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
from podlab.runtime.streaming import StreamOptions, StreamSession, StreamSink

log = logging.getLogger(__name__)
T = TypeVar("T")
_ENGINE_SLACK = 5.0  # how long an engine may overrun a command's own time-out before we stop waiting for it
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class DockerRuntime:
    """The containers of one node (`lab`, `cluster`, `node`) on the engine at `base_url`. Thread-safe."""

    name = "docker"

    def __init__(
        self,
        *,
        lab: str,
        cluster: str,
        node: str,
        base_url: str,
        pause_image: str = "",
        network: str = "bridge",
    ) -> None:
        self._scope = Scope(lab, cluster, node)
        self._engine = shared(base_url)
        self._network = network
        self._pause = images.PauseImage(self._engine, pause_image)
        self._status = StatusReader(self._engine, self._scope)
        self._stats = StatsReader(self._engine)
        self._threads = Threads(f"docker {node}")
        self._clock = RealClock()
        self._never_started: set[str] = set()  # containers that were made here
        self._lock = threading.Lock()
        # Weak: what came to its end by itself need not be taken out.
        self._open: weakref.WeakSet[_Closable] = weakref.WeakSet()
        self._closed = False

    def close(self) -> None:
        """Stop following, break pulls off and take no more work. Containers keep running."""
        with self._lock:
            self._closed = True
            still_open = list(self._open)
            self._open.clear()
        for one in still_open:
            one.close()
        self._clock.close()
        self._threads.close()

    def machine(self) -> MachineInfo:
        with engine_errors():
            info = self._engine.api.info()
        return MachineInfo(
            cpu_milli=int(info["NCPU"]) * 1000,
            memory_bytes=int(info["MemTotal"]),
            os_image=info["OperatingSystem"],
            kernel=info["KernelVersion"],
            runtime_version=f"docker://{info['ServerVersion']}",
            architecture=_ARCHITECTURES.get(info["Architecture"], info["Architecture"]),
            simulated=False,
        )

    def sees(self, path: str) -> bool:
        """Whether the engine finds this path where we do: one in another place refuses to mount it."""
        return sandbox.can_mount(self._engine, self._scope, path, pause=self._pause)

    def run_sandbox(self, config: SandboxConfig) -> str:
        if config.handler not in ("", self.name):
            raise no_handler(config.handler)
        made = sandbox.run(self._engine, self._scope, config, pause=self._pause, network=self._network)
        if not config.host_network and not self._closed:
            self._threads.submit(lambda: hairpin.allow(self._engine, made))
        return made

    def stop_sandbox(self, sandbox_id: str) -> None:
        sandbox.stop(self._engine, self._scope, sandbox_id)

    def remove_sandbox(self, sandbox_id: str) -> None:
        sandbox.remove_all(self._engine, self._scope, sandbox_id)

    def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        made = container.create(self._engine, self._scope, sandbox_id, config)
        if made.fresh:
            self._never_started.add(made.id)
        return made.id

    def start_container(self, container_id: str) -> None:
        self._status.forget(container_id)  # a second try may turn a start error into a run
        fresh = container_id in self._never_started
        self._never_started.discard(container_id)
        container.start(self._engine, container_id, fresh=fresh)
        # While the next one is made or started, so that the status that follows need not wait for it.
        self._status.look(container_id, self._threads.submit)

    def signal_container(self, container_id: str, signal: str) -> None:
        container.signal(self._engine, container_id, signal)

    def update_container(self, container_id: str, resources: ContainerResources) -> None:
        container.update(self._engine, container_id, resources)

    def remove_container(self, container_id: str) -> None:
        container.remove(self._engine, container_id)
        self._never_started.discard(container_id)
        self._status.forget(container_id)
        self._stats.forget(container_id)

    def list_pods(self) -> dict[str, PodStatus]:
        return self._status.all()

    def pod_status(self, pod: PodRef) -> PodStatus:
        return self._status.one(pod)

    def image(self, ref: str) -> ImageInfo | None:
        return images.image(self._engine, ref)

    def list_images(self) -> list[HeldImage]:
        return images.held(self._engine)

    def images_in_use(self) -> frozenset[str]:
        return images.in_use(self._engine)

    def remove_image(self, ref: str) -> None:
        images.remove(self._engine, ref)

    def image_disk(self) -> Disk | None:
        return images.disk(self._engine)

    def pull_image(
        self,
        ref: str,
        done: Callable[[PullResult], None],
        progress: Callable[[PullProgress], None] | None = None,
        annotations: Mapping[str, str] | None = None,
        login: RegistryLogin | None = None,
    ) -> None:
        self._submit(
            lambda: images.pull(self._engine, ref, progress, login=login, opened=self._keep),
            done,
            failed=lambda error: PullResult(None, error),
        )

    def unpack_image(self, ref: str, folder: str, done: Callable[[str], None]) -> None:
        self._submit(
            lambda: unpacking.unpack(self._engine, self._scope, ref, Path(folder)), done, failed=lambda error: error
        )

    def exec_sync(
        self, container_id: str, argv: tuple[str, ...], timeout: float, done: Callable[[ExecResult], None]
    ) -> None:
        report = _Once(done)
        if timeout > 0:
            late = ExecResult(-1, "", timeout, timed_out=True)
            report.limit = self._clock.call_later(timeout + _ENGINE_SLACK, lambda: report(late))
        self._submit(
            lambda: executing.run(self._engine, container_id, argv, timeout, clock=self._clock, opened=self._keep),
            report,
            failed=lambda error: ExecResult(-1, "", 0.0, error=error),
        )

    def http_get(
        self, container_id: str, request: HttpRequest, timeout: float, done: Callable[[HttpResult], None]
    ) -> None:
        self._submit(
            lambda: dial.http_get(request, timeout, clock=self._clock),
            done,
            failed=lambda error: HttpResult(0, "", 0.0, error=error),
        )

    def tcp_connect(
        self, container_id: str, host: str, port: int, timeout: float, done: Callable[[TcpResult], None]
    ) -> None:
        self._submit(
            lambda: dial.tcp_connect(host, port, timeout),
            done,
            failed=lambda error: TcpResult(ok=False, seconds=0.0, error=error),
        )

    def grpc_check(
        self,
        container_id: str,
        host: str,
        port: int,
        service: str,
        timeout: float,
        done: Callable[[GrpcResult], None],
    ) -> None:
        self._submit(
            lambda: grpc_health.check(host, port, service, timeout),
            done,
            failed=lambda error: GrpcResult(ok=False, message=error, seconds=0.0),
        )

    def exec_stream(
        self, container_id: str, argv: tuple[str, ...], options: StreamOptions, sink: StreamSink
    ) -> StreamSession:
        return self._kept(sessions.run_command(self._engine, container_id, argv, options, sink))

    def attach(self, container_id: str, options: StreamOptions, sink: StreamSink) -> StreamSession:
        return self._kept(sessions.attach(self._engine, container_id, options, sink))

    def dial(self, pod: PodRef, port: int, sink: StreamSink) -> StreamSession:
        """A pod in the host's network has no address of its own."""
        sandbox_now = next((one for one in self._status.one(pod).sandboxes if one.ready), None)
        if sandbox_now is None:
            raise NotFound(f"the sandbox of pod {pod.namespace}/{pod.name} is not running")
        address = sandbox_now.ip or "127.0.0.1"
        return self._kept(sessions.dial_pod(self._engine, sandbox_now.id, address, port, sink))

    def _kept(self, session: StreamSession) -> StreamSession:
        """`close` of the runtime ends it too."""
        self._keep(session)
        return session

    def stats(self, container_id: str) -> ContainerStats | None:
        return self._stats.read(container_id)

    def written_bytes(self, container_id: str) -> int:
        return self._stats.written(container_id)

    def follow_logs(
        self,
        container_id: str,
        on_line: Callable[[LogLine], None],
        on_end: Callable[[], None],
        since: datetime | None = None,
    ) -> Subscription:
        follower = LogFollower(self._engine, container_id, on_line, on_end, since=since)
        self._keep(follower)
        return follower

    def recent_output(self, container_id: str, lines: int) -> str:
        with engine_errors():
            raw: bytes = self._engine.api.logs(container_id, tail=lines)
        return raw.decode("utf-8", "replace")

    def events(self, on_event: Callable[[RuntimeEvent], None]) -> Subscription:
        follower = EventFollower(self._engine, self._scope, on_event)
        self._keep(follower)
        return follower

    def _submit(self, work: Callable[[], T], done: Callable[[T], None], *, failed: Callable[[str], T]) -> None:
        """Run `work` on a thread and report its result, or what `failed` makes of a bug's text: somebody waits."""

        def job() -> None:
            try:
                result = work()
            except Exception as error:
                log.exception("work for node %s failed", self._scope.node)
                result = failed(str(error))
            try:
                done(result)
            except Exception:
                log.exception("nobody could take the result of work for node %s", self._scope.node)

        if self._closed:
            raise Unavailable("The runtime is closed")
        self._threads.submit(job)

    def _keep(self, one: _Closable) -> None:
        with self._lock:
            self._open.add(one)
            closed = self._closed
        if closed:
            one.close()


class _Closable(Protocol):
    def close(self) -> None: ...


class _Once(Generic[T]):
    """Lets the first of two reports through. `limit` is the timer of the other one; nothing is kept for it afterwards."""

    def __init__(self, done: Callable[[T], None]) -> None:
        self._done = done
        self.limit: Timer | None = None
        self._lock = threading.Lock()
        self._reported = False

    def __call__(self, result: T) -> None:
        with self._lock:
            if self._reported:
                return
            self._reported = True
        if self.limit is not None:
            self.limit.cancel()
        self._done(result)
