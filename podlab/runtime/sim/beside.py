"""A simulated runtime on real time, for many threads: what a Docker node runs pods of the handler `sim` on.

`SimRuntime` belongs to one thread. Here that is a thread of its own: every call is done there and waited for, timers fire
there, and whatever the simulator has to say to others is said from yet another thread, so that nobody waits in a circle.
`runtime.handlers` puts it beside the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from podlab.apis.types import LogLine
from podlab.clock import Callback, RealClock, Timer
from podlab.runtime.calls import PURPOSE, ExecResult, GrpcResult, HttpRequest, HttpResult, TcpResult
from podlab.runtime.errors import Unavailable
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
from podlab.runtime.sim.runtime import SimRuntime
from podlab.runtime.streaming import StreamOptions, StreamSession, StreamSink

T = TypeVar("T")
SUBNET = 255  # of the simulated pod network; Docker's pods have other addresses anyway


class _ActorClock:
    """Real time whose timers fire on the actor's thread."""

    def __init__(self, clock: RealClock, actor: ThreadPoolExecutor) -> None:
        self._clock, self._actor = clock, actor

    def now(self) -> datetime:
        return self._clock.now()

    def call_at(self, when: datetime, callback: Callback) -> Timer:
        return self.call_later((when - self.now()).total_seconds(), callback)

    def call_later(self, seconds: float, callback: Callback) -> Timer:
        entry = _Cancellable(callback)
        entry.timer = self._clock.call_later(seconds, lambda: _hand_over(self._actor, entry.fire))
        return entry


class _Cancellable:
    """A timer that may be cancelled while it waits for the actor."""

    def __init__(self, callback: Callback) -> None:
        self.timer: Timer | None = None
        self._callback: Callback | None = callback

    def cancel(self) -> None:
        self._callback = None
        if self.timer is not None:
            self.timer.cancel()

    def fire(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


def _hand_over(pool: ThreadPoolExecutor, work: Callable[[], object]) -> None:
    try:
        pool.submit(work)
    except RuntimeError:
        return  # closed meanwhile: nobody waits for it any more


class Beside:
    name = "sim"

    def __init__(self, *, cluster: str, node: str, journal: Path, cpu_milli: int, memory_bytes: int) -> None:
        self._actor = ThreadPoolExecutor(1, thread_name_prefix=f"sim {node}")
        self._outbox = ThreadPoolExecutor(1, thread_name_prefix=f"sim {node} says")
        self._clock = RealClock()
        self._sim: SimRuntime = self._actor.submit(
            lambda: SimRuntime(
                cluster=cluster,
                node=node,
                clock=_ActorClock(self._clock, self._actor),
                journal=journal,
                subnet=SUBNET,
                cpu_milli=cpu_milli,
                memory_bytes=memory_bytes,
                node_disk=True,
            )
        ).result()

    def close(self) -> None:
        """Containers go on in the journal."""
        self._do(self._sim.close)
        self._clock.close()
        self._actor.shutdown(wait=False, cancel_futures=True)
        self._outbox.shutdown(wait=False, cancel_futures=True)

    def _do(self, work: Callable[[], T]) -> T:
        try:
            return self._actor.submit(work).result()
        except RuntimeError as error:
            if "shutdown" in str(error):
                raise Unavailable("The runtime is closed") from None
            raise

    def _said(self, done: Callable[..., None]) -> Callable[..., None]:
        return lambda *words: _hand_over(self._outbox, lambda: done(*words))

    def machine(self) -> MachineInfo:
        return self._do(self._sim.machine)

    def run_sandbox(self, config: SandboxConfig) -> str:
        return self._do(lambda: self._sim.run_sandbox(config))

    def stop_sandbox(self, sandbox_id: str) -> None:
        self._do(lambda: self._sim.stop_sandbox(sandbox_id))

    def remove_sandbox(self, sandbox_id: str) -> None:
        self._do(lambda: self._sim.remove_sandbox(sandbox_id))

    def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        return self._do(lambda: self._sim.create_container(sandbox_id, config))

    def start_container(self, container_id: str) -> None:
        self._do(lambda: self._sim.start_container(container_id))

    def signal_container(self, container_id: str, signal: str) -> None:
        self._do(lambda: self._sim.signal_container(container_id, signal))

    def update_container(self, container_id: str, resources: ContainerResources) -> None:
        self._do(lambda: self._sim.update_container(container_id, resources))

    def remove_container(self, container_id: str) -> None:
        self._do(lambda: self._sim.remove_container(container_id))

    def list_pods(self) -> dict[str, PodStatus]:
        return self._do(self._sim.list_pods)

    def pod_status(self, pod: PodRef) -> PodStatus:
        return self._do(lambda: self._sim.pod_status(pod))

    def image(self, ref: str) -> ImageInfo | None:
        return self._do(lambda: self._sim.image(ref))

    def list_images(self) -> list[HeldImage]:
        return self._do(self._sim.list_images)

    def pull_image(
        self,
        ref: str,
        done: Callable[[PullResult], None],
        progress: Callable[[PullProgress], None] | None = None,
        annotations: Mapping[str, str] | None = None,
        login: RegistryLogin | None = None,
    ) -> None:
        told = self._said(progress) if progress is not None else None
        self._do(lambda: self._sim.pull_image(ref, self._said(done), told, annotations, login))

    def unpack_image(self, ref: str, folder: str, done: Callable[[str], None]) -> None:
        self._do(lambda: self._sim.unpack_image(ref, folder, self._said(done)))

    def exec_sync(
        self, container_id: str, argv: tuple[str, ...], timeout: float, done: Callable[[ExecResult], None]
    ) -> None:
        self._probe(lambda: self._sim.exec_sync(container_id, argv, timeout, self._said(done)))

    def http_get(
        self, container_id: str, request: HttpRequest, timeout: float, done: Callable[[HttpResult], None]
    ) -> None:
        self._probe(lambda: self._sim.http_get(container_id, request, timeout, self._said(done)))

    def tcp_connect(
        self, container_id: str, host: str, port: int, timeout: float, done: Callable[[TcpResult], None]
    ) -> None:
        self._probe(lambda: self._sim.tcp_connect(container_id, host, port, timeout, self._said(done)))

    def grpc_check(
        self,
        container_id: str,
        host: str,
        port: int,
        service: str,
        timeout: float,
        done: Callable[[GrpcResult], None],
    ) -> None:
        self._probe(lambda: self._sim.grpc_check(container_id, host, port, service, timeout, self._said(done)))

    def _probe(self, work: Callable[[], None]) -> None:
        """The caller's purpose goes along to the other thread."""
        purpose = PURPOSE.get()

        def job() -> None:
            token = PURPOSE.set(purpose)
            try:
                work()
            finally:
                PURPOSE.reset(token)

        self._do(job)

    def exec_stream(
        self, container_id: str, argv: tuple[str, ...], options: StreamOptions, sink: StreamSink
    ) -> StreamSession:
        out = _Sink(self, sink)
        return _Session(self, self._do(lambda: self._sim.exec_stream(container_id, argv, options, out)))

    def attach(self, container_id: str, options: StreamOptions, sink: StreamSink) -> StreamSession:
        out = _Sink(self, sink)
        return _Session(self, self._do(lambda: self._sim.attach(container_id, options, out)))

    def dial(self, pod: PodRef, port: int, sink: StreamSink) -> StreamSession:
        out = _Sink(self, sink)
        return _Session(self, self._do(lambda: self._sim.dial(pod, port, out)))

    def stats(self, container_id: str) -> ContainerStats | None:
        return self._do(lambda: self._sim.stats(container_id))

    def written_bytes(self, container_id: str) -> int:
        return self._do(lambda: self._sim.written_bytes(container_id))

    def follow_logs(
        self,
        container_id: str,
        on_line: Callable[[LogLine], None],
        on_end: Callable[[], None],
        since: datetime | None = None,
    ) -> Subscription:
        line, end = self._said(on_line), self._said(on_end)
        return self._do(lambda: self._sim.follow_logs(container_id, line, end, since))

    def recent_output(self, container_id: str, lines: int) -> str:
        return self._do(lambda: self._sim.recent_output(container_id, lines))

    def events(self, on_event: Callable[[RuntimeEvent], None]) -> Subscription:
        told = self._said(on_event)
        return self._do(lambda: self._sim.events(told))


class _Sink:
    def __init__(self, beside: Beside, sink: StreamSink) -> None:
        self.output: Callable[[str, bytes], None] = beside._said(sink.output)
        self.ended: Callable[[int | None, str], None] = beside._said(sink.ended)


class _Session:
    def __init__(self, beside: Beside, session: StreamSession) -> None:
        self._beside, self._session = beside, session

    def write(self, data: bytes) -> None:
        self._do(lambda: self._session.write(data))

    def close_input(self) -> None:
        self._do(self._session.close_input)

    def resize(self, width: int, height: int) -> None:
        self._do(lambda: self._session.resize(width, height))

    def close(self) -> None:
        self._do(self._session.close)

    def _do(self, work: Callable[[], Any]) -> None:
        self._beside._do(work)
