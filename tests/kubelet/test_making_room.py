"""A critical pod comes in although the node is full: others give way (pkg/kubelet/preemption)."""

from __future__ import annotations

from typing import Any

import pytest
from fake_runtime import Run
from kubelet_world import World, container, pod

from podlab.apis.types import Manifest
from podlab.kubelet import preemption

MI = 2**20
TEXT = "Preempted in order to admit critical pod"


def asks(name: str, cpu: int = 0, memory: int = 0, *, priority: int = 0, limits: bool = False, **more: Any) -> Manifest:
    requests = {
        key: value for key, value in (("cpu", f"{cpu}m"), ("memory", f"{memory}Mi")) if not value.startswith("0")
    }
    resources = {"requests": requests} | ({"limits": requests} if limits else {})
    return pod(container(resources=resources if requests else {}), name=name, priority=priority, **more)


def critical(cpu: int = 0, memory: int = 0, **more: Any) -> Manifest:
    return asks("p", cpu, memory, priority=2_000_001_000, **more)


def chosen(others: list[Manifest], missing: dict[str, int], by: Manifest | None = None) -> list[str]:
    return [one["metadata"]["name"] for one in preemption.choose(by or critical(), others, missing)]


def test_who_gives_way() -> None:
    best = asks("best")
    small, big = asks("small", 100), asks("big", 900)
    whole = asks("whole", 500, 100, limits=True)
    everybody = [whole, big, best, small]
    assert chosen(everybody, {"cpu": 50}) == ["small"]  # of two that do, the smaller one
    assert chosen(everybody, {"cpu": 800}) == ["big"]  # what comes nearest
    assert chosen(everybody, {"cpu": 950}) == ["big", "small"]
    assert chosen(everybody, {"cpu": 1200}) == ["big", "whole"]  # guaranteed pods only when the others are not enough
    assert chosen(everybody, {"pods": 1}) == ["best"]
    assert chosen([asks("a", 100, 50), asks("b", 100, 10)], {"cpu": 100}) == ["b"]


def test_who_never_gives_way() -> None:
    static = asks("static", 500)
    del static["spec"]["priority"]
    static["metadata"]["annotations"] = {"kubernetes.io/config.source": "file"}
    others = [static, asks("system", 500, priority=2_000_000_000)]
    with pytest.raises(preemption.NoneFound, match=r"reclaim resources: \[\(res: cpu, q: 100\), \]$"):
        chosen(others, {"cpu": 100}, by=asks("p", priority=2_000_000_000))
    assert chosen(others, {"cpu": 100}) == ["system"]  # less important than a pod of the node itself
    assert chosen([asks("low", 200)], {"cpu": 100}, by=static) == ["low"]


def test_a_critical_pod_waits_for_those_who_give_way(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.apply(asks("low", 1500, grace=5))
    world.apply(critical(1000))
    assert world.status["phase"] == "Pending"
    assert not world.status.get("containerStatuses")
    world.advance(4)
    assert world.status["phase"] == "Pending"
    world.advance(2)
    low = world.api.objects[("pods", "default", "low")]["status"]
    assert (low["phase"], low["reason"], low["message"]) == ("Failed", "Preempting", TEXT)
    target = next(c for c in low["conditions"] if c["type"] == "DisruptionTarget")
    assert (target["reason"], target["message"]) == (
        "TerminationByKubelet",
        "Pod was preempted by Kubelet to accommodate a critical pod.",
    )
    assert world.told.messages("Preempting") == [TEXT]
    assert world.status["phase"] == "Running"


def test_where_nobody_can_give_way_the_pod_is_refused(world: World) -> None:
    world.apply(asks("other", 1500, priority=2_000_001_000))
    world.apply(critical(1000))
    assert (world.status["phase"], world.status["reason"]) == ("Failed", "UnexpectedAdmissionError")
    assert world.status["message"] == (
        "Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: error "
        "finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 500), ]"
    )


def test_nobody_gives_way_for_a_pod_that_would_be_refused_anyhow_or_is_not_critical(world: World) -> None:
    world.apply(asks("low", 1500))
    world.apply(critical(1000, nodeSelector={"a": "b"}))
    assert world.status["reason"] == "NodeAffinity"
    world.apply(asks("q", 1000, priority=1000))
    refused = world.api.objects[("pods", "default", "q")]["status"]
    assert refused["reason"] == "OutOfcpu"
    assert refused["message"] == (
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000"
    )
    assert "Preempting" not in world.told.reasons()
