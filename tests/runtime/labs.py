"""What a contract test stands on: runtimes of one kind, and a way to wait that fits their time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Protocol, TypeVar

from podlab import settings
from podlab.clock import monotonic, pause
from podlab.runtime.docker import DockerRuntime
from podlab.runtime.interface import Runtime

T = TypeVar("T")


class Lab(Protocol):
    def runtime(self, lab: str = "one", node: str = "node-a") -> Runtime:
        """A runtime on this node; every call makes a new object on the same state."""
        ...

    def restart(self, runtime: Runtime) -> Runtime:
        """Close it, as a worker that stops, and open the same node again."""
        ...

    def eventually(self, condition: Callable[[], T], within: float = 30.0) -> T:
        """The first true value of `condition`; AssertionError if it does not come within that many seconds."""
        ...

    def close(self) -> None:
        """Leave nothing behind."""
        ...


class DockerLab:
    """The engine of this machine. Lab names are made unique, so that runs side by side do not meet."""

    def __init__(self) -> None:
        self._run = uuid.uuid4().hex[:8]
        self._made: list[tuple[DockerRuntime, str, str]] = []

    def runtime(
        self, lab: str = "one", node: str = "node-a", *, network: str = settings.PODLAB_DOCKER_NETWORK
    ) -> DockerRuntime:
        made = DockerRuntime(
            lab=f"test-{self._run}-{lab}",
            cluster="main",
            node=node,
            base_url=settings.PODLAB_DOCKER_HOST,
            pause_image=settings.PODLAB_PAUSE_IMAGE,
            network=network,
        )
        self._made.append((made, lab, node))
        return made

    def restart(self, runtime: Runtime) -> DockerRuntime:
        made, lab, node = next(entry for entry in self._made if entry[0] is runtime)
        made.close()
        return self.runtime(lab, node)

    def eventually(self, condition: Callable[[], T], within: float = 30.0) -> T:
        until = monotonic() + within
        while not (found := condition()):
            assert monotonic() < until, f"not within {within} s; last seen: {found!r}"
            pause(0.02)
        return found

    def close(self) -> None:
        """Remove what the runtimes made, found by their labels and nothing else."""
        for runtime in {(lab, node): made for made, lab, node in self._made}.values():
            for status in runtime.list_pods().values():
                for container in status.containers:
                    runtime.remove_container(container.id)
                for sandbox in status.sandboxes:
                    runtime.remove_sandbox(sandbox.id)
        for runtime, _, _ in self._made:
            runtime.close()
