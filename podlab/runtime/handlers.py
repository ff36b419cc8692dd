"""The handlers of a Docker node's RuntimeClasses: `docker`, which is the node's own, and `sim`, which simulates a pod beside
the real ones. Sandboxes and containers are known by where they are; images by the pod for which they are asked.

pkg/kubelet/runtimeclass and the runtime_handlers of a container runtime's configuration.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from podlab.apis.types import LogLine
from podlab.runtime.calls import ExecResult, GrpcResult, HttpRequest, HttpResult, TcpResult
from podlab.runtime.docker.runtime import DockerRuntime
from podlab.runtime.images import HANDLER, Disk, HeldImage, ImageInfo, PullProgress, PullResult, RegistryLogin
from podlab.runtime.interface import (
    ContainerConfig,
    ContainerResources,
    ContainerStats,
    MachineInfo,
    PodRef,
    PodStatus,
    Runtime,
    RuntimeEvent,
    SandboxConfig,
    Subscription,
)
from podlab.runtime.sim.beside import Beside
from podlab.runtime.streaming import StreamOptions, StreamSession, StreamSink

SIM = "sim"


class Handlers:
    """A node's runtime. Thread-safe."""

    def __init__(self, docker: DockerRuntime, make_simulator: Callable[[MachineInfo], Beside]) -> None:
        self.name = docker.name
        self._docker = docker
        self._machine = docker.machine
        self._make = make_simulator
        self._made: Beside | None = None
        self._lock = threading.Lock()
        self._pods: set[str] = set()  # uids of simulated pods, and what they are made of: nobody else makes any
        self._ids: set[str] = set()

    def _simulator(self) -> Beside:
        """Made at the first look at the node, for its journal may hold pods."""
        with self._lock:
            if self._made is None:
                self._made = self._make(self._machine())
                for uid, status in self._made.list_pods().items():
                    self._pods.add(uid)
                    self._ids |= {one.id for one in status.sandboxes} | {one.id for one in status.containers}
            return self._made

    def close(self) -> None:
        self._docker.close()
        if self._made is not None:
            self._made.close()

    def _of(self, id: str) -> Runtime:
        simulator = self._simulator()
        return simulator if id in self._ids else self._docker

    def _of_images(self) -> Runtime:
        return self._simulator() if HANDLER.get() == SIM else self._docker

    def machine(self) -> MachineInfo:
        return self._docker.machine()

    def sees(self, path: str) -> bool:
        return self._docker.sees(path)

    def run_sandbox(self, config: SandboxConfig) -> str:
        if config.handler != SIM:
            return self._docker.run_sandbox(config)
        made = self._simulator().run_sandbox(config)
        self._pods.add(config.pod.uid)
        self._ids.add(made)
        return made

    def stop_sandbox(self, sandbox_id: str) -> None:
        self._of(sandbox_id).stop_sandbox(sandbox_id)

    def remove_sandbox(self, sandbox_id: str) -> None:
        self._of(sandbox_id).remove_sandbox(sandbox_id)
        self._ids.discard(sandbox_id)

    def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        made = self._of(sandbox_id).create_container(sandbox_id, config)
        if sandbox_id in self._ids:
            self._ids.add(made)
        return made

    def start_container(self, container_id: str) -> None:
        self._of(container_id).start_container(container_id)

    def signal_container(self, container_id: str, signal: str) -> None:
        self._of(container_id).signal_container(container_id, signal)

    def update_container(self, container_id: str, resources: ContainerResources) -> None:
        self._of(container_id).update_container(container_id, resources)

    def remove_container(self, container_id: str) -> None:
        self._of(container_id).remove_container(container_id)
        self._ids.discard(container_id)

    def list_pods(self) -> dict[str, PodStatus]:
        simulator = self._simulator()
        simulated = simulator.list_pods() if self._pods else {}
        self._pods &= simulated.keys()
        return {**self._docker.list_pods(), **{uid: _named(status) for uid, status in simulated.items()}}

    def pod_status(self, pod: PodRef) -> PodStatus:
        simulator = self._simulator()
        return _named(simulator.pod_status(pod)) if pod.uid in self._pods else self._docker.pod_status(pod)

    def image(self, ref: str) -> ImageInfo | None:
        return self._of_images().image(ref)

    def list_images(self) -> list[HeldImage]:
        """The engine's: what the simulator holds takes no room."""
        return self._docker.list_images()

    def images_in_use(self) -> frozenset[str]:
        return self._docker.images_in_use()

    def remove_image(self, ref: str) -> None:
        self._docker.remove_image(ref)

    def image_disk(self) -> Disk | None:
        return self._docker.image_disk()

    def pull_image(
        self,
        ref: str,
        done: Callable[[PullResult], None],
        progress: Callable[[PullProgress], None] | None = None,
        annotations: Mapping[str, str] | None = None,
        login: RegistryLogin | None = None,
    ) -> None:
        self._of_images().pull_image(ref, done, progress, annotations, login)

    def unpack_image(self, ref: str, folder: str, done: Callable[[str], None]) -> None:
        self._of_images().unpack_image(ref, folder, done)

    def exec_sync(
        self, container_id: str, argv: tuple[str, ...], timeout: float, done: Callable[[ExecResult], None]
    ) -> None:
        self._of(container_id).exec_sync(container_id, argv, timeout, done)

    def http_get(
        self, container_id: str, request: HttpRequest, timeout: float, done: Callable[[HttpResult], None]
    ) -> None:
        self._of(container_id).http_get(container_id, request, timeout, done)

    def tcp_connect(
        self, container_id: str, host: str, port: int, timeout: float, done: Callable[[TcpResult], None]
    ) -> None:
        self._of(container_id).tcp_connect(container_id, host, port, timeout, done)

    def grpc_check(
        self,
        container_id: str,
        host: str,
        port: int,
        service: str,
        timeout: float,
        done: Callable[[GrpcResult], None],
    ) -> None:
        self._of(container_id).grpc_check(container_id, host, port, service, timeout, done)

    def exec_stream(
        self, container_id: str, argv: tuple[str, ...], options: StreamOptions, sink: StreamSink
    ) -> StreamSession:
        return self._of(container_id).exec_stream(container_id, argv, options, sink)

    def attach(self, container_id: str, options: StreamOptions, sink: StreamSink) -> StreamSession:
        return self._of(container_id).attach(container_id, options, sink)

    def dial(self, pod: PodRef, port: int, sink: StreamSink) -> StreamSession:
        simulator = self._simulator()
        return (simulator if pod.uid in self._pods else self._docker).dial(pod, port, sink)

    def stats(self, container_id: str) -> ContainerStats | None:
        return self._of(container_id).stats(container_id)

    def written_bytes(self, container_id: str) -> int:
        return self._of(container_id).written_bytes(container_id)

    def follow_logs(
        self,
        container_id: str,
        on_line: Callable[[LogLine], None],
        on_end: Callable[[], None],
        since: datetime | None = None,
    ) -> Subscription:
        return self._of(container_id).follow_logs(container_id, on_line, on_end, since)

    def recent_output(self, container_id: str, lines: int) -> str:
        return self._of(container_id).recent_output(container_id, lines)

    def events(self, on_event: Callable[[RuntimeEvent], None]) -> Subscription:
        return _Both(self._docker.events(on_event), self._simulator().events(on_event))


class _Both:
    def __init__(self, *subscriptions: Subscription) -> None:
        self._subscriptions = subscriptions

    def close(self) -> None:
        for one in self._subscriptions:
            one.close()


def _named(status: PodStatus) -> PodStatus:
    """Containers of the simulator say so in their ids: sim://…"""
    return replace(status, containers=tuple(replace(one, runtime=SIM) for one in status.containers))
