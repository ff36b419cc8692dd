"""One simulated node with a pod on it, and a clock that a test turns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from podlab.clock import LabClock
from podlab.runtime.calls import PURPOSE, ExecResult, GrpcResult, HttpRequest, HttpResult
from podlab.runtime.interface import ContainerConfig, ContainerState, ContainerStatus, PodRef, SandboxConfig
from podlab.runtime.sim.runtime import SimRuntime

START = datetime(2026, 1, 1, tzinfo=UTC)
REF = PodRef("default", "web", "uid-1")


class Sim:
    def __init__(self, folder: Path, seed: int = 1, *, node_disk: bool = False) -> None:
        self.folder = folder
        self.node_disk = node_disk
        self.seed = seed
        self.clock = LabClock(START)
        self.runtime = self._open()
        self.sandbox = ""

    def _open(self) -> SimRuntime:
        journal = self.folder / "node.jsonl"
        return SimRuntime(
            cluster="c", node="n", clock=self.clock, seed=self.seed, journal=journal, node_disk=self.node_disk
        )

    def crash(self, seconds: float = 0) -> None:
        """The worker dies; the next one opens the journal that much later."""
        self.clock = LabClock(self.clock.now() + timedelta(seconds=seconds))
        self.runtime = self._open()

    def to(self, seconds: float) -> None:
        self.clock.advance(START + timedelta(seconds=seconds))

    @property
    def seconds(self) -> float:
        return (self.clock.now() - START).total_seconds()

    def run(self, *argv: str, image: str = "busybox:1.36", name: str = "main", **more: Any) -> str:
        if self.runtime.image(image) is None:
            self.runtime.pull_image(image, lambda result: None, annotations={"sim.podlab.dev/pull-time": "0"})
            self.clock.advance(self.clock.now())
        self.sandbox = self.runtime.run_sandbox(SandboxConfig(pod=REF, attempt=0, hostname="web"))
        said = {f"sim.podlab.dev/{name}.{key}": value for key, value in more.pop("said", {}).items()}
        command = argv or None
        config = ContainerConfig(
            pod=REF, name=name, image=image, command=command, annotations=said, **{"attempt": 0, **more}
        )
        container_id = self.runtime.create_container(self.sandbox, config)
        self.runtime.start_container(container_id)
        return container_id

    def shell(self, script: str, **more: Any) -> str:
        return self.run("sh", "-c", script, **more)

    def status(self, container_id: str) -> ContainerStatus:
        return next(one for one in self.runtime.pod_status(REF).containers if one.id == container_id)

    def fate(self, container_id: str) -> tuple[float, int, str] | None:
        found = self.status(container_id)
        if found.state is not ContainerState.EXITED:
            return None
        assert found.finished_at is not None
        assert found.exit_code is not None
        return (found.finished_at - START).total_seconds(), found.exit_code, found.reason

    @property
    def ip(self) -> str:
        return self.runtime.pod_status(REF).sandboxes[0].ip

    def http(self, container_id: str, port: int, path: str = "/", purpose: str = "") -> HttpResult:
        found: list[HttpResult] = []
        token = PURPOSE.set(purpose)
        self.runtime.http_get(container_id, HttpRequest("HTTP", self.ip, port, path), 1, found.append)
        PURPOSE.reset(token)
        while not found:
            assert self.clock.fire_next(self.clock.now() + timedelta(seconds=5))
        return found[0]

    def grpc(self, container_id: str, port: int) -> GrpcResult:
        found: list[GrpcResult] = []
        self.runtime.grpc_check(container_id, self.ip, port, "", 1, found.append)
        while not found:
            assert self.clock.fire_next(self.clock.now() + timedelta(seconds=5))
        return found[0]

    def exec(self, container_id: str, *argv: str, purpose: str = "", timeout: float = 1) -> ExecResult:
        found: list[ExecResult] = []
        token = PURPOSE.set(purpose)
        self.runtime.exec_sync(container_id, argv, timeout, found.append)
        PURPOSE.reset(token)
        while not found:
            assert self.clock.fire_next(self.clock.now() + timedelta(seconds=5))
        return found[0]
