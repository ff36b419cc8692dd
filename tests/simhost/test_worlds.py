"""A simulated cluster from the manifest to the end of its pods."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from simhost_played import START, Played, pod

from podlab.runtime.interface import Runtime
from podlab.simhost.world import World
from podlab.storage import history

Play = Callable[..., Played]
pytestmark = pytest.mark.django_db(transaction=True)

READY = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5}
LIVE = {"exec": {"command": ["cat", "/tmp/healthy"]}, "periodSeconds": 5, "failureThreshold": 2}


def test_a_pod_runs(play: Play) -> None:
    lab = play()
    lab.create(pod("web", image="nginx:1.27"))
    lab.to(10)
    found = lab.pod("web")
    assert found is not None
    assert found["spec"]["nodeName"] == "node-a"
    assert found["status"]["phase"] == "Running"
    assert found["status"]["podIP"].startswith("10.244.0.")
    assert [reason for reason, _ in lab.events()] == [
        "Starting",
        "Scheduled",
        "Pulling",
        "Pulled",
        "Created",
        "Started",
    ]
    assert ("Scheduled", "Successfully assigned default/web to node-a") in lab.events()
    conditions = {one["type"]: one["status"] for one in found["status"]["conditions"]}
    assert conditions["Ready"] == "True"


def test_an_image_that_is_not_there(play: Play) -> None:
    lab = play()
    lab.create(pod("web", image="registry.invalid/x:1"))
    lab.to(60)
    assert lab.container("web")["state"]["waiting"]["reason"] in {"ErrImagePull", "ImagePullBackOff"}
    assert any("lookup registry.invalid" in message for reason, message in lab.events() if reason == "Failed")


def test_a_crash_loop_backs_off_and_keeps_its_logs(play: Play) -> None:
    lab = play()
    lab.create(pod("web", "sh", "-c", "echo boom; sleep 1; exit 3"))
    lab.to(120)
    state = lab.container("web")
    assert state["restartCount"] in {3, 4}
    assert state["lastState"]["terminated"]["exitCode"] == 3
    runs = history.runs_of("lab", lab.pod("web")["metadata"]["uid"])  # type: ignore[index]
    assert [run.attempt for run in runs] == list(range(len(runs)))
    starts = [run.started_at for run in runs if run.started_at is not None]
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(starts, starts[1:], strict=False)]
    assert gaps[0] < 3
    assert gaps[1] >= 10
    assert gaps[2] >= 20
    logs = sorted(path.name for path in (lab.data / "logs" / "lab").rglob("*.log"))
    assert logs == [f"{run.attempt}.log" for run in runs]


def test_failing_liveness_restarts_the_container(play: Play) -> None:
    lab = play()
    script = "touch /tmp/healthy; sleep 20; rm -f /tmp/healthy; sleep 600"
    lab.create(pod("web", "sh", "-c", script, container={"livenessProbe": LIVE}, terminationGracePeriodSeconds=3))
    lab.to(60)
    assert lab.container("web")["restartCount"] == 1
    assert ("Killing", "Container main failed liveness probe, will be restarted") in lab.events()
    # `sh` as PID 1 does not hear TERM: it was killed after the grace period.
    assert lab.container("web")["lastState"]["terminated"]["exitCode"] == 137


def test_readiness_as_told_by_an_annotation(play: Play) -> None:
    lab = play()
    said = {"sim.podlab.dev/main.readiness": "fail:30s,ok"}
    lab.create(pod("web", image="nginx", annotations=said, container={"readinessProbe": READY}))
    lab.to(20)
    assert not lab.container("web")["ready"]
    lab.to(60)
    assert lab.container("web")["ready"]


def test_deleting_takes_the_grace_period_when_nobody_listens(play: Play) -> None:
    lab = play()
    lab.create(pod("web", "sleep", "100000", terminationGracePeriodSeconds=7))
    lab.to(10)
    lab.client.delete("pods", "default", "web")
    lab.to(16)
    assert lab.phase("web") == "Running"
    lab.to(20)
    assert lab.phase("web") == "gone"
    assert lab.world._runtimes["node-a"].idle


def test_a_pod_waits_for_room(play: Play) -> None:
    lab = play(nodes=("node-a", "node-b"))
    asks = {"resources": {"requests": {"cpu": "1200m"}}}
    for name in ("one", "two", "three"):
        lab.create(pod(name, image="nginx", container=asks))
    lab.to(10)
    assert {lab.pod(name)["spec"]["nodeName"] for name in ("one", "two")} == {"node-a", "node-b"}  # type: ignore[index]
    waiting = lab.pod("three")
    assert waiting is not None
    text = (
        "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: "
        "2 No preemption victims found for incoming pod."
    )
    assert [one["message"] for one in waiting["status"]["conditions"]] == [text]
    assert ("FailedScheduling", text) in lab.events()
    lab.client.delete("pods", "default", "one")
    lab.to(20)
    assert lab.phase("three") == "Running"


def test_a_node_that_is_added_is_played_and_gives_room(play: Play) -> None:
    lab = play(nodes=())
    lab.create(pod("web", image="nginx"))
    lab.to(5)
    assert ("FailedScheduling", "no nodes available to schedule pods") in lab.events()
    lab.client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "late"}})
    lab.to(20)
    assert lab.phase("web") == "Running"
    lab.client.delete("nodes", "", "late")
    lab.to(30)
    assert lab.world.nodes == []


def test_a_namespace_is_emptied_and_goes(play: Play) -> None:
    lab = play()
    lab.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    lab.create(pod("web", "sleep", "100000", terminationGracePeriodSeconds=4), "team")
    lab.to(10)
    lab.client.delete("namespaces", "", "team")
    lab.to(12)
    assert lab.client.find("namespaces", "", "team") is not None
    lab.to(20)
    assert lab.client.find("namespaces", "", "team") is None
    assert lab.client.list("pods", "team").items == []


def test_events_go_after_an_hour_and_then_nothing_is_due(play: Play) -> None:
    lab = play()
    lab.create(pod("web", image="nginx"))
    lab.to(3000)
    assert lab.events()
    lab.to(3700)
    assert lab.events() == []
    assert lab.world.next_due is None


def test_the_same_seed_tells_the_same_story(play: Play) -> None:
    stories = []
    for name in ("lab-one", "lab-two"):
        lab = play(name, nodes=("node-a", "node-b"))
        lab.create(pod("crash", "sh", "-c", "sleep $((RANDOM % 5)); exit 1"))
        lab.create(pod("web", image="nginx", container={"readinessProbe": READY}))
        lab.to(30)
        lab.create(pod("late", "sleep", "5", restartPolicy="Never"))
        lab.to(90)
        lab.client.delete("pods", "default", "web")
        lab.to(200)
        stories.append(lab.story())
    assert len(stories[0]) > 40
    for one, other in zip(*stories, strict=True):
        assert one == other


def test_it_does_not_matter_in_how_many_pieces_time_passes(play: Play) -> None:
    stories = []
    for name, pieces in (("lab-one", 1), ("lab-two", 60)):
        lab = play(name)
        lab.create(pod("crash", "sh", "-c", "sleep 2; exit 1"))
        for piece in range(pieces):
            lab.to(60 * (piece + 1) / pieces)
        stories.append(lab.story())
    assert stories[0] == stories[1]


def test_another_seed_tells_another_story(play: Play) -> None:
    pulled = []
    for name, seed in (("one", 1), ("two", 2)):
        lab = play(name, seed=seed)
        lab.create(pod("web", image="nginx"))
        lab.to(10)
        pulled += [message for reason, message in lab.events() if reason == "Pulled"]
    assert pulled[0] != pulled[1]


def test_a_step_goes_to_the_next_thing_to_see(play: Play) -> None:
    lab = play()
    lab.create(pod("web", "sh", "-c", "sleep 10; exit 0", restartPolicy="Never"))
    lab.to(0)
    moments = []
    while lab.world.step() and lab.phase("web") != "Succeeded":
        lab.now = lab.world.clock.now()
        moments.append((lab.now - START).total_seconds())
    assert lab.phase("web") == "Succeeded"
    assert len(moments) <= 6
    assert moments == sorted(set(moments))
    pull = moments[0]
    assert 0.4 < pull < 3.1
    assert any(abs(moment - pull - 10) < 1 for moment in [*moments, (lab.world.clock.now() - START).total_seconds()])


def test_a_step_in_a_cluster_where_nothing_happens_changes_nothing(play: Play) -> None:
    lab = play()
    lab.to(8000)
    before = lab.world.clock.now()
    assert not lab.world.step()
    assert lab.world.clock.now() == before


def test_a_crash_of_the_worker_restarts_nothing(play: Play) -> None:
    lab = play(nodes=("node-a", "node-b"))
    lab.create(pod("idle", image="nginx", container={"readinessProbe": READY}))
    lab.create(pod("ticking", "sh", "-c", "while true; do echo tick; sleep 5; done"))
    lab.create(pod("ending", "sh", "-c", "sleep 60; exit 0", restartPolicy="Never"))
    lab.create(pod("going", "sleep", "100000", terminationGracePeriodSeconds=30))
    lab.to(20)
    lab.client.delete("pods", "default", "going")
    lab.to(22)
    before = {name: lab.container(name)["containerID"] for name in ("idle", "ticking", "ending")}
    lab.crash(seconds=3)
    lab.to(40)
    assert {name: lab.container(name)["containerID"] for name in before} == before
    assert [lab.container(name)["restartCount"] for name in before] == [0, 0, 0]
    assert lab.container("idle")["ready"]
    lab.to(60)
    assert lab.phase("going") == "gone"
    lab.to(90)
    assert lab.phase("ending") == "Succeeded"
    uid = lab.pod("ticking")["metadata"]["uid"]  # type: ignore[index]
    (path,) = [path for path in (lab.data / "logs" / "lab").rglob("*.log") if uid in str(path)]
    lines = path.read_text().splitlines()
    assert len(lines) in {17, 18}
    assert len(lines) == len(set(lines))


def test_changes_of_others_come_in_their_time(play: Play) -> None:
    """Somebody writes at lab time 30 while the worker still stands at 0: timers before 30 go first."""
    lab = play()
    lab.create(pod("early", "sh", "-c", "sleep 5; exit 0", restartPolicy="Never"))
    lab.now = START + timedelta(seconds=30)
    lab.create(pod("late", image="nginx"))
    lab.to(60)
    late = [entry.at for entry in lab.log() if entry.key.name == "late"]
    assert min(late[1:]) >= START + timedelta(seconds=30)
    assert lab.phase("early") == "Succeeded"


def test_a_world_knows_only_its_own_cluster(play: Play) -> None:
    one, two = play("one"), play("two")
    one.create(pod("web", image="nginx"))
    two.to(10)
    one.to(10)
    assert one.phase("web") == "Running"
    assert two.phase("web") == "gone"
    assert two.events() == [("Starting", "Starting kubelet.")]
    assert not (two.data / "logs" / "two").exists()


def test_the_runtime_of_a_world_is_a_runtime(play: Play) -> None:
    world: World = play().world
    runtime: Runtime = world._runtimes["node-a"]
    assert runtime.machine().simulated


def test_a_node_that_is_short_of_memory_evicts_and_is_avoided(play: Play) -> None:
    lab = play()
    greedy = {"sim.podlab.dev/main.memory": "900Mi"}
    lab.create(pod("greedy", "sleep", "3600", annotations=greedy))
    lab.create(pod("modest", "sleep", "3600", container={"resources": {"requests": {"memory": "100Mi"}}}))
    lab.to(20)
    short = {"metadata": {"annotations": {"sim.podlab.dev/memory.available": "80Mi"}}}
    lab.client.patch("nodes", "", "node-a", "application/merge-patch+json", short)
    lab.to(24)
    assert lab.phase("greedy") == "Failed"
    assert lab.pod("greedy")["status"]["reason"] == "Evicted"  # type: ignore[index]
    assert lab.phase("modest") == "Running"
    node = lab.client.get("nodes", "", "node-a").obj
    taint = {"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}
    assert [{key: one[key] for key in taint} for one in node["spec"]["taints"]] == [taint]
    lab.create(pod("late", "sleep", "3600"))
    enough = {"metadata": {"annotations": {"sim.podlab.dev/memory.available": None}}}
    lab.client.patch("nodes", "", "node-a", "application/merge-patch+json", enough)
    lab.to(60)
    assert lab.phase("late") == "Pending"
    lab.to(400)
    assert "taints" not in lab.client.get("nodes", "", "node-a").obj["spec"]
    assert lab.phase("late") == "Running"
    assert lab.phase("modest") == "Running"


def test_a_more_important_pod_takes_the_place_of_another(play: Play) -> None:
    """The victim keeps its grace, and the pod that waits goes where it was."""
    lab = play()
    body = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "vip"}, "value": 1000}
    lab.client.create("priorityclasses.scheduling.k8s.io", body)
    big = {
        "resources": {"requests": {"cpu": lab.client.get("nodes", "", "node-a").obj["status"]["allocatable"]["cpu"]}}
    }
    lab.create(pod("low", "sh", "-c", "sleep 600", container=big, terminationGracePeriodSeconds=5))
    lab.to(10)
    lab.create(pod("high", "sh", "-c", "sleep 600", container=big, priorityClassName="vip"))
    lab.to(12)
    waits = lab.pod("high")
    assert waits is not None
    assert waits["status"]["nominatedNodeName"] == "node-a"
    assert ("Preempted", f"Preempted by pod {waits['metadata']['uid']} on node node-a") in lab.events()
    lab.to(14)
    assert lab.phase("low") == "Running"
    lab.to(40)
    assert lab.phase("low") == "gone"
    assert lab.phase("high") == "Running"


def test_pods_that_avoid_each_other_spread_until_no_node_is_left(play: Play) -> None:
    lab = play(nodes=("node-a", "node-b"))
    rule = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
    required = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}}
    for name in ("one", "two", "three"):
        made = pod(name, "sh", "-c", "sleep 600", affinity=required, terminationGracePeriodSeconds=1)
        made["metadata"]["labels"] = {"app": "web"}
        lab.create(made)
    lab.to(10)
    placed = [(lab.pod(name) or {})["spec"].get("nodeName") for name in ("one", "two", "three")]
    assert sorted(filter(None, placed)) == ["node-a", "node-b"]
    assert any("2 node(s) didn't match pod anti-affinity rules" in message for _, message in lab.events())
    lab.client.delete("pods", "default", "one")
    lab.to(30)
    assert all((lab.pod(name) or {})["spec"].get("nodeName") for name in ("two", "three"))
