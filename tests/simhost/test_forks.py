"""A fork goes on differently from the moment at which it was made, and its source does not notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from simhost_played import START, Played, pod

from podlab.registry import forking
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.simhost.world import World
from podlab.storage import clusters, history, log
from podlab.timeline.story import Story

Play = Callable[..., Played]
OPEN: list[Forked] = []
pytestmark = pytest.mark.django_db(transaction=True)


def told_runs(cluster: str, uid: str) -> dict[str, str]:
    """What the timeline draws of a pod's runs: the state of each."""
    told = Story(uid)
    for entry in log.history_of(cluster, uid):
        told.change(entry)
    return {mark["id"]: mark["state"] for mark in told.marks if mark["id"].startswith("run:")}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        other = OPEN.pop()
        other.world.close()
        clusters.delete(other.row.name)


class Forked:
    def __init__(self, source: Played, revision: int, name: str) -> None:
        self.row = forking.fork(
            forking.Wish(source=source.name, name=name, revision=revision, paused=True),
            identity=system("test"),
            logs=source.data / "logs",
        )
        self.now: datetime = self.row.time.lab
        self.client = Client(name, system("test"), lambda: self.now)
        self.world = World(self.row, data=source.data, now=self.now)
        OPEN.append(self)
        self.world.open()

    def to(self, moment: datetime) -> None:
        self.now = moment
        self.world.run(moment)


def test_a_crash_loop_is_cured_in_the_fork_only(play: Play) -> None:
    lab = play()
    lab.create(pod("web"))  # a shell without a terminal ends at once
    lab.to(60)
    before, then = lab.container("web"), log.head()
    assert before["restartCount"] >= 2
    lab.to(600)
    story, uid = len(lab.log()), lab.pod("web")["metadata"]["uid"]  # type: ignore[index]

    other = Forked(lab, then, "other")
    assert other.row.time.lab <= START + timedelta(seconds=60)
    first = other.client.get("pods", "default", "web").obj
    assert (first["metadata"]["uid"], first["spec"]["nodeName"]) == (uid, "node-a")
    assert first["status"]["containerStatuses"][0]["restartCount"] == before["restartCount"]
    node = other.client.get("nodes", "", "node-a").obj["status"]
    assert node["nodeInfo"]["containerRuntimeVersion"] == "sim://1"
    assert {one["type"]: one["status"] for one in node["conditions"]}["Ready"] == "True"
    assert [run.attempt for run in history.runs_of("other", uid)][:2] == [0, 1]
    cure = {"spec": {"containers": [{"name": "main", "image": "nginx:1.27"}]}}
    other.client.patch("pods", "default", "web", "application/strategic-merge-patch+json", cure)
    other.to(START + timedelta(seconds=600))
    cured = other.client.get("pods", "default", "web").obj["status"]["containerStatuses"][0]
    told, count = told_runs("other", uid), cured["restartCount"]
    assert (told[f"run:main:{before['restartCount']}"], told[f"run:main:{count}"]) == ("ended", "running")
    assert [run.attempt for run in history.runs_of("other", uid)] == list(range(count + 1))
    assert (cured["ready"], "running" in cured["state"]) == (True, True)
    assert before["restartCount"] < count <= before["restartCount"] + 2
    assert lab.container("web")["restartCount"] > cured["restartCount"]
    assert lab.container("web")["image"].endswith("busybox:1.36")
    assert len(lab.log()) == story


def test_what_ran_begins_anew_and_counts_it(play: Play) -> None:
    lab = play()
    lab.create(pod("web", image="nginx:1.27"))
    lab.to(20)
    uid = lab.pod("web")["metadata"]["uid"]  # type: ignore[index]
    other = Forked(lab, log.head(), "other")
    other.to(other.now + timedelta(seconds=30))
    state = other.client.get("pods", "default", "web").obj["status"]["containerStatuses"][0]
    assert (state["restartCount"], state["ready"]) == (1, True)
    runs = [(run.attempt, run.reason, run.finished_at) for run in history.runs_of("other", uid)]
    assert runs == [(0, "ContainerStatusUnknown", other.row.time.lab), (1, "", None)]
    source = history.runs_of("lab", uid)
    assert [run.finished_at for run in source] == [None]
    # The same seed, and yet not the same container.
    assert len({run.container_id for run in (*source, *history.runs_of("other", uid))}) == 2
    assert told_runs("other", uid) == {"run:main:0": "ended", "run:main:1": "running"}


def test_earlier_runs_keep_what_they_had_written_by_then(play: Play) -> None:
    lab = play()
    lab.create(pod("web", "sh", "-c", "echo first; sleep 10; echo second; sleep 600"))
    lab.to(8)
    then = log.head()
    lab.to(60)
    other = Forked(lab, then, "other")
    other.to(other.now + timedelta(seconds=5))
    folder = other.row.name
    (before,) = (lab.data / "logs" / "lab").rglob("0.log")
    assert [line.split()[-1] for line in before.read_text().splitlines()] == ["first", "second"]
    found = {path.name: path.read_text().split()[3::4] for path in (lab.data / "logs" / folder).rglob("*.log")}
    assert found == {"0.log": ["first"], "1.log": ["first"]}


def test_two_forks_of_one_moment_with_its_seed_tell_the_same(play: Play) -> None:
    lab = play()
    lab.create(pod("web", "sh", "-c", "sleep 5; exit 1"))
    lab.to(20)
    then = log.head()
    told = []
    for name in ("other", "another"):
        other = Forked(lab, then, name)
        other.to(lab.now.replace(minute=3))
        found = log.read_after(then, cluster=name, limit=2000)
        told.append([(entry.type, entry.key.resource, entry.at, entry.why) for entry in found])
    assert told[0] == told[1]
    assert len(told[0]) > 30
