"""Simulated nodes for the contract tests, on one lab clock that moves only while a test waits."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from podlab.clock import LabClock
from podlab.runtime.interface import Runtime
from podlab.runtime.sim.runtime import SimRuntime
from tests.runtime.pods import IMAGE

T = TypeVar("T")


class SimLab:
    """Several runtimes on one journal would overwrite each other, so a node is opened once and given out again."""

    def __init__(self) -> None:
        self.clock = LabClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.folder = Path(tempfile.mkdtemp(prefix="podlab-sim-"))
        self._made: dict[tuple[str, str], SimRuntime] = {}

    def runtime(self, lab: str = "one", node: str = "node-a") -> SimRuntime:
        if (lab, node) not in self._made:
            journal = self.folder / lab / f"{node}.jsonl"
            made = SimRuntime(cluster=lab, node=node, clock=self.clock, seed=sum(map(ord, lab)), journal=journal)
            if made.image(IMAGE) is None:
                made.pull_image(IMAGE, lambda result: None)
                self.eventually(lambda: made.image(IMAGE))
            self._made[lab, node] = made
        return self._made[lab, node]

    def restart(self, runtime: Runtime) -> SimRuntime:
        lab, node = next(place for place, made in self._made.items() if made is runtime)
        self._made.pop((lab, node)).close()
        return self.runtime(lab, node)

    def eventually(self, condition: Callable[[], T], within: float = 30.0) -> T:
        until = self.clock.now() + timedelta(seconds=within)
        while not (found := condition()):
            assert self.clock.now() < until, f"not within {within} s; last seen: {found!r}"
            self.clock.advance(self.clock.now() + timedelta(milliseconds=20))
        return found

    def close(self) -> None:
        for made in self._made.values():
            made.close()
        shutil.rmtree(self.folder)
