"""restartPolicyRules: Restart for one container, RestartAllContainers for the whole pod."""

from __future__ import annotations

from typing import Any

import pytest
from fake_runtime import FOREVER, Run
from kubelet_world import World, container, pod

from podlab.apis.types import Manifest
from podlab.kubelet import pods

ALL, ONE = "RestartAllContainers", "Restart"
TOLD = "The container is removed because RestartAllContainers in place"


def rule(action: str, *codes: int, operator: str = "In") -> Manifest:
    return {"action": action, "exitCodes": {"operator": operator, "values": list(codes)}}


def trigger(name: str = "trigger", *codes: int, **more: Any) -> Manifest:
    return container(name, restartPolicy="Never", restartPolicyRules=[rule(ALL, *(codes or (42,)))], **more)


def condition_course(world: World) -> list[tuple[str, str]]:
    seen: list[tuple[str, str]] = []
    for status in world.api.statuses:
        for one in status["conditions"]:
            if one["type"] == "AllContainersRestarting":
                now = (one["status"], one.get("reason", ""))
                if seen[-1:] != [now]:
                    seen.append(now)
    return seen


def test_every_container_is_removed_and_the_pod_begins_anew(world: World) -> None:
    world.runtime.scripts = {"setup": [Run(seconds=1)], "trigger": [Run(5, 42), FOREVER]}
    hook = {"preStop": {"exec": {"command": ["bye"]}}}
    world.apply(pod(container("main", lifecycle=hook), trigger(), initContainers=[container("setup")], policy="Never"))
    world.advance(6.5)
    assert condition_course(world) == [("False", ""), ("True", "RestartAllContainersStarted"), ("False", "")]
    shown = next(
        s for s in world.api.statuses if s["containerStatuses"][0]["state"].get("waiting", {}).get("message") == TOLD
    )
    assert shown["phase"] == "Running"
    for entry in (*shown["initContainerStatuses"], *shown["containerStatuses"]):
        assert entry["state"]["waiting"]["reason"] == "RestartingAllContainers"
        assert entry["lastState"]["terminated"]["exitCode"] == 137
        assert entry["lastState"]["terminated"]["reason"] == "RestartingAllContainers"
        assert entry["restartCount"] == 1
    world.advance(2)
    assert world.status["phase"] == "Running"
    for name in ("setup", "main", "trigger"):
        assert world.container(name)["restartCount"] == 1
        assert world.container(name)["lastState"]["terminated"]["message"] == TOLD
    assert world.container("main")["state"].get("running")
    assert not any(call.startswith("exec") for call in world.runtime.calls)
    assert len(world.runtime.sandboxes) == 1
    assert world.told.runs[("main", 0)]["stop_why"].startswith("container trigger exited with 42")


def test_there_is_no_back_off_and_the_count_goes_on(world: World) -> None:
    world.runtime.scripts = {"trigger": [Run(3, 42)]}
    world.apply(pod(container("main"), trigger()))
    world.advance(10.5)
    assert world.container("main")["restartCount"] == 3
    assert world.container("trigger")["restartCount"] == 3
    assert "BackOff" not in world.told.reasons()


def test_a_container_that_ignores_term_gets_the_shortest_grace(world: World) -> None:
    world.runtime.scripts = {"trigger": [Run(1, 42), FOREVER], "main": [Run(on_term=None), FOREVER]}
    world.apply(pod(container("main"), trigger(), grace=30))
    world.advance(2.9)
    assert world.container("main")["restartCount"] == 0
    world.advance(0.2)
    assert world.container("main")["restartCount"] == 1


def test_an_init_container_may_trigger_it(world: World) -> None:
    world.runtime.scripts = {"one": [Run(1)], "two": [Run(1, 42), Run(1)]}
    inits = [container("one"), trigger("two")]
    world.apply(pod(initContainers=inits, policy="Never"))
    world.advance(5)
    assert world.container("one")["restartCount"] == 1
    assert world.container("two")["restartCount"] == 1
    assert world.container("main")["state"].get("running")
    assert world.container("main")["restartCount"] == 0


def test_another_code_ends_the_pod_as_usual(world: World) -> None:
    world.runtime.scripts = {"trigger": [Run(1, 3)], "main": [Run(2)]}
    world.apply(pod(container("main"), trigger(), policy="Never"))
    world.advance(5)
    assert world.status["phase"] == "Failed"
    assert world.condition("AllContainersRestarting")["reason"] == "PodFailed"


def test_an_agent_killed_in_between_is_followed_by_one_that_goes_on(world: World) -> None:
    world.runtime.scripts = {"trigger": [Run(1, 42), FOREVER], "main": [Run(on_term=None), FOREVER]}
    world.apply(pod(container("main"), trigger(), grace=30))
    world.advance(1.5)
    assert world.condition("AllContainersRestarting")["status"] == "True"
    world.replace_agent()
    world.advance(4)
    assert world.container("main")["restartCount"] == 1
    assert world.condition("AllContainersRestarting")["status"] == "False"


def test_a_single_container_restarts_itself_and_the_pod_never_fails(world: World) -> None:
    world.runtime.scripts = {"trigger": [Run(1, 42), FOREVER]}
    world.apply(pod(trigger(), policy="Never"))
    world.advance(3)
    assert condition_course(world) == [("False", ""), ("True", "RestartAllContainersStarted"), ("False", "")]
    assert {s["phase"] for s in world.api.statuses} == {"Pending", "Running"}
    assert world.container("trigger")["restartCount"] == 1


def test_pods_without_such_a_rule_show_no_condition(world: World) -> None:
    world.apply(pod(container(restartPolicy="Never", restartPolicyRules=[rule(ONE, 42)])))
    assert all(c["type"] != "AllContainersRestarting" for c in world.status["conditions"])


@pytest.mark.parametrize(
    ("rules", "policy", "code", "again"),
    [
        ([rule(ONE, 42)], "Never", 42, True),
        ([rule(ONE, 42)], "Never", 1, False),
        ([rule(ONE, 42)], "OnFailure", 1, True),
        ([rule(ONE, 0, operator="NotIn")], "Never", 7, True),
        ([rule(ONE, 0, operator="NotIn")], "Never", 0, False),
        ([rule(ALL, 42), rule(ONE, 42)], "Never", 42, False),
        ([rule(ONE, 42), rule(ALL, 42)], "Never", 42, True),
        ([rule(ONE, 42)], None, 42, False),
    ],
)
def test_the_first_rule_that_fits_decides(rules: list[Manifest], policy: str | None, code: int, again: bool) -> None:
    own = {"restartPolicy": policy} if policy else {}
    made = pod(container(restartPolicyRules=rules, **own), policy="Never")
    assert pods.may_restart(made, pods.app_specs(made)[0], code) is again
