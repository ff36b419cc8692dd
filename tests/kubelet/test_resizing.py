"""In-place resize: granted, put off, done to the running container or by restarting it, remembered by the next agent."""

from __future__ import annotations

from typing import Any

import pytest
from fake_runtime import FOREVER
from kubelet_world import World, container, pod

from podlab.apis.types import Manifest
from podlab.kubelet import resize
from podlab.runtime.interface import ContainerResources, MachineInfo

MACHINE = MachineInfo(
    cpu_milli=2000, memory_bytes=2**32, os_image="", kernel="", runtime_version="", architecture="", simulated=True
)


def block(cpu: str = "", memory: str = "", *, limits: Manifest | None = None) -> Manifest:
    requests = {name: text for name, text in (("cpu", cpu), ("memory", memory)) if text}
    return {"requests": requests, **({"limits": limits} if limits else {})}


def small(name: str = "main", **more: Any) -> Manifest:
    return container(name, resources=block("50m", "32Mi", limits={"cpu": "100m", "memory": "64Mi"}), **more)


def ask(world: World, resources: Manifest, name: str = "p") -> None:
    def change(obj: Manifest) -> None:
        obj["spec"]["containers"][0]["resources"] = resources
        obj["metadata"]["generation"] += 1

    world.edit(change, name)


def resize_conditions(world: World) -> dict[str, Manifest]:
    return {c["type"]: c for c in world.status["conditions"] if c["type"].startswith("PodResize")}


def test_a_running_container_gets_its_new_resources_without_a_restart(world: World) -> None:
    world.apply(pod(small()))
    wish = block("80m", "32Mi", limits={"cpu": "150m", "memory": "64Mi"})
    ask(world, wish)
    assert world.runtime.resources["p-main-0"] == ContainerResources(
        cpu_request_milli=80, cpu_limit_milli=150, memory_limit=64 * 2**20
    )
    summary = (
        '{"containers":[{"name":"main","resources":{"limits":{"cpu":"150m","memory":"64Mi"},'
        '"requests":{"cpu":"80m","memory":"32Mi"}}}],"generation":2}'
    )
    assert world.told.messages("ResizeStarted") == [f"Pod resize started: {summary}"]
    assert world.told.messages("ResizeCompleted") == [f"Pod resize completed: {summary}"]
    assert world.container()["restartCount"] == 0
    assert world.container()["resources"] == wish
    assert world.container()["allocatedResources"] == {"cpu": "80m", "memory": "32Mi"}
    assert world.status["allocatedResources"] == {"cpu": "80m", "memory": "32Mi"}
    assert world.status["resources"] == wish
    assert world.status["observedGeneration"] == 2
    assert not resize_conditions(world)


def test_progress_is_shown_first_with_the_old_resources(world: World) -> None:
    world.apply(pod(small()))
    ask(world, block("80m", "32Mi", limits={"cpu": "150m", "memory": "64Mi"}))
    shown = next(s for s in world.api.statuses if any(c["type"] == "PodResizeInProgress" for c in s["conditions"]))
    first = shown["conditions"][0]
    assert (first["type"], first["status"], first["observedGeneration"]) == ("PodResizeInProgress", "True", 2)
    assert shown["containerStatuses"][0]["resources"]["limits"]["cpu"] == "100m"
    assert shown["containerStatuses"][0]["allocatedResources"]["cpu"] == "80m"


def test_resize_policy_restarts_the_container_at_once(world: World) -> None:
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    world.apply(pod(small(resizePolicy=policy), grace=3))
    ask(world, block("50m", "40Mi", limits={"cpu": "100m", "memory": "80Mi"}))
    assert world.told.messages("Killing") == ["Container main resize requires restart"]
    assert world.container()["restartCount"] == 1
    assert world.runtime.configs["p-main-1"].memory_limit == 80 * 2**20
    assert not world.runtime.resources
    assert world.told.reasons()[-1] == "ResizeCompleted"
    assert not resize_conditions(world)


def test_what_the_policy_does_not_name_is_changed_in_place(world: World) -> None:
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    world.apply(pod(small(resizePolicy=policy)))
    ask(world, block("60m", "32Mi", limits={"cpu": "100m", "memory": "64Mi"}))
    assert world.container()["restartCount"] == 0
    assert world.runtime.resources["p-main-0"].cpu_request_milli == 60


def test_more_than_the_node_has_is_infeasible(world: World) -> None:
    world.apply(pod(container(resources=block("50m"))))
    ask(world, block("5"))
    message = "Node didn't have enough capacity: cpu, requested: 5000, capacity: 2000"
    pending = resize_conditions(world)["PodResizePending"]
    assert (pending["reason"], pending["message"], pending["observedGeneration"]) == ("Infeasible", message, 2)
    assert world.told.events[-1] == (
        "Warning",
        "ResizeInfeasible",
        "Pod resize Infeasible: "
        f'{{"containers":[{{"name":"main","resources":{{"requests":{{"cpu":"5"}}}}}}],"generation":2,"error":"{message}"}}',
    )
    assert world.container()["allocatedResources"] == {"cpu": "50m"}
    assert not world.runtime.resources
    ask(world, block("50m"))
    assert not resize_conditions(world)


def test_a_deferred_resize_is_granted_when_another_pod_ends(world: World) -> None:
    world.apply(pod(container("rest", resources=block("1500m")), name="other", grace=1))
    world.apply(pod(container(resources=block("100m"))))
    ask(world, block("1"))
    pending = resize_conditions(world)["PodResizePending"]
    assert pending["reason"] == "Deferred"
    assert pending["message"] == "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000"
    assert world.told.reasons().count("ResizeDeferred") == 1
    world.delete("other")
    world.advance(5)
    assert not resize_conditions(world)
    assert world.runtime.resources["p-main-0"].cpu_request_milli == 1000


def test_a_new_agent_knows_what_was_pending_and_what_was_granted(world: World) -> None:
    world.apply(pod(container("rest", resources=block("1500m")), name="other", grace=1))
    world.apply(pod(container(resources=block("100m"))))
    ask(world, block("1"))
    before = world.status
    world.replace_agent()
    assert world.status == before
    assert world.told.reasons().count("ResizeDeferred") == 1
    assert "update p-main-0" not in world.runtime.calls


def test_a_resize_while_no_agent_is_here_is_done_by_the_next_one(world: World) -> None:
    world.apply(pod(small()))
    world.crash()
    ask(world, block("80m", "32Mi", limits={"cpu": "150m", "memory": "64Mi"}))
    world.replace_agent()
    assert world.runtime.resources["p-main-0"].cpu_limit_milli == 150
    assert world.told.reasons()[-2:] == ["ResizeStarted", "ResizeCompleted"]


def test_a_limit_below_the_usage_is_an_error_until_there_is_room(world: World) -> None:
    world.apply(pod(container(resources=block(memory="32Mi", limits={"memory": "64Mi"}))))
    world.runtime.memory_used = 50 * 2**20
    ask(world, block(memory="32Mi", limits={"memory": "40Mi"}))
    progress = resize_conditions(world)["PodResizeInProgress"]
    assert progress["reason"] == "Error"
    assert progress["message"] == (
        'cannot decrease memory limits: attempting to set container "main" memory limit (41943040) '
        "below current usage (52428800)"
    )
    assert len(world.told.messages("ResizeError")) == 1
    world.runtime.memory_used = 10 * 2**20
    world.advance(10)
    assert world.runtime.resources["p-main-0"].memory_limit == 40 * 2**20
    assert not resize_conditions(world)


def test_an_engine_that_refuses_is_shown_and_asked_again(world: World) -> None:
    world.apply(pod(small()))
    world.runtime.update_error = "cannot update"
    ask(world, block("80m", "32Mi", limits={"cpu": "150m", "memory": "64Mi"}))
    assert resize_conditions(world)["PodResizeInProgress"]["message"] == "cannot update"
    world.runtime.update_error = ""
    world.advance(10)
    assert not resize_conditions(world)
    assert world.told.reasons()[-1] == "ResizeCompleted"


def test_a_sidecar_is_resized_like_a_container(world: World) -> None:
    world.apply(pod(initContainers=[small("side", restartPolicy="Always")]))

    def change(obj: Manifest) -> None:
        obj["spec"]["initContainers"][0]["resources"] = block("80m", "32Mi", limits={"cpu": "150m", "memory": "64Mi"})
        obj["metadata"]["generation"] += 1

    world.edit(change)
    assert world.runtime.resources["p-side-0"].cpu_limit_milli == 150
    assert '"initContainers":[{"name":"side"' in world.told.messages("ResizeCompleted")[0]


def test_an_init_container_is_resized_while_it_runs(world: World) -> None:
    world.runtime.scripts["first"] = [FOREVER]
    world.apply(pod(initContainers=[small("first")]))

    def change(obj: Manifest) -> None:
        obj["spec"]["initContainers"][0]["resources"] = block("80m", "32Mi", limits={"cpu": "150m", "memory": "64Mi"})
        obj["metadata"]["generation"] += 1

    world.edit(change)
    assert world.runtime.resources["p-first-0"].cpu_limit_milli == 150
    assert world.container("first")["resources"]["limits"] == {"cpu": "150m", "memory": "64Mi"}
    assert world.container("first")["restartCount"] == 0


@pytest.mark.parametrize(
    ("asked", "others", "reason"),
    [
        (block("1"), [], ""),
        (block("2"), [], ""),
        (block("2001m"), [], "Infeasible"),
        (block("1", "5Gi"), [], "Infeasible"),
        (block("1"), [block("1001m")], "Deferred"),
        (block("1"), [block("1")], ""),
        (block("1", "3Gi"), [block("1", "2Gi")], "Deferred"),
        (block("1", "3Gi"), [block("1", "1Gi")], ""),
    ],
)
def test_what_the_node_grants(asked: Manifest, others: list[Manifest], reason: str) -> None:
    rest = [pod(container(resources=one), name=f"o{number}") for number, one in enumerate(others)]
    found = resize.verdict(pod(container(resources=asked)), rest, MACHINE)
    assert (found.reason if found is not None else "") == reason


def test_amounts_and_not_their_notation_count() -> None:
    assert not resize.differs({"a": block("1", "1Gi")}, {"a": block("1000m", "1024Mi")})
    assert resize.differs({"a": block("1", "1Gi")}, {"a": block("1", "1G")})
