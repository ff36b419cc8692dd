"""Deletion, grace, hooks, orphans, and agents that are replaced in the middle of it."""

from __future__ import annotations

import pytest
from fake_runtime import Run
from kubelet_world import World, container, pod

from podlab.runtime.calls import ExecResult


def gone(world: World) -> bool:
    return ("pods", "default", "p") not in world.api.objects


def signals(world: World) -> list[str]:
    return [call for call in world.runtime.calls if call.startswith(("TERM", "KILL"))]


def test_a_deleted_pod_gets_term_and_disappears_with_everything(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=0)]
    world.apply(pod())
    world.delete()
    world.advance(0)
    assert gone(world)
    assert signals(world) == ["TERM p-main-0"]
    assert world.told.messages("Killing") == ["Stopping container main"]
    assert not world.runtime.containers
    assert not world.runtime.sandboxes
    assert world.kubelet.pods() == []
    assert world.api.statuses[-1]["phase"] == "Succeeded"
    assert world.told.runs[("main", 0)]["stop_why"] == "the pod is being deleted with a grace period of 30 s"


@pytest.mark.parametrize(("grace", "killed_after"), [(4, 4), (1, 2), (30, 30)])
def test_who_ignores_term_is_killed_after_the_grace_but_not_before_two_seconds(
    world: World, grace: int, killed_after: int
) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.apply(pod(grace=grace))
    world.delete()
    world.advance(killed_after - 0.1)
    assert not gone(world)
    assert signals(world) == ["TERM p-main-0"]
    world.advance(0.2)
    assert gone(world)
    assert signals(world) == ["TERM p-main-0", "KILL p-main-0"]
    assert world.told.runs[("main", 0)]["code"] == 137


def test_a_container_that_ends_during_deletion_is_not_restarted(world: World) -> None:
    world.runtime.scripts |= {"a": [Run(on_term=1)], "b": [Run(on_term=None)]}
    world.apply(pod(container("a"), container("b"), grace=5))
    world.delete()
    world.advance(6)
    assert gone(world)
    assert sorted(world.told.runs) == [("a", 0), ("b", 0)]


def test_a_shorter_second_deletion_keeps_the_first_deadline_as_the_reference_does(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.apply(pod(grace=20))
    world.delete()
    world.advance(5)
    world.delete(grace=1)
    world.advance(14)
    assert not gone(world)
    world.advance(2)
    assert gone(world)


def test_a_forced_deletion_leaves_only_the_shortest_grace(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.apply(pod(grace=60))
    world.delete()
    world.advance(1)
    world.delete(grace=0)
    assert gone(world)
    world.advance(2.1)
    assert not world.runtime.containers
    assert world.kubelet.pods() == []


def test_a_pod_deleted_in_back_off_goes_at_once(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 1)]
    world.apply(pod())
    world.advance(5)
    world.delete()
    assert gone(world)
    assert not world.runtime.containers


def test_a_pod_deleted_while_its_image_is_pulled_ends_as_unknown(world: World) -> None:
    world.runtime.pull_seconds = 60
    world.apply(pod(container(image="other:1")))
    world.delete()
    assert gone(world)
    last = world.api.statuses[-1]
    assert last["phase"] == "Failed"
    ended = last["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "ContainerStatusUnknown")
    world.advance(100)
    assert "Pulled" not in world.told.reasons()


def test_an_agent_that_dies_in_a_deletion_is_followed_by_one_that_uses_what_is_left(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.apply(pod(grace=30))
    world.delete()
    world.advance(10)
    world.crash()
    world.advance(10)
    world.replace_agent()
    world.advance(9)
    assert not gone(world)
    world.advance(3)
    assert gone(world)


def test_a_pod_removed_while_no_agent_was_there_is_an_orphan_and_is_ended_with_grace(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.apply(pod(grace=7))
    world.crash()
    world.delete(grace=0)
    world.replace_agent()
    assert signals(world) == ["TERM p-main-0"]
    world.advance(7.1)
    assert not world.runtime.containers
    assert not world.runtime.sandboxes
    assert world.kubelet.pods() == []


def test_a_new_agent_restarts_nothing_and_writes_nothing(world: World) -> None:
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 5}
    world.apply(pod(container(readinessProbe=probe, livenessProbe=probe, startupProbe=probe)))
    world.advance(12)
    assert world.container()["ready"]
    version, calls = world.pod["metadata"]["resourceVersion"], list(world.told.runs)
    world.replace_agent()
    world.advance(60)
    assert world.pod["metadata"]["resourceVersion"] == version
    assert list(world.told.runs) == calls
    assert world.container()["restartCount"] == 0


def test_a_new_agent_goes_on_with_the_back_off(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 1)]
    world.apply(pod())
    world.advance(35)  # runs end at 1, 2, 13 and 34 s: the next start is due at 74 s
    assert world.container()["restartCount"] == 3
    world.replace_agent()
    world.advance(38)
    assert world.container()["restartCount"] == 3
    world.advance(2)
    assert world.container()["restartCount"] == 4


def test_an_end_that_no_agent_saw_is_told_later_and_answered(world: World) -> None:
    world.runtime.scripts["main"] = [Run(5, 2), Run()]
    world.apply(pod())
    world.crash()
    world.advance(10)
    world.replace_agent()
    assert world.told.runs[("main", 0)]["code"] == 2
    assert world.container()["restartCount"] == 1


def test_pre_stop_runs_inside_the_grace_and_before_term(world: World) -> None:
    world.runtime.exec_answer = lambda argv, now: ExecResult(0, "", 3.0)
    world.apply(pod(container(lifecycle={"preStop": {"exec": {"command": ["drain"]}}}), grace=10))
    world.delete()
    world.advance(2.9)
    assert signals(world) == []
    world.advance(0.2)
    assert gone(world)
    assert [c for c in world.runtime.calls if c.startswith(("exec", "TERM"))] == [
        "exec p-main-0 drain",
        "TERM p-main-0",
    ]


def test_a_pre_stop_hook_longer_than_the_grace_is_cut_off(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.runtime.exec_answer = lambda argv, now: ExecResult(1, "", 60.0)
    world.apply(pod(container(lifecycle={"preStop": {"exec": {"command": ["drain"]}}}), grace=5))
    world.delete()
    world.advance(6.9)
    assert signals(world) == ["TERM p-main-0"]
    world.advance(0.2)
    assert gone(world)


def test_a_pre_stop_hook_that_fails_is_told_and_does_not_stop_the_end(world: World) -> None:
    world.runtime.exec_answer = lambda argv, now: ExecResult(1, "x", 0.5)
    world.apply(pod(container(lifecycle={"preStop": {"exec": {"command": ["drain"]}}})))
    world.delete()
    world.advance(1)
    assert gone(world)
    assert world.told.messages("FailedPreStopHook") == ["PreStopHook failed"]


def test_a_finished_pod_keeps_its_last_container_and_a_deletion_removes_it(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 0)]
    world.apply(pod(policy="Never"))
    world.advance(2)
    assert list(world.runtime.containers) == ["p-main-0"]
    world.replace_agent()
    assert world.status["phase"] == "Succeeded"
    world.delete(grace=0)
    assert not world.runtime.containers


def test_dead_containers_beyond_the_last_two_are_removed(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 1)]
    world.apply(pod())
    world.advance(120)
    assert len(world.runtime.containers) == 2
    assert world.container()["lastState"]["terminated"]["exitCode"] == 1


def test_pods_of_other_nodes_are_left_alone(world: World) -> None:
    world.apply(pod(nodeName="node-b"))
    assert world.kubelet.pods() == []
    assert world.runtime.calls == []


def test_sidecars_end_after_the_containers_in_reverse_order(world: World) -> None:
    slow = [Run(on_term=0)]
    world.runtime.scripts |= {"main": slow, "s1": slow, "s2": slow}
    sidecars = [container("s1", restartPolicy="Always"), container("s2", restartPolicy="Always")]
    world.apply(pod(container("main"), initContainers=sidecars))
    assert world.status["phase"] == "Running"
    assert [entry["ready"] for entry in world.status["initContainerStatuses"]] == [True, True]
    world.runtime.calls.clear()
    world.delete()
    world.advance(1)
    assert [call for call in world.runtime.calls if call.startswith("TERM")] == [
        "TERM p-main-0",
        "TERM p-s2-0",
        "TERM p-s1-0",
    ]
    assert sorted(world.told.messages("Killing")) == [f"Stopping container {name}" for name in ("main", "s1", "s2")]


def test_a_sidecar_waits_no_longer_than_the_grace_period(world: World) -> None:
    world.runtime.scripts |= {"main": [Run(on_term=None)], "s1": [Run(on_term=0)]}
    world.apply(pod(container("main"), initContainers=[container("s1", restartPolicy="Always")], grace=5))
    world.runtime.calls.clear()
    world.delete()
    world.advance(4)
    assert "TERM p-s1-0" not in world.runtime.calls
    world.advance(2)
    assert "TERM p-s1-0" in world.runtime.calls


def test_a_pod_with_a_sidecar_succeeds_whatever_the_sidecar_ends_with(world: World) -> None:
    world.runtime.scripts |= {"main": [Run(2, 0)], "s1": [Run(on_term=7)]}
    world.apply(pod(container("main"), policy="Never", initContainers=[container("s1", restartPolicy="Always")]))
    world.advance(5)
    assert world.status["phase"] == "Succeeded"
    assert world.container("s1")["state"]["terminated"]["exitCode"] == 7


def test_an_ephemeral_container_runs_once_beside_the_others(world: World) -> None:
    world.runtime.scripts["dbg"] = [Run(1, 3)]
    world.apply(pod())
    world.edit(lambda pod: pod["spec"].update(ephemeralContainers=[container("dbg", targetContainerName="main")]))
    (entry,) = world.status["ephemeralContainerStatuses"]
    assert "running" in entry["state"]
    assert (entry["ready"], entry["restartCount"], "started" in entry) == (False, 0, False)
    world.advance(60)
    (entry,) = world.status["ephemeralContainerStatuses"]
    assert entry["state"]["terminated"]["exitCode"] == 3
    assert world.status["phase"] == "Running"
    assert world.condition("Ready")["status"] == "True"
