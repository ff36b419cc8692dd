"""What contract tests wait for, on any runtime: that a container is up, that it ended, that a call reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from podlab.runtime.interface import ContainerState, ContainerStatus
from tests.runtime.labs import Lab
from tests.runtime.pods import Lines, Pod

R = TypeVar("R")


def ended(lab: Lab, pod: Pod, container_id: str) -> ContainerStatus:
    def check() -> ContainerStatus | None:
        found = pod.status(container_id)
        return found if found and found.state is ContainerState.EXITED else None

    return lab.eventually(check)


def up(lab: Lab, pod: Pod, container_id: str) -> str:
    """Wait until the script said "up": from then on it has its signal handlers."""
    lines = Lines(pod.runtime, container_id)
    lab.eventually(lambda: "up\n" in lines.text)
    lines.subscription.close()
    return container_id


def result(lab: Lab, call: Callable[[Callable[[R], None]], None]) -> R:
    """What an asynchronous operation reports, and that it reports once."""
    reports: list[R] = []
    call(reports.append)
    lab.eventually(lambda: reports)
    assert len(reports) == 1
    return reports[0]
