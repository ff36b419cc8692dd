"""The log pump, the Node object, and one sync at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from fake_runtime import Run
from kombu.exceptions import OperationalError
from kubelet_world import START, World, container, pod

from podlab.celery import app
from podlab.clock import monotonic
from podlab.kubelet import node_status
from podlab.kubelet.node_host import Dispatcher
from podlab.kubelet.tasks import SyncSender


def log(world: World, attempt: int = 0) -> list[str]:
    path = world.folder / "logs" / "main" / "pods" / "default_p_uid-p" / "main" / f"{attempt}.log"
    return [line.split(" ", 3)[3] for line in path.read_text().splitlines()]


def test_output_lands_in_one_file_per_run(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 1, lines=("one", "two")), Run(lines=("three",))]
    world.apply(pod())
    world.advance(2)
    assert log(world, 0) == ["one", "two"]
    assert log(world, 1) == ["three"]


def test_a_new_agent_writes_no_line_twice_and_loses_none(world: World) -> None:
    world.runtime.scripts["main"] = [Run(lines=("one", "two"))]
    world.apply(pod())
    world.crash()
    world.runtime.scripts["main"] = [Run(lines=("one", "two", "three"))]
    world.replace_agent()
    assert log(world) == ["one", "two", "three"]


def test_logs_outlive_their_pod(world: World) -> None:
    world.runtime.scripts["main"] = [Run(lines=("last words",))]
    world.apply(pod())
    world.delete()
    assert log(world) == ["last words"]


def test_a_simulated_node_says_so(world: World) -> None:
    node = world.api.objects[("nodes", "", "node-a")]
    assert node["metadata"]["labels"]["podlab.dev/simulated"] == "true"
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "node-a"
    assert node["status"]["capacity"] == {
        "cpu": "2",
        "ephemeral-storage": "100Gi",
        "memory": "4Gi",
        "pods": "110",
    }
    ready = node["status"]["conditions"][-1]
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "True", "KubeletReady")
    assert ready["message"] == "kubelet is posting ready status"


def test_a_real_node_renews_its_condition_once_a_minute(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.crash()
    world.runtime.simulated = False
    world.replace_agent()
    world.api.whys.clear()
    world.advance(181)
    assert world.api.whys.count("heartbeat of the node") == 3
    assert world.api.whys.count("the agent of the node lives") == 18
    assert len(world.api.whys) == 21
    ready = world.api.objects[("nodes", "", "node-a")]["status"]["conditions"][-1]
    assert ready["lastHeartbeatTime"] > ready["lastTransitionTime"] == "2026-11-21T02:00:00Z"


LEASE = ("leases.coordination.k8s.io", "kube-node-lease", "node-a")


def test_a_real_node_renews_its_lease_and_tries_again_when_the_store_is_away(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.crash()
    world.runtime.simulated = False
    world.replace_agent()
    made = world.api.objects[LEASE]
    assert (
        made["metadata"]["ownerReferences"][0]["uid"] == world.api.objects[("nodes", "", "node-a")]["metadata"]["uid"]
    )
    assert (made["spec"]["holderIdentity"], made["spec"]["leaseDurationSeconds"]) == ("node-a", 40)
    world.api.down = True
    world.advance(15)
    assert world.api.objects[LEASE]["spec"]["renewTime"] == "2026-11-21T02:00:00.000000Z"
    world.api.down = False
    world.advance(15)
    assert world.api.objects[LEASE]["spec"]["renewTime"] == "2026-11-21T02:00:30.000000Z"


def test_a_simulated_node_only_makes_its_lease(world: World) -> None:
    world.advance(300)
    assert world.api.objects[LEASE]["spec"]["renewTime"] == "2026-11-21T02:00:00.000000Z"
    world.crash()
    world.replace_agent()
    assert world.api.objects[LEASE]["spec"]["renewTime"] == "2026-11-21T02:00:00.000000Z"


def test_conditions_of_others_stay_on_the_node(world: World) -> None:
    old = {"conditions": [{"type": "NetworkUnavailable", "status": "False"}], "images": []}
    made = node_status.status(world.runtime.machine(), node="n", address="192.0.2.1", old=old, now=START)
    assert made["conditions"][0] == {"type": "NetworkUnavailable", "status": "False"}
    assert made["images"] == []


def test_only_changes_that_matter_bring_a_sync(world: World) -> None:
    world.apply(pod())
    syncs: list[str] = []
    world.kubelet._dispatch_outside = syncs.append
    world.edit(lambda p: p["metadata"].update(managedFields=[{"manager": "x"}]))
    assert syncs == []
    world.edit(lambda p: p["status"].update(extra="somebody else wrote this"))
    assert len(syncs) == 1
    world.edit(lambda p: p["metadata"].update(labels={"a": "b"}))
    assert len(syncs) == 2


def test_a_call_during_a_sync_makes_it_run_once_more(world: World) -> None:
    world.apply(pod(container()))
    kubelet, inside = world.kubelet, []
    observe = world.runtime.pod_status

    def nested(ref: object) -> object:
        if len(inside) < 3:
            inside.append(1)
            kubelet.sync_pod("uid-p")
        return observe(ref)  # type: ignore[arg-type]

    world.runtime.pod_status = nested  # type: ignore[method-assign, assignment]
    kubelet.sync_pod("uid-p")
    assert not kubelet._pods.states["uid-p"].working
    assert len(inside) == 3


def test_wishes_that_wait_are_sent_once_and_done_here_without_a_broker() -> None:
    sent: list[str] = []
    here: list[str] = []
    gate, done = threading.Event(), threading.Event()

    def send(cluster: str, node: str, uid: str) -> None:
        gate.wait(5)
        sent.append(uid)
        if uid == "b":
            raise ConnectionError("no broker")

    def instead(node: str, uid: str) -> None:
        here.append(uid)
        done.set()

    dispatcher = Dispatcher("main", send, instead)
    dispatcher.ask("node-a", "a")
    while dispatcher._waiting:
        pass
    for _ in range(3):
        dispatcher.ask("node-a", "b")
    gate.set()
    assert done.wait(5)
    dispatcher.close()
    assert sent == ["a", "b"]
    assert here == ["b"]


def test_a_sender_without_a_broker_gives_up_at_once() -> None:
    assert app.conf.broker_url.startswith("redis"), "a lab's broker, which does not run in this test"
    begin = monotonic()
    with pytest.raises(OperationalError):
        SyncSender()("main", "node-a", "uid")
    assert monotonic() - begin < 3
