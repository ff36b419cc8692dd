"""Node pressure: thresholds, the order of victims, the words, conditions and their hold, and admission meanwhile."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_runtime import Run
from kubelet_world import START, World, container, pod

from podlab.apis.types import Manifest
from podlab.kubelet import pressure, readings
from podlab.kubelet.pressure import DISK, MEMORY, PIDS, Reading, Threshold, Usage

MI, GI = 2**20, 2**30


def requests(**amounts: str) -> Manifest:
    return {"requests": {name.replace("_", "-"): text for name, text in amounts.items()}}


def annotate(world: World, **annotations: str | None) -> None:
    node = copy.deepcopy(world.api.objects[("nodes", "", "node-a")])
    held = node["metadata"].setdefault("annotations", {})
    for name, text in annotations.items():
        key = {"memory": f"sim.podlab.dev/{MEMORY}", "pids": f"sim.podlab.dev/{PIDS}"}.get(
            name, "podlab.dev/eviction-hard"
        )
        held.pop(key, None)
        if text is not None:
            held[key] = text
    world.api.put("nodes", node)
    world.drain()


def node_condition(world: World, kind: str = "MemoryPressure") -> Manifest:
    node = world.api.objects[("nodes", "", "node-a")]
    return next(c for c in node["status"]["conditions"] if c["type"] == kind)


def phase(world: World, name: str) -> str:
    return str(world.api.objects[("pods", "default", name)]["status"]["phase"])


def test_one_pod_after_the_other_goes_while_memory_is_short(world: World) -> None:
    world.runtime.scripts = {name: [Run(on_term=143)] for name in ("greedy", "modest", "important")}
    for name, memory in (("greedy", "100Mi"), ("modest", "600Mi")):
        world.apply(pod(container(name, resources=requests(memory=memory)), name=name, grace=30))
    world.apply(pod(container("important"), name="important", priority=1000))
    world.runtime.memory_of = {"greedy": 900 * MI, "modest": 500 * MI, "important": 800 * MI}
    annotate(world, memory="80Mi")
    message = (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. "
        "Container greedy was using 900Mi, request is 100Mi, has larger consumption of memory. "
    )
    assert world.told.messages("Evicted") == [message]
    world.advance(3)
    greedy = world.api.objects[("pods", "default", "greedy")]["status"]
    assert (greedy["phase"], greedy["reason"], greedy["message"]) == ("Failed", "Evicted", message)
    target = next(c for c in greedy["conditions"] if c["type"] == "DisruptionTarget")
    assert (target["status"], target["reason"], target["message"]) == ("True", "TerminationByKubelet", message)
    assert phase(world, "modest") == "Running"
    world.advance(10)
    assert phase(world, "important") == "Failed"
    annotate(world, memory="2Gi")
    world.advance(30)
    assert phase(world, "modest") == "Running"


def test_the_condition_comes_at_once_and_stays_five_minutes(world: World) -> None:
    annotate(world, memory="80Mi")
    assert node_condition(world)["status"] == "True"
    assert node_condition(world)["reason"] == "KubeletHasInsufficientMemory"
    assert node_condition(world)["message"] == "kubelet has insufficient memory available"
    assert ("Warning", "EvictionThresholdMet", "Attempting to reclaim memory") in world.told.node_events
    annotate(world, memory=None)
    world.advance(290)
    assert node_condition(world)["status"] == "True"
    world.advance(20)
    assert node_condition(world)["status"] == "False"
    told = [text for _, _, text in world.told.node_events if text.startswith("Node ")]
    assert told == [
        "Node node-a status is now: NodeHasInsufficientMemory",
        "Node node-a status is now: NodeHasSufficientMemory",
    ]


def test_a_new_agent_goes_on_showing_the_pressure(world: World) -> None:
    annotate(world, memory="80Mi")
    world.replace_agent()
    assert node_condition(world)["status"] == "True"
    assert len([1 for _, reason, _ in world.told.node_events if reason == "NodeHasInsufficientMemory"]) == 1


def test_a_node_short_of_memory_takes_no_best_effort_pods(world: World) -> None:
    annotate(world, memory="80Mi")
    world.apply(pod(container("poor"), name="poor"))
    refused = world.api.objects[("pods", "default", "poor")]["status"]
    text = "Pod was rejected: The node had condition: [MemoryPressure]. "
    assert (refused["phase"], refused["reason"], refused["message"]) == ("Failed", "Evicted", text)
    annotate(world, memory=None)
    world.apply(pod(container("rich", resources=requests(memory="10Mi")), name="rich"))
    assert phase(world, "rich") == "Running"


def test_thresholds_of_one_node_and_nonsense_in_them(world: World) -> None:
    annotate(world, memory="1Gi")
    assert node_condition(world)["status"] == "False"
    annotate(world, hard="memory.available<2Gi")
    assert node_condition(world)["status"] == "True"
    annotate(world, hard="memory<1")
    annotate(world, hard="memory<1", memory="lots")
    assert [text for _, reason, text in world.told.node_events if reason == "FailedValidation"] == [
        "annotation podlab.dev/eviction-hard: 'memory' is not a signal; there are "
        "memory.available, nodefs.available, pid.available",
        "annotation sim.podlab.dev/memory.available: 'lots' is not an amount",
    ]


def test_critical_pods_stay(world: World) -> None:
    world.apply(pod(container(), priority=2_000_000_000))
    annotate(world, memory="1Mi")
    world.advance(20)
    assert world.status["phase"] == "Running"


def test_extended_resources_and_local_storage_are_counted_when_a_pod_comes(world: World) -> None:
    node = copy.deepcopy(world.api.objects[("nodes", "", "node-a")])
    node["status"]["capacity"]["example.com/dongle"] = "2"
    node["status"]["allocatable"]["example.com/dongle"] = "2"
    world.api.put("nodes", node)
    dongle = {"requests": {"example.com/dongle": "1"}, "limits": {"example.com/dongle": "1"}}
    for number in range(2):
        world.apply(pod(container(f"c{number}", resources=dongle), name=f"p{number}"))
    world.apply(pod(container("c2", resources=dongle), name="late"))
    late = world.api.objects[("pods", "default", "late")]["status"]
    assert late["reason"] == "OutOfexample.com/dongle"
    assert late["message"] == (
        "Pod was rejected: Node didn't have enough resource: example.com/dongle, requested: 1, used: 2, capacity: 2"
    )
    world.apply(pod(container("c3", resources=requests(ephemeral_storage="200Gi")), name="large"))
    large = world.api.objects[("pods", "default", "large")]["status"]
    assert large["reason"] == "OutOfephemeral-storage"
    world.apply(pod(container("c4", resources={"requests": {"example.com/unknown": "1"}}), name="odd"))
    assert phase(world, "odd") == "Running"


def test_a_heartbeat_leaves_extended_resources_alone(world: World) -> None:
    node = copy.deepcopy(world.api.objects[("nodes", "", "node-a")])
    node["status"]["capacity"]["example.com/dongle"] = "2"
    world.api.put("nodes", node)
    annotate(world, memory="1Mi")
    assert world.api.objects[("nodes", "", "node-a")]["status"]["allocatable"]["example.com/dongle"] == "2"


# Pure


def ranked(resource: str, *entries: tuple[str, int, str, int | None]) -> str:
    """The first victim among (name, priority, request, usage)."""
    field = resource.replace("-", "_")
    made = [
        pod(container(resources=requests(**({field: request} if request else {}))), name=name, priority=priority)
        for name, priority, request, _ in entries
    ]
    usage = {
        f"uid-{name}": Usage(**{{"memory": "memory", "ephemeral-storage": "storage"}.get(resource, "pids"): amount})
        for name, _, _, amount in entries
        if amount is not None
    }
    signal = {"memory": MEMORY, "ephemeral-storage": DISK, "pids": PIDS}[resource]
    found = pressure.victim(Threshold(signal, amount="1Mi"), Reading(0, GI), made, usage)
    assert found is not None
    return str(found.pod["metadata"]["name"])


@pytest.mark.parametrize(
    ("resource", "entries", "first"),
    [
        ("memory", [("a", 0, "100Mi", 50 * MI), ("b", 0, "10Mi", 20 * MI)], "b"),
        ("memory", [("a", 5, "", 500 * MI), ("b", 0, "", 20 * MI)], "b"),
        ("memory", [("a", 0, "", 500 * MI), ("b", 0, "", 600 * MI)], "b"),
        ("memory", [("a", 0, "400Mi", 500 * MI), ("b", 0, "", 200 * MI)], "b"),
        ("memory", [("a", 9, "", None), ("b", 0, "", 600 * MI)], "a"),
        ("memory", [("a", 0, "1Gi", 500 * MI), ("b", 1, "1Gi", 900 * MI)], "a"),
        ("memory", [("a", 2_000_000_000, "", 500 * MI), ("b", 1, "1Gi", 1 * MI)], "b"),
        ("ephemeral-storage", [("a", 0, "1Gi", 500 * MI), ("b", 0, "", 1 * MI)], "b"),
        ("pids", [("a", 0, "", 5), ("b", 0, "", 500)], "b"),
        ("pids", [("a", 0, "", 5), ("b", 1, "", 500)], "a"),
    ],
)
def test_who_goes_first(resource: str, entries: list[Any], first: str) -> None:
    assert ranked(resource, *entries) == first
    assert ranked(resource, *reversed(entries)) == first


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("memory.available<100Mi", ""),
        (" memory.available < 5% , nodefs.available<10%,pid.available<1000", ""),
        ("", ""),
        ("memory.available>1Mi", "'memory.available>1Mi' is not of the form SIGNAL<AMOUNT"),
        ("imagefs.available<1%", "'imagefs.available' is not a signal"),
        ("memory.available<lots", "'lots' of memory.available is neither an amount nor a percentage"),
        ("memory.available<0", "'0' of memory.available must be more than nothing"),
        ("memory.available<120%", "'120%' of memory.available is not between 0% and 100%"),
        ("memory.available<1,memory.available<2", "memory.available is given twice"),
    ],
)
def test_thresholds_are_read(text: str, wrong: str) -> None:
    if not wrong:
        assert len(pressure.parse_thresholds(text)) == len([part for part in text.split(",") if part.strip()])
        return
    with pytest.raises(ValueError, match="^") as error:
        pressure.parse_thresholds(text)
    assert wrong in str(error.value)


def test_memory_is_looked_at_before_the_disk_and_percentages_are_of_the_capacity() -> None:
    thresholds = pressure.parse_thresholds("nodefs.available<10%,memory.available<100Mi,pid.available<5")
    found = pressure.met(thresholds, {DISK: Reading(9, 100), MEMORY: Reading(99 * MI, GI), PIDS: Reading(5, 10)})
    assert [one.signal for one in found] == [MEMORY, DISK]
    assert str(found[1].of(100 * GI)) == "10Gi"
    assert not pressure.met(thresholds, {DISK: Reading(10, 100)})


def test_pressures_are_held() -> None:
    seen = {"MemoryPressure": START, "DiskPressure": START - timedelta(minutes=5)}
    assert pressure.held(seen, START) == {"MemoryPressure"}


@pytest.mark.parametrize(
    ("resources", "used", "text"),
    [
        ([{"limits": {"ephemeral-storage": "1Gi"}}], Usage(storage=GI, storage_by_container={"c0": GI}), ""),
        (
            [{"limits": {"ephemeral-storage": "1Gi"}}],
            Usage(storage=GI + 1, storage_by_container={"c0": 1}),
            "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
        ),
        (
            [{"limits": {"ephemeral-storage": "1Gi"}}, {}],
            Usage(storage=3 * GI, storage_by_container={"c0": 2 * GI, "c1": GI}),
            'Container c0 exceeded its local ephemeral storage limit "1Gi". ',
        ),
        ([{}, {}], Usage(storage=9 * GI, storage_by_container={"c0": 9 * GI}), ""),
    ],
)
def test_limits_of_local_storage(resources: list[Manifest], used: Usage, text: str) -> None:
    made = pod(*(container(f"c{number}", resources=one) for number, one in enumerate(resources)))
    assert pressure.limit_complaint(made, used) == text


@pytest.mark.parametrize(
    ("conditions", "more", "resources", "refused"),
    [
        ({"MemoryPressure"}, {}, {}, True),
        ({"MemoryPressure"}, {}, requests(memory="1Mi"), False),
        ({"MemoryPressure"}, {"priority": 2_000_000_000}, {}, False),
        ({"MemoryPressure"}, {"tolerations": [{"key": "node.kubernetes.io/memory-pressure"}]}, {}, False),
        ({"MemoryPressure", "DiskPressure"}, {}, requests(memory="1Mi"), True),
        ({"PIDPressure"}, {}, requests(memory="1Mi"), True),
        (set(), {}, {}, False),
    ],
)
def test_who_may_come_under_pressure(conditions: set[str], more: Manifest, resources: Manifest, refused: bool) -> None:
    made = pod(container(resources=resources), **more)
    assert bool(pressure.refusal(made, frozenset(conditions))) is refused


def test_a_machine_is_read_and_what_is_missing_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "sys" / "kernel").mkdir(parents=True)
    (tmp_path / "meminfo").write_text("MemTotal:  2048 kB\nMemAvailable:  1024 kB\n")
    (tmp_path / "loadavg").write_text("0.1 0.1 0.1 2/300 4242\n")
    (tmp_path / "sys" / "kernel" / "pid_max").write_text("1000\n")
    found = readings.of_machine(tmp_path / "not" / "there", tmp_path)
    assert found[MEMORY] == Reading(1 * MI, 2 * MI)
    assert found[PIDS] == Reading(700, 1000)
    assert 0 < found[DISK].available <= found[DISK].capacity == readings.storage(tmp_path)
    assert set(readings.of_machine(tmp_path, tmp_path / "nowhere")) == {DISK}
