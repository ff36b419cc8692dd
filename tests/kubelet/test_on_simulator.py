"""The same kubelet on the real simulator runtime: a few whole lives, and the same seed gives the same life."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from kubelet_world import World, container, pod

from podlab.apis.types import Manifest
from podlab.runtime.sim.runtime import SimRuntime


class SimWorld(World):
    """`World` on a SimRuntime."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__(folder)

    def _make(self) -> Any:
        journal = self._folder / "node-a.jsonl"
        self.runtime = SimRuntime(cluster="main", node="node-a", clock=self.clock, seed=7, journal=journal)  # type: ignore[assignment]
        return super()._make()

    def crash(self) -> None:
        super().crash()
        self.runtime.close()  # type: ignore[attr-defined]


def shell(script: str, **more: Any) -> Manifest:
    return container(command=["sh", "-c", script], **more)


def life(folder: Path) -> list[tuple[Any, ...]]:
    """A pod with a probe that turns bad, observed for two minutes."""
    world = SimWorld(folder)
    probe = {"exec": {"command": ["cat", "/tmp/ok"]}, "periodSeconds": 2, "failureThreshold": 2}
    world.apply(pod(shell("touch /tmp/ok; sleep 7; rm /tmp/ok; sleep 600", livenessProbe=probe), grace=3))
    world.advance(120)
    return [(at, *event) for at, event in zip(world.told.times, world.told.events, strict=True)]


def test_a_simulated_pod_is_pulled_runs_and_becomes_ready(tmp_path: Path) -> None:
    world = SimWorld(tmp_path)
    world.apply(pod(shell("echo hello; sleep 3600")))
    world.advance(30)
    assert world.status["phase"] == "Running"
    assert world.condition("Ready")["status"] == "True"
    assert world.container()["containerID"].startswith("sim://")
    assert world.told.reasons()[-2:] == ["Created", "Started"]


def test_a_simulated_command_that_ends_is_backed_off_like_a_real_one(tmp_path: Path) -> None:
    world = SimWorld(tmp_path)
    world.apply(pod(shell("sleep 1; exit 1")))
    world.advance(120)
    runs = [world.told.runs[("main", n)] for n in range(4)]
    waits = [(b["started"] - a["finished"]).total_seconds() for a, b in zip(runs, runs[1:], strict=False)]
    assert [round(wait) for wait in waits] == [0, 10, 20]
    assert world.status["phase"] == "Running"


def test_the_same_seed_gives_the_same_life(tmp_path: Path) -> None:
    first = life(tmp_path / "a")
    assert first == life(tmp_path / "b")
    assert "Killing" in [event[2] for event in first]


def test_a_simulated_pod_survives_its_agent(tmp_path: Path) -> None:
    world = SimWorld(tmp_path)
    world.apply(pod(shell("sleep 3600")))
    world.advance(30)
    before = copy.deepcopy(world.pod)
    world.replace_agent()
    world.advance(60)
    assert world.pod == before


def test_a_simulated_pod_goes_with_its_grace(tmp_path: Path) -> None:
    world = SimWorld(tmp_path)
    world.apply(pod(shell("trap '' TERM; while true; do sleep 3600 & wait; done"), grace=5))
    world.advance(30)
    world.delete()
    world.advance(4)
    assert ("pods", "default", "p") in world.api.objects
    world.advance(2)
    assert ("pods", "default", "p") not in world.api.objects
    assert world.told.runs[("main", 0)]["code"] == 137
