"""The stream of a namespace's timeline: pods with their owners, packed marks by windows of time, questions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from pod_story import UID, at, event, pod, stamp
from socket_page import Page, person, write, write_event

from podlab.apis.types import Key
from podlab.storage import clusters, history, hub, log, pulls, store
from podlab.storage.history import ProbeRow
from podlab.storage.pulls import PullRow
from podlab.timeline import consumers, space_past
from podlab.timeline.batches import NUMBERS, WORDS

pytestmark = pytest.mark.django_db(transaction=True)

RUNNING = {"running": {"startedAt": "2026-11-21T09:00:02Z"}}
WINDOW = {"from": stamp(-60), "to": stamp(600)}


@pytest.fixture(autouse=True)
def _cluster(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.PODLAB_DATA = tmp_path
    clusters.create("main", runtime="sim")
    yield
    hub.close()


class Space(Page):
    """Unpacks what it hears, as the page's script does."""

    words: list[str]

    async def open(self, **more: Any) -> None:
        self.words = []
        await self.say(type="open-space", sub="s", namespace="default", **{**WINDOW, **more})

    async def batch(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str] | None]:
        message = await self.hear("batch")
        self.words += message["words"]
        marks = [self.unpacked(row) for row in message["marks"]]
        ticks = [
            {"pod": row[0], "seq": row[1], "probe": self.words[row[5]], "caused": self.words[row[10]]}
            for row in message["ticks"]
        ]
        return marks, ticks, message["window"]

    def unpacked(self, row: list[Any]) -> dict[str, Any]:
        words = {name: self.words[row[6 + index]] for index, name in enumerate(WORDS)}
        numbers = {name: row[6 + len(WORDS) + index] for index, name in enumerate(NUMBERS)}
        return {"pod": row[0], "id": row[1], "start": row[2], "end": row[3], **words, **numbers}

    async def window(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """All that is told until a window is complete."""
        all_marks, all_ticks, window = [], [], None
        while window is None:
            marks, ticks, window = await self.batch()
            all_marks += marks
            all_ticks += ticks
        return all_marks, all_ticks


@pytest.fixture
async def ada() -> AsyncIterator[Space]:
    page = await sync_to_async(lambda: Space(person("ada")))()
    assert await page.connect()
    yield page
    await page.disconnect()


def named(name: str, uid: str, **parts: Any) -> tuple[dict[str, Any], Key]:
    made = pod(**parts)
    made["metadata"] |= {"name": name, "uid": uid}
    return made, Key("main", "pods", "default", name)


async def test_every_pod_is_told_in_one_stream_and_then_live(ada: Space) -> None:
    await write(pod(), 0)
    other, key = named("other", "uid-other")
    await write(other, 1, key=key)
    await ada.open()
    heard = await ada.hear("pods")
    assert (heard["reset"], [one["name"] for one in heard["pods"]]) == (True, ["web", "other"])
    marks, _ = await ada.window()
    assert {(one["pod"], one["kind"], one["reason"]) for one in marks} == {
        (0, "phase", "Pending"),
        (1, "phase", "Pending"),
    }
    await write(pod(phase="Running", state=RUNNING, ready=True), 2)
    assert [(one["name"], one["status"]) for one in (await ada.hear("pods"))["pods"]] == [("web", "Running")]
    live, _, window = await ada.batch()
    assert (window, {one["lane"] for one in live}) == (None, {"phase", "container/app"})
    await write_event(event("Started"), 3)
    told = {(one["pod"], one["lane"], one["reason"]) for one in (await ada.batch())[0]}
    assert (0, "events", "Started") in told


async def test_a_sentence_is_told_when_somebody_asks(ada: Space) -> None:
    await write(pod(phase="Running", state=RUNNING), 0)
    row = ProbeRow("main", UID, "app", 0, "liveness", at(3), 5.0, "failure", 3, 3, "refused", "restart")
    (probe,) = await sync_to_async(lambda: history.record_probes([row]))()
    await ada.open()
    _, ticks = await ada.window()
    assert [(one["seq"], one["probe"], one["caused"]) for one in ticks] == [(probe.seq, "liveness", "restart")]
    ids = [f"{UID}/run:app:0", f"{UID}/probe:{probe.seq}", f"{UID}/probe:999", "nobody/phase:1", f"{UID}/nothing"]
    await ada.say(type="tell", sub="s", ids=ids)
    told = (await ada.hear("told"))["marks"]
    assert [(one["id"], one["sentence"]) for one in told] == [
        (ids[0], "app is running."),
        (ids[1], "Liveness probe of app failed after 5 ms (3 of 3 in a row). refused"),
    ]
    assert told[1]["evidence"]["path"] == "spec.containers[0].livenessProbe"


def of(marks: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(m["pod"], m["lane"], m["text"], m["outcome"], m["share"]) for m in marks if m["kind"] == "pull"]


async def test_a_pull_is_told_with_how_far_it_is(ada: Space) -> None:
    """In steps that can be seen: the engine tells more than a lane can show."""
    await write(pod(), 0)
    other, key = named("other", "uid-other")
    await write(other, 1, key=key)
    done = PullRow("main", UID, "app", "web:1", at(1), at(2), 1, 1, 10, 10)
    await sync_to_async(lambda: pulls.record(done))()
    await ada.open()
    assert of((await ada.window())[0]) == [(0, "container/app", "web:1", "done", 1.0)]
    row = PullRow("main", "uid-other", "app", "web:2", at(3), None, 4, 0, 0, 1000)
    stranger = replace(row, pod_uid="uid-of-another-namespace")
    told = []
    for step in (stranger, row, *(replace(row, current=count) for count in (5, 10, 15, 500, 505))):
        await sync_to_async(lambda step=step: pulls.record(step))()
        if step is row or step.current == 500:
            told += of((await ada.batch())[0])
    await sync_to_async(lambda: pulls.record(replace(row, finished_at=at(9), error="no")))()
    told += of((await ada.batch())[0])
    lane = (1, "container/app", "web:2")
    assert told == [(*lane, "", 0.0), (*lane, "", 0.5), (*lane, "failed", 0.0)]


async def test_another_window_brings_only_what_is_not_known(ada: Space) -> None:
    await write(pod(phase="Running", state=RUNNING), 0)
    early = ProbeRow("main", UID, "app", 0, "liveness", at(3), 5.0, "success", 1, 1)
    await write_event(event("Late"), 5000)
    await sync_to_async(lambda: history.record_probes([early]))()
    await ada.open(**{"from": stamp(4000), "to": stamp(6000)})
    marks, ticks = await ada.window()
    assert ({one["kind"] for one in marks}, ticks) == ({"phase", "span", "event"}, [])
    await ada.say(type="look", sub="s", **WINDOW)
    marks, ticks = await ada.window()
    assert (marks, [one["probe"] for one in ticks]) == ([], ["liveness"])
    await ada.say(type="look", sub="s", **WINDOW)
    assert await ada.window() == ([], [])


async def test_pods_know_their_owners_root_first(ada: Space) -> None:
    def owned(kind: str, name: str, owner: str = "", resource: str = "") -> dict[str, Any]:
        meta: dict[str, Any] = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
        if owner:
            meta["ownerReferences"] = [{"kind": resource, "name": owner, "uid": f"uid-{owner}", "controller": True}]
        return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta}

    await write(owned("Deployment", "shop"), 0, key=Key("main", "deployments.apps", "default", "shop"))
    replicas = owned("ReplicaSet", "shop-1", "shop", "Deployment")
    await write(replicas, 0, key=Key("main", "replicasets.apps", "default", "shop-1"))
    made = pod()
    made["metadata"]["ownerReferences"] = [
        {"kind": "ReplicaSet", "name": "shop-1", "uid": "uid-shop-1", "controller": True}
    ]
    await write(made, 1)
    await ada.open()
    (told,) = (await ada.hear("pods"))["pods"]
    assert [(one["kind"], one["name"]) for one in told["owners"]] == [("Deployment", "shop"), ("ReplicaSet", "shop-1")]


async def test_the_past_is_told_as_it_was_and_does_not_go_on(ada: Space) -> None:
    await write(pod(), 0)
    await write(pod(phase="Running", state=RUNNING), 2)
    rev = await sync_to_async(log.head)()
    later = ProbeRow("main", UID, "app", 0, "liveness", at(30), 5.0, "success", 1, 1)
    await sync_to_async(lambda: history.record_probes([later]))()
    await write(pod(phase="Failed"), 40)
    await ada.open(rev=rev)
    past = await ada.hear("past")
    assert (past["rev"], past["at"]) == (rev, stamp(2).replace("Z", ".000Z"))
    assert [one["status"] for one in (await ada.hear("pods"))["pods"]] == ["Running"]
    marks, ticks = await ada.window()
    assert {one["reason"] for one in marks if one["kind"] == "phase"} == {"Pending", "Running"}
    assert ticks == []


async def test_there_is_room_for_the_living_before_the_deleted(ada: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_past, "MOST_PODS", 2)
    for number in range(3):
        gone, key = named(f"gone-{number}", f"uid-{number}")
        gone["metadata"]["creationTimestamp"] = stamp(10 + number)
        await write(gone, 0, key=key)
        await sync_to_async(lambda key=key: store.delete(key, at=at(1), actor="test", why=""))()
    await write(pod(), 2)
    await ada.open()
    heard = await ada.hear("pods")
    assert ([(one["name"], one["gone"]) for one in heard["pods"]], heard["left_out"]) == (
        [("gone-2", True), ("web", False)],
        2,
    )


async def test_other_peoples_namespaces_are_refused(ada: Space) -> None:
    await ada.say(type="open-space", sub="s", namespace="other")
    assert (await ada.hear("refused"))["code"] == 403
    await ada.open(**{"from": "yesterday"})
    await ada.hear("pods")
    refused = await ada.hear("refused")
    assert (refused["code"], refused["message"]) == (400, "A moment is written as 2006-01-02T15:04:05Z.")


async def test_questions_to_nothing_are_silent_and_bad_ones_close(ada: Space) -> None:
    await ada.say(type="tell", sub="nothing", ids=["a"])
    await ada.say(type="tell", sub="s", ids=["a"] * 200)
    assert await ada.closed() == consumers.NONSENSE
