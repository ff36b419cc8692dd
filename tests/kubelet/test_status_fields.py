"""Fields of a pod's status that no other test looks at."""

from __future__ import annotations

from fake_runtime import Run
from kubelet_world import World, container, pod

from podlab.kubelet import status


def test_the_status_says_when_it_began_and_for_which_generation(world: World) -> None:
    world.apply(pod())
    assert world.status["startTime"] == "2026-11-21T02:00:00Z"
    assert world.status["observedGeneration"] == 1
    assert world.status["qosClass"] == "BestEffort"


def test_fields_of_others_stay() -> None:
    old = {"phase": "Pending", "nominatedNodeName": "node-b", "qosClass": "Burstable", "message": "old"}
    assert status.merged(old, {"phase": "Running"}) == {
        "phase": "Running",
        "nominatedNodeName": "node-b",
        "qosClass": "Burstable",
    }


MOUNTED = {
    "volumeMounts": [
        {"name": "v", "mountPath": "/v", "mountPropagation": "HostToContainer"},
        {"name": "v", "mountPath": "/r", "readOnly": True},
    ]
}


def test_mounts_are_told_with_their_containers(world: World) -> None:
    world.apply(pod(container(**MOUNTED), volumes=[{"name": "v", "emptyDir": {}}]))
    assert world.container()["volumeMounts"] == [
        {"name": "v", "mountPath": "/v"},
        {"name": "v", "mountPath": "/r", "readOnly": True, "recursiveReadOnly": "Disabled"},
    ]


def test_propagation_of_mounts_changes_nothing(world: World) -> None:
    world.apply(pod(container(**MOUNTED), volumes=[{"name": "v", "emptyDir": {}}]))
    (config,) = world.runtime.configs.values()
    with_it, read_only = (one for one in config.mounts if not one.container_path.startswith("/etc/"))
    assert (with_it.container_path, with_it.read_only) == ("/v", False)
    assert (read_only.container_path, read_only.read_only) == ("/r", True)
    assert with_it.host_path == read_only.host_path


def test_what_a_container_s_status_never_tells(world: World) -> None:
    world.apply(pod(container(**MOUNTED), volumes=[{"name": "v", "emptyDir": {}}]))
    told = world.container()
    assert not {"user", "stopSignal"} & set(told)
    assert not any("volumeStatus" in mount for mount in told["volumeMounts"])


def test_termination_messages_of_a_pod_share_a_limit(world: World) -> None:
    """12 KiB divided by the containers, ephemeral and init ones included (status_manager.go normalizeStatus)."""
    names = ["a", "b", "c", "d"]
    world.runtime.messages = dict.fromkeys(names, "x" * 4096)
    world.runtime.scripts = {name: [Run(seconds=1)] for name in names}
    world.apply(pod(*(container(name) for name in names), policy="Never"))
    world.advance(4)
    ended = [one["state"]["terminated"] for one in world.status["containerStatuses"]]
    assert [len(one["message"]) for one in ended] == [3072] * 4
