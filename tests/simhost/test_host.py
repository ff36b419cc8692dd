"""Many simulated clusters in one sim worker: opened when needed, run when due, closed when idle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from simhost_played import pod

from podlab.clock import LabClock, LabTime, monotonic, pause, wall_now
from podlab.registry import clusters
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.simhost.host import FILES_SECONDS, LINGER, Host
from podlab.storage import clusters as rows
from podlab.storage import log
from podlab.storage.hub import Hub

T = TypeVar("T")
pytestmark = pytest.mark.django_db(transaction=True)
ME = system("test")


def eventually(condition: Callable[[], T], within: float = 20) -> T:
    until = monotonic() + within
    while not (found := condition()):
        assert monotonic() < until, "it did not come"
        pause(0.01)
    return found


STATIC = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: main, image: "busybox:1.36", command: [sleep, "3600"]}]}
"""


class Worker:
    """A sim worker whose pool is the test's own thread, and whose wall timers fire when the test says so."""

    def __init__(self, data: Path, *, apart: float = 0.0) -> None:
        self.asked: list[str] = []
        self.followed: list[str] = []
        self.timers = LabClock(wall_now())
        self.hub = Hub(poll=0.02, redis=False)
        self.down = False
        follow = self.followed.append
        self.host = Host(hub=self.hub, data=data, send=self._send, clock=self.timers, apart=apart, follow=follow)
        self.host.start()

    def _send(self, cluster: str) -> None:
        if self.down:
            raise ConnectionError("no broker")
        self.asked.append(cluster)

    def work(self, cluster: str, until: Callable[[], T]) -> T:
        """Do the tasks that arrive until something is so."""

        def done() -> T:
            while self.asked:
                self.host.run(self.asked.pop(0))
            return until()

        return eventually(done)

    def settle(self) -> None:
        """Do the tasks that everything written so far asks for, until none comes any more."""
        while True:
            eventually(lambda: self.host._changes is not None and self.host._changes.position >= log.head())
            for _ in range(2):  # what is posted there may post again
                done = threading.Event()
                self.host._mailbox.post(done.set)
                assert done.wait(15)
            if not self.asked:
                return
            while self.asked:
                self.host.run(self.asked.pop(0))

    def later(self, seconds: float) -> None:
        self.timers.advance(self.timers.now() + timedelta(seconds=seconds))

    def close(self) -> None:
        self.host.stop()
        self.hub.close()


@pytest.fixture
def data(transactional_db: None, tmp_path: Path, settings: Any) -> Path:
    settings.PODLAB_DATA = tmp_path
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.crt").write_text("a certificate\n")
    return tmp_path


@pytest.fixture
def worker(data: Path) -> Iterator[Worker]:
    made = Worker(data)
    yield made
    made.close()
    for row in rows.list_all():
        rows.delete(row.name)


def make(name: str, *, paused: bool = True, nodes: tuple[str, ...] = ("node-a",)) -> Client:
    clusters.create_sim(name, nodes=nodes, seed=5, identity=ME, paused=paused)
    return clusters.client_for(name, ME)


def jump(name: str, seconds: float) -> None:
    """Lab time moves on at once, and stands."""
    rows.set_time(name, lambda time: time.stepped(wall_now(), time.lab + timedelta(seconds=seconds)))


def phase(client: Client, name: str = "web") -> str:
    found = client.find("pods", "default", name)
    return found.obj["status"]["phase"] if found else ""


def node_is_up(client: Client) -> Callable[[], bool]:
    def check() -> bool:
        conditions = client.get("nodes", "", "node-a").obj.get("status", {}).get("conditions", [])
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    return check


def test_a_new_cluster_gets_its_nodes_and_rests(worker: Worker) -> None:
    client = make("lab")
    worker.work("lab", node_is_up(client))
    head = log.head()
    worker.later(1)
    assert log.head() == head


def test_changes_in_a_row_are_one_turn(data: Path) -> None:
    worker = Worker(data, apart=30.0)
    try:
        client = make("lab")
        eventually(lambda: worker.asked == ["lab"])
        worker.host.run(worker.asked.pop())  # what it writes itself asks for nothing
        for name in ("one", "two", "three"):
            client.create("pods", pod(name, image="nginx"), namespace="default")
        eventually(lambda: worker.host.has_turn("lab"))
        assert worker.asked == []
        worker.later(31)
        eventually(lambda: worker.followed == ["lab"])  # not by the broker: it would cost more than the turn
        assert worker.asked == []
        worker.host.run(worker.followed.pop())
        assert all(client.get("pods", "default", name).obj["spec"].get("nodeName") for name in ("one", "two", "three"))
    finally:
        worker.close()
        rows.delete("lab")


def test_a_pod_runs_while_time_passes_and_not_while_it_is_paused(worker: Worker) -> None:
    client = make("lab")
    client.create("pods", pod("web", image="nginx"), namespace="default")
    worker.work("lab", lambda: client.get("pods", "default", "web").obj["spec"].get("nodeName"))
    worker.later(1000)
    assert phase(client) == "Pending"
    jump("lab", 10)
    worker.work("lab", lambda: phase(client) == "Running")


def test_a_wall_timer_is_set_for_what_is_due(worker: Worker) -> None:
    client = make("lab", paused=False)
    said = {"sim.podlab.dev/pull-time": "500s"}
    client.create("pods", pod("web", image="nginx", annotations=said), namespace="default")
    worker.work("lab", lambda: client.get("pods", "default", "web").obj["spec"].get("nodeName"))
    clusters.set_speed("lab", 100, identity=ME)

    def due_in() -> float | None:
        due = worker.timers.next_due()
        asked = worker.host._slots["lab"].wanted  # then the timer is only the reminder
        return None if due is None or asked else (due - wall_now()).total_seconds()

    # 500 s of lab time at a hundred to one.
    worker.work("lab", lambda: 0 < (due_in() or 999) < 5.2)


def test_a_step_runs_to_the_next_change_and_stands_there(worker: Worker) -> None:
    client = make("lab")
    script = pod("web", "sh", "-c", "sleep 1000; exit 0", restartPolicy="Never")
    client.create("pods", script, namespace="default")
    worker.work("lab", lambda: client.get("pods", "default", "web").obj["spec"].get("nodeName"))
    begun = rows.get("lab").time.lab

    def stepped() -> LabTime:
        clusters.step("lab", identity=ME)
        worker.work("lab", lambda: rows.get("lab").steps_wanted == 0)
        return rows.get("lab").time

    first = stepped()
    assert first.paused
    assert timedelta(seconds=0.4) < first.lab - begun < timedelta(seconds=3.1)
    while phase(client) != "Succeeded":
        last = stepped()
    assert last.paused
    assert timedelta(seconds=1000) < last.lab - begun < timedelta(seconds=1010)


def test_several_wanted_steps_are_taken_one_after_the_other(worker: Worker) -> None:
    client = make("lab")
    client.create("pods", pod("web", image="nginx"), namespace="default")
    for _ in range(3):
        clusters.step("lab", identity=ME)
    worker.work("lab", lambda: rows.get("lab").steps_wanted == 0)
    assert phase(client) == "Running"


def test_an_idle_world_is_closed_and_opened_again_by_a_change(worker: Worker) -> None:
    client = make("lab")
    worker.work("lab", node_is_up(client))
    jump("lab", 4000)  # its events are over as well
    worker.work("lab", lambda: not client.list("events", None).items)
    worker.settle()
    worker.host.run("lab")
    worker.settle()
    worker.later(LINGER + 1)
    eventually(lambda: worker.host.open_worlds == [])
    head = log.head()
    worker.later(600)
    assert (worker.asked, log.head()) == ([], head)
    client.create("pods", pod("web", image="nginx"), namespace="default")
    jump("lab", 10)
    worker.work("lab", lambda: phase(client) == "Running")


def test_without_a_broker_the_worker_does_it_itself(worker: Worker) -> None:
    worker.down = True
    client = make("lab")
    client.create("pods", pod("web", image="nginx"), namespace="default")
    jump("lab", 10)
    eventually(lambda: phase(client) == "Running")


def test_a_lost_task_is_told_again(worker: Worker) -> None:
    client = make("lab")
    client.create("pods", pod("web", image="nginx"), namespace="default")
    eventually(lambda: worker.asked == ["lab"])
    worker.asked.clear()
    worker.later(6)
    eventually(lambda: worker.asked == ["lab"])


def test_a_cluster_that_is_deleted_leaves_nothing_on_the_disk(worker: Worker, data: Path) -> None:
    client = make("lab")
    client.create("pods", pod("web", "sh", "-c", "echo hi; sleep 1000"), namespace="default")
    jump("lab", 10)
    worker.work("lab", lambda: phase(client) == "Running")
    folders = [data / "sim" / rows.get("lab").uid, data / "logs" / "lab"]
    assert [folder for folder in folders if not folder.exists()] == []
    clusters.delete("lab", identity=ME)
    eventually(lambda: not any(folder.exists() for folder in folders))
    again = make("lab")
    worker.work("lab", node_is_up(again))
    assert phase(again) == ""


def test_a_recording_that_is_deleted_leaves_no_logs_either(worker: Worker, data: Path) -> None:
    rows.create("monday", runtime="replay", paused=True)
    logs = data / "logs" / "monday"
    logs.mkdir(parents=True)
    eventually(lambda: "monday" in worker.hub._cluster_rows)
    clusters.delete("monday", identity=ME)
    eventually(lambda: not logs.exists())


def test_a_worker_that_comes_back_restarts_nothing(worker: Worker, data: Path) -> None:
    client = make("lab")
    client.create("pods", pod("web", image="nginx"), namespace="default")
    jump("lab", 10)
    worker.work("lab", lambda: phase(client) == "Running")
    before = client.get("pods", "default", "web").obj["status"]["containerStatuses"]
    second = Worker(data)  # the first is not asked any more, as if it had been killed
    worker.asked.clear()
    jump("lab", 100)
    second.work("lab", lambda: second.host.open_worlds == ["lab"])
    second.work("lab", lambda: not second.asked)
    assert client.get("pods", "default", "web").obj["status"]["containerStatuses"] == before
    second.close()


def test_two_hundred_clusters_know_nothing_of_each_other(worker: Worker, data: Path) -> None:
    names = [f"lab-{number}" for number in range(200)]
    seen: dict[str, set[str]] = {}
    made = {name: make(name) for name in names}
    watched = ("lab-7", "lab-70")
    for name in watched:
        seen[name] = set()
        worker.hub.subscribe(
            log.Filter(cluster=name), 0, lambda entries, name=name: seen[name].update(e.key.cluster for e in entries)
        )
    for name in names:
        made[name].create("pods", pod("web", "sh", "-c", f"echo I am {name}; sleep 9000"), namespace="default")
        jump(name, 20)
    waiting = set(names)

    def all_run() -> bool:
        waiting.difference_update([name for name in waiting if phase(made[name]) == "Running"])
        return not waiting

    worker.work("", all_run)
    for name in names:
        (only,) = made[name].list("pods", None).items
        assert only.key.cluster == name
        lines = [path.read_text() for path in (data / "logs" / name).rglob("*.log")]
        assert len(lines) == 1
        assert lines[0].rstrip().endswith(f"I am {name}")
        assert {one.obj["involvedObject"].get("uid") for one in made[name].list("events", "default").items} == {
            only.uid,
            made[name].get("nodes", "", "node-a").uid,
        }
    assert seen == {name: {name} for name in watched}
    uids = [made[name].list("pods", None).items[0].uid for name in names]
    assert len(set(uids)) == 200


def test_two_threads_never_run_one_world_together(worker: Worker) -> None:
    client = make("lab")
    for number in range(20):
        client.create("pods", pod(f"p{number}", image="nginx"), namespace="default")
    jump("lab", 10)
    threads = [threading.Thread(target=worker.host.run, args=("lab",)) for _ in range(4)]
    eventually(lambda: worker.asked)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    worker.work("lab", lambda: all(phase(client, f"p{number}") == "Running" for number in range(20)))
    bound = [
        e for e in log.read_after(0, limit=5000, cluster="lab") if e.actor == "scheduler" and e.key.resource == "pods"
    ]
    assert len(bound) == 20


def test_a_file_for_one_of_its_nodes_wakes_a_cluster(worker: Worker, data: Path) -> None:
    client = make("lab")
    worker.work("lab", node_is_up(client))
    folder = data / "static" / "lab" / "node-a"
    folder.mkdir(parents=True)
    (folder / "web.yaml").write_text(STATIC)
    worker.later(FILES_SECONDS)
    worker.work("lab", lambda: client.find("pods", "default", "web-node-a") is not None)
    jump("lab", 10)
    worker.work("lab", lambda: phase(client, "web-node-a") == "Running")
    (folder / "web.yaml").unlink()
    worker.later(FILES_SECONDS)
    jump("lab", 40)
    worker.work("lab", lambda: client.find("pods", "default", "web-node-a") is None)
