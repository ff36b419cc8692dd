"""Shapes of pods for the tests of runtimes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from podlab.apis.types import LogLine
from podlab.runtime.interface import ContainerConfig, ContainerStatus, PodRef, Runtime, SandboxConfig

IMAGE = "busybox:1.36"
# What the recorded traces use: one ends on TERM, the other does not. Both say when they are ready for signals.
POLITE = "trap 'echo TERM; exit 0' TERM; echo up; while true; do sleep 3600 & wait; done"
STUBBORN = "trap '' TERM; echo up; while true; do sleep 3600 & wait; done"
WEB_SERVER = "mkdir -p /tmp/www; echo yes > /tmp/www/ok.txt; httpd -f -p 8080 -h /tmp/www"


@dataclass
class Pod:
    """A pod on a runtime, with the calls a kubelet would make."""

    runtime: Runtime
    ref: PodRef = field(default_factory=lambda: PodRef("default", "web", str(uuid.uuid4())))
    sandbox_id: str = ""

    def open(self, attempt: int = 0) -> Pod:
        self.sandbox_id = self.runtime.run_sandbox(SandboxConfig(pod=self.ref, attempt=attempt, hostname=self.ref.name))
        return self

    def config(self, *command: str, name: str = "main", attempt: int = 0, **more: object) -> ContainerConfig:
        return ContainerConfig(
            pod=self.ref,
            name=name,
            attempt=attempt,
            command=command,
            **({"image": IMAGE} | more),  # type: ignore[arg-type]
        )

    def create(self, *command: str, **more: object) -> str:
        return self.runtime.create_container(self.sandbox_id, self.config(*command, **more))  # type: ignore[arg-type]

    def run(self, *command: str, **more: object) -> str:
        container_id = self.create(*command, **more)
        self.runtime.start_container(container_id)
        return container_id

    def shell(self, script: str, **more: object) -> str:
        return self.run("sh", "-c", script, **more)

    def status(self, container_id: str) -> ContainerStatus | None:
        found = self.runtime.pod_status(self.ref).containers
        return next((one for one in found if one.id == container_id), None)


class Lines:
    """Collects a followed log."""

    def __init__(self, runtime: Runtime, container_id: str, since: datetime | None = None) -> None:
        self.lines: list[LogLine] = []
        self.ended = 0
        self.subscription = runtime.follow_logs(container_id, self.lines.append, self._end, since)

    def _end(self) -> None:
        self.ended += 1

    @property
    def text(self) -> str:
        return "".join(line.text + ("" if line.partial else "\n") for line in self.lines)
