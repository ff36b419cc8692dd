"""Every decision says why, in words from which somebody who learns can learn."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fake_runtime import FOREVER, Run
from kubelet_world import START, World, container, pod

from podlab.apis.types import Manifest
from podlab.kubelet import backoff, status_why
from podlab.kubelet.plan import Verdict
from podlab.runtime.calls import ExecResult


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (10, "10s is the first wait, and every further try doubles it up to 5m0s"),
        (20, "10s doubled once, up to 5m0s"),
        (40, "10s doubled twice, up to 5m0s"),
        (160, "10s doubled 4 times, up to 5m0s"),
        (300, "10s is doubled with every try, up to 5m0s"),
    ],
)
def test_where_the_length_of_a_wait_comes_from(seconds: float, text: str) -> None:
    assert backoff.explain(seconds) == text


def test_a_back_off_says_how_it_ended_which_restart_it_is_and_why_so_long(world: World) -> None:
    world.runtime.scripts["main"] = [Run(seconds=1, code=3)]
    world.apply(pod(container()))
    world.advance(13.5)
    why = (
        "run 3 ended with exit code 3 (Error); restart 3 waits 20s from that end: 10s doubled once, up to 5m0s; "
        "a run longer than 10m0s begins anew"
    )
    assert world.container()["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert world.api.whys[-1] == f"main: CrashLoopBackOff: {why}"
    told = dict(zip(world.told.reasons(), world.told.event_whys, strict=True))
    assert told["BackOff"] == why
    assert world.told.runs[("main", 0)]["start_why"].endswith("start from the beginning")
    rule = "it ended with exit code 3 (Error) and restartPolicy is Always"
    assert world.told.runs[("main", 1)]["start_why"] == f"{rule}; there is no back-off yet, so it starts again at once"
    assert world.told.runs[("main", 2)]["start_why"] == f"{rule}; its back-off of 10s is over"


def test_an_image_that_cannot_be_pulled_says_when_it_is_tried_again(world: World) -> None:
    world.runtime.pull_errors["missing:1"] = "not found"
    world.apply(pod(container(image="missing:1")))
    world.advance(2)
    whys = dict(zip(world.told.reasons(), world.told.event_whys, strict=True))
    assert whys["Pulling"] == "imagePullPolicy is IfNotPresent and the image is not on this node"
    assert whys["BackOff"] == f"the next pull waits 10s from the moment the last one failed: {backoff.explain(10)}"
    assert world.api.whys[-1] == f"main: ImagePullBackOff: {whys['BackOff']}"
    assert all(whys.values())


def test_a_change_of_readiness_is_explained_by_its_probe(world: World) -> None:
    def answer(argv: tuple[str, ...], now: datetime) -> ExecResult:
        bad = START + timedelta(seconds=2.5) <= now
        return ExecResult(int(bad), "no\n" if bad else "", 0.01)

    world.runtime.exec_answer = answer
    probe = {"exec": {"command": ["ok"]}, "periodSeconds": 1, "failureThreshold": 2}
    world.apply(pod(container(readinessProbe=probe)))
    world.advance(1)
    assert world.api.whys[-1] == "main is ready: readiness probe succeeded once"
    world.advance(4)
    assert world.api.whys[-1] == "main is not ready: readiness probe failed 2 times in a row: no"
    world.advance(2)
    counted = [why for why in world.told.event_whys if "failures in a row" in why]
    assert counted[:2] == [
        "1 of 2 failures in a row",
        "2 of 2 failures in a row: the container is not ready any more",
    ]
    assert counted[2] == "3 failures in a row, where 2 are enough"


def test_the_end_of_a_pod_says_how_its_containers_ended(world: World) -> None:
    world.runtime.scripts["main"] = [Run(seconds=1, code=0)]
    world.apply(pod(container(), policy="Never"))
    world.advance(3)
    assert world.api.whys[-1] == (
        "main ended with exit code 0 (Completed); none may start again, as restartPolicy is Never"
    )


def test_every_status_of_a_life_has_its_why(world: World) -> None:
    world.runtime.scripts["main"] = [Run(seconds=2, code=1), FOREVER]
    made = len(world.api.whys)  # what the test itself asks for has none
    world.apply(pod(container()))
    world.advance(5)
    deleted = len(world.api.whys)
    world.delete(grace=1)
    world.advance(3)
    unsaid = [n for n, why in enumerate(world.api.whys) if not why]
    assert unsaid == [made, deleted]
    assert "main ended with exit code 1 (Error)" in world.api.whys


def test_a_status_without_a_change_needs_no_why() -> None:
    entry = {"name": "a", "state": {"running": {}}, "ready": True, "started": True, "containerID": "fake://1"}
    status = {"containerStatuses": [entry]}
    assert status_why.changes(status, status, {}) == ""
    other = {"containerStatuses": [{**entry, "ready": False}]}
    verdicts = {("1", "readiness"): Verdict(False, "it said no")}
    assert status_why.changes(status, other, verdicts) == "a is not ready: it said no"
    assert status_why.changes({}, other, {}) == "a runs"


def test_a_failed_config_says_when_it_is_tried_again(world: World) -> None:
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "a"}}}]
    world.apply(pod(container(env=env)))
    assert world.api.whys[-1] == (
        'main: CreateContainerConfigError: configmap "none" not found; it is tried again in 10s'
    )


def test_a_node_that_gets_short_says_of_what(world: World) -> None:
    node = world.api.get("nodes", "", "node-a").obj
    node["metadata"]["annotations"] = {
        "sim.podlab.dev/memory.available": "10Mi",
        "podlab.dev/eviction-hard": "memory.available<100Mi",
    }
    whys: list[str] = []
    event = world.told.event

    def listening(obj: Manifest, kind: str, reason: str, message: str, *, field_path: str = "", why: str = "") -> None:
        if reason == "NodeHasInsufficientMemory":
            whys.append(why)
        event(obj, kind, reason, message, field_path=field_path, why=why)

    world.told.event = listening  # type: ignore[method-assign]
    world.api.put("nodes", node)
    assert whys == ["memory.available is 10485760, less than the threshold 100Mi"]
