"""What the scheduler writes, and how the control worker hears when to try and to forget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from podlab.clock import monotonic, pause
from podlab.logs import layout
from podlab.registry.client import Client
from podlab.registry.clusters import ensure_main
from podlab.registry.events import Recorder
from podlab.registry.identity import system
from podlab.scheduler.bind import Outcome, schedule_one
from podlab.scheduler.control import ControlHost
from podlab.storage import clusters, forgetting, history, log
from podlab.storage.hub import Hub

T = TypeVar("T")
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(transactional_db: None, tmp_path: Any, settings: Any) -> Client:
    settings.PODLAB_DATA = tmp_path
    ensure_main("docker")
    return Client("main", system("test"), lambda: NOW)


def add_node(client: Client, name: str, cpu: str = "2") -> None:
    client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})

    # New nodes are tainted until they are ready.
    client.patch("nodes", "", name, "application/merge-patch+json", {"spec": {"taints": None}})

    def offer(node: dict[str, Any]) -> None:
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
        }
        node["status"] = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "110"}, "conditions": [ready]}

    client.update_status("nodes", "", name, offer)


def add_pod(client: Client, name: str, cpu: str = "1", **spec: Any) -> None:
    container = {"name": "main", "image": "busybox", "resources": {"requests": {"cpu": cpu}}}
    body = {"containers": [container], **spec}
    client.create(
        "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}, namespace="default"
    )


def place(client: Client, name: str) -> Outcome:
    recorder = Recorder(client, "default-scheduler", "", client.now)
    return schedule_one(client, recorder, "default", name, now=NOW)


def events(client: Client) -> list[tuple[str, str, str]]:
    return [
        (item.obj["source"]["component"], item.obj["reason"], item.obj["message"])
        for item in client.list("events", "default").items
    ]


def test_binds_and_says_so(client: Client) -> None:
    add_node(client, "a")
    add_pod(client, "p")
    assert place(client, "p") is Outcome.BOUND
    pod = client.get("pods", "default", "p").obj
    assert pod["spec"]["nodeName"] == "a"
    assert [(one["type"], one["status"]) for one in pod["status"]["conditions"]] == [("PodScheduled", "True")]
    assert events(client) == [("default-scheduler", "Scheduled", "Successfully assigned default/p to a")]
    (bound,) = [
        entry for entry in log.read_after(0, cluster="main") if entry.key.name == "p" and entry.type == "MODIFIED"
    ]
    assert bound.why == "a is the only node that fits a request of 1000m cpu and 0Mi memory."


def test_writes_down_why_a_pod_must_wait_and_only_once(client: Client) -> None:
    add_node(client, "a", cpu="500m")
    add_pod(client, "p")
    message = (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: "
        "1 Preemption is not helpful for scheduling."
    )
    assert place(client, "p") is Outcome.WAITING
    (condition,) = client.get("pods", "default", "p").obj["status"]["conditions"]
    assert condition == {
        "type": "PodScheduled",
        "observedGeneration": 1,
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": "2026-11-21T02:00:00Z",
        "reason": "Unschedulable",
        "message": message,
    }
    assert events(client) == [("default-scheduler", "FailedScheduling", message)]
    revision = client.get("pods", "default", "p").revision
    assert place(client, "p") is Outcome.WAITING
    assert client.get("pods", "default", "p").revision == revision


def test_what_is_gone_or_bound_or_anothers_is_left_alone(client: Client) -> None:
    add_node(client, "a")
    add_pod(client, "bound", nodeName="a")
    add_pod(client, "other", schedulerName="mine")
    head = log.head()
    assert [place(client, name) for name in ("nobody", "bound", "other")] == [Outcome.NOTHING] * 3
    assert log.head() == head


def test_the_room_of_bound_pods_is_taken(client: Client) -> None:
    add_node(client, "a")
    for name in ("one", "two", "three"):
        add_pod(client, name)
    assert [place(client, name) for name in ("one", "two", "three")] == [Outcome.BOUND, Outcome.BOUND, Outcome.WAITING]


def priority_class(client: Client, name: str, value: int, **more: Any) -> None:
    body = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
    client.create("priorityclasses.scheduling.k8s.io", {**body, **more})


def test_a_more_important_pod_ends_another_and_gets_its_place(client: Client) -> None:
    add_node(client, "a")
    priority_class(client, "vip", 1000)
    add_pod(client, "low", cpu="1500m", terminationGracePeriodSeconds=7)
    add_pod(client, "high", cpu="1500m", priorityClassName="vip")
    assert place(client, "low") is Outcome.BOUND
    assert place(client, "high") is Outcome.WAITING

    victim, high = client.get("pods", "default", "low").obj, client.get("pods", "default", "high").obj
    assert victim["metadata"]["deletionGracePeriodSeconds"] == 7
    condition = next(one for one in victim["status"]["conditions"] if one["type"] == "DisruptionTarget")
    assert condition == {
        "type": "DisruptionTarget",
        "observedGeneration": 1,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": "2026-11-21T02:00:00Z",
        "reason": "PreemptionByScheduler",
        "message": "default-scheduler: preempting to accommodate a higher priority pod",
    }
    assert high["status"]["nominatedNodeName"] == "a"
    assert sorted(events(client)) == [
        ("default-scheduler", "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
        ("default-scheduler", "Preempted", f"Preempted by pod {high['metadata']['uid']} on node a"),
        ("default-scheduler", "Scheduled", "Successfully assigned default/low to a"),
    ]
    # Tried again before the victim is gone, it ends nobody else and keeps its place.
    assert place(client, "high") is Outcome.WAITING
    high = client.get("pods", "default", "high").obj
    assert high["status"]["nominatedNodeName"] == "a"
    assert high["status"]["conditions"][0]["message"].endswith("due to a terminating pod on the nominated node.")

    client.delete("pods", "default", "low", grace=0)
    add_pod(client, "late", cpu="1500m")
    assert place(client, "late") is Outcome.WAITING
    assert place(client, "high") is Outcome.BOUND
    assert "nominatedNodeName" not in client.get("pods", "default", "high").obj["status"]


def test_who_waits_for_room_loses_it_to_a_more_important_pod(client: Client) -> None:
    add_node(client, "a")
    for name, value in (("mid", 10), ("vip", 1000)):
        priority_class(client, name, value)
    add_pod(client, "low", cpu="2")
    add_pod(client, "mid", cpu="2", priorityClassName="mid")
    add_pod(client, "vip", cpu="2", priorityClassName="vip")
    assert [place(client, name) for name in ("low", "mid", "vip")] == [Outcome.BOUND, Outcome.WAITING, Outcome.WAITING]
    assert client.get("pods", "default", "vip").obj["status"]["nominatedNodeName"] == "a"
    assert "nominatedNodeName" not in client.get("pods", "default", "mid").obj["status"]


def test_budgets_and_namespaces_are_read_when_they_matter(client: Client) -> None:
    for name in ("a", "b"):
        add_node(client, name)
    priority_class(client, "vip", 1000)
    client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "red", "labels": {"team": "red"}}})  # fmt: skip
    keeps = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}, "namespaceSelector": {"matchLabels": {"team": "red"}}}
    ]}}  # fmt: skip
    for name in ("a", "b"):
        client.patch("nodes", "", name, "application/merge-patch+json", {"metadata": {"labels": {"kubernetes.io/hostname": name}}})  # fmt: skip
    add_pod(client, "one", nodeName="a", affinity=keeps)
    add_pod(client, "two", nodeName="b", affinity=keeps)
    client.patch("pods", "default", "one", "application/merge-patch+json", {"metadata": {"labels": {"app": "kept"}}})
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "kept"}}
    client.create("poddisruptionbudgets.policy", {**budget, "spec": {"selector": {"matchLabels": {"app": "kept"}}, "minAvailable": 1}}, namespace="default")  # fmt: skip
    body = {"containers": [{"name": "main", "image": "busybox"}], "priorityClassName": "vip"}
    client.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": body}, namespace="red")
    recorder = Recorder(client, "default-scheduler", "", client.now)
    assert schedule_one(client, recorder, "red", "p", now=NOW) is Outcome.WAITING
    assert client.get("pods", "red", "p").obj["status"]["nominatedNodeName"] == "b"
    assert "deletionTimestamp" not in client.get("pods", "default", "one").obj["metadata"]


# The control worker


class Control:
    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.down = False
        self.hub = Hub(poll=0.02, redis=False)
        self.host = ControlHost(hub=self.hub, send_schedule=self._send)
        self.host.start()

    def _send(self, *names: str) -> None:
        if self.down:
            raise ConnectionError("no broker")
        self.asked.append(names)

    def close(self) -> None:
        self.host.stop()
        self.hub.close()


@pytest.fixture
def control(client: Client) -> Iterator[Control]:
    made = Control()
    yield made
    made.close()


def eventually(condition: Callable[[], T]) -> T:
    until = monotonic() + 15
    while not (found := condition()):
        assert monotonic() < until, "it did not come"
        pause(0.01)
    return found


def test_logs_go_with_the_last_that_is_told_of_a_pod(client: Client, tmp_path: Path) -> None:
    host = ControlHost(hub=Hub(redis=False), send_schedule=lambda *names: None, logs=tmp_path)
    add_pod(client, "there")
    kept = client.get("pods", "default", "there")
    for uid, name in ((kept.uid, "there"), ("00000000-0000-4000-8000-000000000000", "gone")):
        history.start_run(history.Run("main", "default", name, uid, "c", 0, "a", "id", "busybox", NOW))
        layout.pod_folder(tmp_path / "main", forgetting.Gone("main", "default", name, uid)).mkdir(parents=True)
    host._forget_pods()
    assert [folder.name for folder in (tmp_path / "main" / "pods").iterdir()] == [f"default_there_{kept.uid}"]
    assert [run.pod for run in history.runs_in("main", "default")] == ["there"]


def test_new_pods_are_asked_for_by_name(client: Client, control: Control) -> None:
    add_pod(client, "p")
    assert eventually(lambda: control.asked) == [("main", "default", "p")]


def test_pods_that_were_there_before_are_found(client: Client) -> None:
    add_pod(client, "p")
    control = Control()
    assert eventually(lambda: control.asked) == [("main", "default", "p")]
    control.close()


def test_without_a_broker_pods_are_placed_all_the_same(client: Client, control: Control) -> None:
    control.down = True
    add_node(client, "a")
    add_pod(client, "p")
    eventually(lambda: client.get("pods", "default", "p").obj["spec"].get("nodeName") == "a")


def test_old_events_are_removed(client: Client, control: Control) -> None:
    """Its clock is real, and the events of this client are as old as they say."""
    add_node(client, "a")
    old = Client("main", system("test"), lambda: datetime(2020, 1, 1, tzinfo=UTC))
    pod = client.get("nodes", "", "a").obj
    control.close()
    Recorder(old, "test", "", old.now).event(pod, "Normal", "Old", "long ago")
    second = Control()
    eventually(lambda: client.list("events", None).items == [])
    second.close()


def test_simulated_clusters_are_not_the_control_workers(client: Client, control: Control) -> None:
    clusters.create("lab", runtime="sim")
    other = Client("lab", system("test"), lambda: NOW)
    other.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    add_pod(other, "sim")
    add_pod(client, "real")
    assert eventually(lambda: control.asked) == [("main", "default", "real")]
