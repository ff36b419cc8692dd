"""A small runtime on a lab clock: containers do what a test scripts, at once and without surprises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from podlab.apis.types import LogLine
from podlab.clock import LabClock, Timer
from podlab.runtime.calls import ExecResult, GrpcResult, HttpRequest, HttpResult, TcpResult
from podlab.runtime.errors import RuntimeFailure, StartFailed
from podlab.runtime.images import HeldImage, ImageInfo, PullProgress, PullResult, RegistryLogin
from podlab.runtime.interface import (
    ContainerConfig,
    ContainerResources,
    ContainerState,
    ContainerStats,
    ContainerStatus,
    MachineInfo,
    PodRef,
    PodStatus,
    RuntimeEvent,
    SandboxConfig,
    SandboxStatus,
    Subscription,
)


@dataclass(frozen=True)
class Run:
    """What one run of a container does: ends after `seconds` (None = never) with `code`; on TERM it ends with
    `on_term` (None = ignores it); `cannot_start` is the engine's complaint."""

    seconds: float | None = None
    code: int = 0
    on_term: int | None = 0
    cannot_start: str = ""
    lines: tuple[str, ...] = ()


FOREVER = Run()


@dataclass
class _Closable:
    closed: bool = False

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeRuntime:
    clock: LabClock
    name: str = "fake"
    scripts: dict[str, list[Run]] = field(default_factory=dict)  # by container; the last entry repeats
    images: set[str] = field(default_factory=lambda: {"busybox:1.36"})
    pull_errors: dict[str, str] = field(default_factory=dict)
    pull_seconds: float = 1.0
    unpack_errors: list[str] = field(default_factory=list)
    pull_steps: list[tuple[float, int]] = field(default_factory=list)  # seconds → bytes of 100
    logins: list[RegistryLogin | None] = field(default_factory=list)
    exec_answer: Callable[[tuple[str, ...], datetime], ExecResult] | None = None
    http_answer: Callable[[HttpRequest, datetime], HttpResult] | None = None
    sandboxes: dict[str, SandboxStatus] = field(default_factory=dict)
    containers: dict[str, ContainerStatus] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    configs: dict[str, ContainerConfig] = field(default_factory=dict)
    simulated: bool = True
    update_error: str = ""
    handlers: list[str] = field(default_factory=list)  # of the sandboxes made
    grpc_answer: GrpcResult | None = None
    resources: dict[str, ContainerResources] = field(default_factory=dict)  # given to running containers
    memory_used: int = 0
    memory_of: dict[str, int] = field(default_factory=dict)  # by container name, before memory_used
    written: dict[str, int] = field(default_factory=dict)  # bytes by container name
    messages: dict[str, str] = field(default_factory=dict)  # last words by container name
    _timers: dict[str, Timer] = field(default_factory=dict)
    _listeners: list[Callable[[RuntimeEvent], None]] = field(default_factory=list)
    _ends: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    _order: list[str] = field(default_factory=list)

    def machine(self) -> MachineInfo:
        return MachineInfo(
            cpu_milli=2000,
            memory_bytes=2**32,
            os_image="test",
            kernel="test",
            runtime_version="fake://1",
            architecture="amd64",
            simulated=self.simulated,
            storage_bytes=100 * 2**30,
        )

    # Sandboxes

    def run_sandbox(self, config: SandboxConfig) -> str:
        number = sum(s.pod.uid == config.pod.uid for s in self.sandboxes.values())
        sandbox_id = f"sb-{config.pod.name}-{config.attempt}"
        self.calls.append(f"run_sandbox {config.attempt}")
        self.handlers.append(config.handler)
        self.sandboxes[sandbox_id] = SandboxStatus(
            id=sandbox_id,
            pod=config.pod,
            attempt=config.attempt,
            ready=True,
            ip="" if config.host_network else f"10.0.0.{len(self.sandboxes) + number + 1}",
            created_at=self.clock.now(),
        )
        return sandbox_id

    def stop_sandbox(self, sandbox_id: str) -> None:
        self.calls.append("stop_sandbox")
        self.sandboxes[sandbox_id] = replace(self.sandboxes[sandbox_id], ready=False, ip="")

    def remove_sandbox(self, sandbox_id: str) -> None:
        self.calls.append("remove_sandbox")
        self.sandboxes.pop(sandbox_id, None)

    # Containers

    def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        container_id = f"{config.pod.name}-{config.name}-{config.attempt}"
        self.calls.append(f"create {config.name} {config.attempt}")
        self.configs[container_id] = config
        if container_id not in self.containers:
            self._order.append(container_id)
            self.containers[container_id] = ContainerStatus(
                id=container_id,
                pod=config.pod,
                name=config.name,
                sandbox_id=sandbox_id,
                attempt=config.attempt,
                state=ContainerState.CREATED,
                image=config.image,
                image_id="sha256:1",
                created_at=self.clock.now(),
                hash=config.hash,
                grace_seconds=config.grace_seconds,
            )
        return container_id

    def start_container(self, container_id: str) -> None:
        run = self.script(container_id)
        self.calls.append(f"start {container_id}")
        if run.cannot_start:
            self._become(container_id, state=ContainerState.EXITED, exit_code=128, reason="StartError",
                         message=run.cannot_start, started_at=None, finished_at=self.clock.now())  # fmt: skip
            raise StartFailed(run.cannot_start)
        self._become(container_id, state=ContainerState.RUNNING, started_at=self.clock.now())
        self._tell(container_id, "started")
        if run.seconds is not None:
            self._timers[container_id] = self.clock.call_later(run.seconds, lambda: self.end(container_id, run.code))

    def script(self, container_id: str) -> Run:
        status = self.containers[container_id]
        runs = self.scripts.get(status.name, [FOREVER])
        return runs[min(status.attempt, len(runs) - 1)]

    def end(self, container_id: str, code: int, reason: str = "") -> None:
        status = self.containers.get(container_id)
        if status is None or status.state is not ContainerState.RUNNING:
            return
        timer = self._timers.pop(container_id, None)
        if timer is not None:
            timer.cancel()
        reason = reason or ("Error" if code else "Completed")
        message = self.messages.get(status.name, "")
        self._become(
            container_id,
            state=ContainerState.EXITED,
            exit_code=code,
            reason=reason,
            message=message,
            finished_at=self.clock.now(),
        )
        for on_end in self._ends.pop(container_id, []):
            on_end()
        self._tell(container_id, "died")

    def signal_container(self, container_id: str, signal: str) -> None:
        self.calls.append(f"{signal} {container_id}")
        if signal == "KILL":
            self.end(container_id, 137)
        elif self.containers[container_id].state is ContainerState.RUNNING:
            code = self.script(container_id).on_term
            if code is not None:
                self.end(container_id, code)

    def update_container(self, container_id: str, resources: ContainerResources) -> None:
        self.calls.append(f"update {container_id}")
        if self.update_error:
            raise RuntimeFailure(self.update_error)
        self.resources[container_id] = resources

    def remove_container(self, container_id: str) -> None:
        self.calls.append(f"remove {container_id}")
        if self.containers.pop(container_id, None) is not None:
            self._order.remove(container_id)

    def list_pods(self) -> dict[str, PodStatus]:
        refs = {s.pod.uid: s.pod for s in [*self.sandboxes.values(), *self.containers.values()]}
        return {uid: self.pod_status(ref) for uid, ref in refs.items()}

    def pod_status(self, pod: PodRef) -> PodStatus:
        sandboxes = [s for s in self.sandboxes.values() if s.pod.uid == pod.uid]
        containers = [self.containers[i] for i in reversed(self._order) if self.containers[i].pod.uid == pod.uid]
        return PodStatus(pod, tuple(reversed(sandboxes)), tuple(containers))

    def _become(self, container_id: str, **changes: object) -> None:
        self.containers[container_id] = replace(self.containers[container_id], **changes)  # type: ignore[arg-type]

    def _tell(self, container_id: str, kind: str) -> None:
        status = self.containers[container_id]
        for listener in list(self._listeners):
            listener(RuntimeEvent(status.pod.uid, container_id, kind))

    # Images, probes, the rest

    def image(self, ref: str) -> ImageInfo | None:
        return ImageInfo("sha256:1", ref, 4096) if ref in self.images else None

    def list_images(self) -> list[HeldImage]:
        return [HeldImage(f"sha256:{ref}", (ref,), (), 4096) for ref in sorted(self.images)]

    def pull_image(
        self,
        ref: str,
        done: Callable[[PullResult], None],
        progress: Callable[[PullProgress], None] | None = None,
        annotations: Mapping[str, str] | None = None,
        login: RegistryLogin | None = None,
    ) -> None:
        self.calls.append(f"pull {ref}")
        self.logins.append(login)

        def finish() -> None:
            error = self.pull_errors.get(ref, "")
            if not error:
                self.images.add(ref)
            done(PullResult(self.image(ref) if not error else None, error, self.pull_seconds))

        for seconds, current in self.pull_steps:
            if progress is not None:
                told = PullProgress(ref, "Downloading", current, 100, 2)
                self.clock.call_later(seconds, partial(progress, told))
        self.clock.call_later(self.pull_seconds, finish)

    def unpack_image(self, ref: str, folder: str, done: Callable[[str], None]) -> None:
        self.calls.append(f"unpack {ref} {folder.rsplit('/', 1)[1]}")
        errors = self.unpack_errors
        self.clock.call_later(1, lambda: done(errors.pop(0) if errors else ""))

    def exec_sync(
        self, container_id: str, argv: tuple[str, ...], timeout: float, done: Callable[[ExecResult], None]
    ) -> None:
        self.calls.append(f"exec {container_id} {' '.join(argv)}")
        answer = self.exec_answer(argv, self.clock.now()) if self.exec_answer else ExecResult(0, "", 0.01)
        self.clock.call_later(answer.seconds, lambda: done(answer))

    def http_get(
        self, container_id: str, request: HttpRequest, timeout: float, done: Callable[[HttpResult], None]
    ) -> None:
        answer = self.http_answer(request, self.clock.now()) if self.http_answer else HttpResult(200, "ok", 0.01)
        self.clock.call_later(answer.seconds, lambda: done(answer))

    def tcp_connect(
        self, container_id: str, host: str, port: int, timeout: float, done: Callable[[TcpResult], None]
    ) -> None:
        self.clock.call_later(0.01, lambda: done(TcpResult(True, 0.01)))

    def grpc_check(
        self,
        container_id: str,
        host: str,
        port: int,
        service: str,
        timeout: float,
        done: Callable[[GrpcResult], None],
    ) -> None:
        self.calls.append(f"grpc {host}:{port} {service}")
        answer = self.grpc_answer or GrpcResult(True, "service healthy", 0.01)
        self.clock.call_later(answer.seconds, lambda: done(answer))

    def stats(self, container_id: str) -> ContainerStats | None:
        name = self.containers[container_id].name
        return ContainerStats(0, self.memory_of.get(name, self.memory_used), pids=1)

    def written_bytes(self, container_id: str) -> int:
        return self.written.get(self.containers[container_id].name, 0)

    def follow_logs(
        self,
        container_id: str,
        on_line: Callable[[LogLine], None],
        on_end: Callable[[], None],
        since: datetime | None = None,
    ) -> Subscription:
        status = self.containers[container_id]
        begin = status.started_at or status.created_at
        for number, text in enumerate(self.script(container_id).lines):
            at = begin + timedelta(microseconds=number)
            if since is None or at > since:
                on_line(LogLine(at, "stdout", text))
        if status.state is ContainerState.EXITED:
            on_end()
        else:
            self._ends.setdefault(container_id, []).append(on_end)
        return _Closable()

    def recent_output(self, container_id: str, lines: int) -> str:
        return "".join(f"{line}\n" for line in self.script(container_id).lines[-lines:])

    def events(self, on_event: Callable[[RuntimeEvent], None]) -> Subscription:
        self._listeners.append(on_event)
        runtime = self

        class Listening:
            def close(self) -> None:
                if on_event in runtime._listeners:
                    runtime._listeners.remove(on_event)

        return Listening()
