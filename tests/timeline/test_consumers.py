"""Sockets, end to end but for the network: the store writes, the hub follows, the client reads."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from pod_story import UID, at, event, pod, terminated
from socket_page import POD, Page, person, write, write_event

from podlab import clock
from podlab.apis.types import Key, LogLine
from podlab.logs import layout
from podlab.logs.writer import LogWriter
from podlab.registry import identity
from podlab.storage import clusters, history, hub, store
from podlab.storage.history import ProbeRow, Run
from podlab.timeline import consumers, log_stream, row_watch
from podlab.web import catalogue

pytestmark = pytest.mark.django_db(transaction=True)

RUNNING = {"running": {"startedAt": "2026-11-21T09:00:02Z"}}


@pytest.fixture(autouse=True)
def _cluster(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.PODLAB_DATA = tmp_path
    clusters.create("main", runtime="sim")
    clusters.create("hidden", runtime="sim")
    yield
    hub.close()


@pytest.fixture
async def ada() -> AsyncIterator[Page]:
    page = await sync_to_async(lambda: Page(person("ada")))()
    assert await page.connect()
    assert (await page.hear("hello"))["runtime"] == "sim"
    yield page
    await page.disconnect()


async def test_a_pod_is_told_from_its_beginning_and_then_live(ada: Page) -> None:
    await write(pod(), 0)
    await ada.say(type="open-pod", sub="p", namespace="default", name="web")
    head = await ada.hear("pod", sub="p")
    assert (head["pod"]["status"], head["pod"]["uid"]) == ("Pending", UID)
    assert (await ada.mark(kind="phase"))["reason"] == "Pending"
    await write(pod(phase="Running", state=RUNNING, ready=True), 2, why="The image is here.")
    run = await ada.mark(kind="span", state="running")
    assert (run["container"], run["why"]) == ("app", "The image is here.")
    assert (await ada.hear("pod"))["pod"]["tone"] == "running"
    await write_event(event("Started"), 2)
    assert (await ada.mark(kind="event"))["reason"] == "Started"


@pytest.mark.parametrize(
    ("lang", "words"), [("zh-hans", "Pod 已被接受"), ("xx", "The pod is accepted"), ("en", "The pod")]
)
async def test_a_page_is_told_in_its_own_language(lang: str, words: str) -> None:
    catalogue.compile_all()
    page = await sync_to_async(lambda: Page(person("lin"), lang=lang))()
    assert await page.connect()
    await write(pod(), 0)
    await page.say(type="open-pod", sub="p", namespace="default", name="web")
    assert (await page.mark(kind="phase"))["sentence"].startswith(words)
    await page.disconnect()


async def test_probes_arrive_and_runs_bring_their_reason(ada: Page) -> None:
    await write(pod(phase="Running", state=RUNNING), 0)
    await ada.say(type="open-pod", sub="p", namespace="default", name="web")
    await ada.hear("marks")
    row = ProbeRow("main", UID, "app", 0, "liveness", at(3), 5.0, "failure", 3, 3, "refused", "restart")
    await sync_to_async(lambda: history.record_probes([row]))()
    probe = await ada.mark(kind="probe")
    assert (probe["outcome"], probe["target"], probe["seq"] > 0) == ("failure", "container/app", True)

    def end() -> None:
        history.start_run(Run("main", "default", "web", UID, "app", 0, "node-a", "sim://1", "busybox", at(0.4)))
        history.finish_run("main", UID, "app", 0, finished_at=at(3.2), exit_code=137, why="Liveness failed 3 of 3.")

    await sync_to_async(end)()
    await write(pod(phase="Running", state={"terminated": terminated(137, 0, 3)}), 3.3)
    # First as the status says it, then as the run's own row knows it exactly.
    ended = await ada.mark(kind="span", state="ended", why="Liveness failed 3 of 3.")
    assert (ended["start"][-5:], ended["end"][-5:]) == (".400Z", ".200Z")


async def test_who_comes_back_gets_only_what_is_missing(ada: Page) -> None:
    await write(pod(), 0)
    await write(pod(state={"waiting": {"reason": "ContainerCreating"}}), 1)
    await ada.say(type="open-pod", sub="p", namespace="default", name="web")
    seen = await ada.hear("marks")
    await ada.say(type="close", sub="p")
    await write(pod(phase="Running", state=RUNNING), 2)
    await ada.say(
        type="open-pod", sub="q", namespace="default", name="web", uid=UID, since=seen["revision"], probes=seen["seq"]
    )
    missing = await ada.hear("marks", sub="q")
    changed = {(mark["kind"], mark["reason"], mark["end"] is None) for mark in missing["marks"]}
    assert changed == {
        ("phase", "Pending", False),
        ("phase", "Running", True),
        ("span", "ContainerCreating", False),
        ("span", "Running", True),
    }
    again = {"type": "open-pod", "sub": "r", "namespace": "default", "name": "web", "since": missing["revision"]}
    await ada.say(**again)
    assert (await ada.hear("marks", sub="r"))["marks"] == []


async def test_the_story_of_a_deleted_pod_is_told_by_its_uid(ada: Page) -> None:
    await write(pod(phase="Running", state=RUNNING), 0)
    await sync_to_async(lambda: store.delete(POD, at=at(9), actor="kubelet", why=""))()
    await ada.say(type="open-pod", sub="p", namespace="default", name="web", uid=UID)
    assert (await ada.hear("pod"))["pod"]["gone"] is True
    assert (await ada.mark(kind="deletion"))["reason"] == "Deleted"
    await ada.say(type="open-pod", sub="q", namespace="default", name="web")
    assert (await ada.hear("refused", sub="q"))["code"] == 404


async def test_the_list_changes_in_place(ada: Page) -> None:
    await write(pod(), 0)
    await ada.say(type="open-list", sub="l", namespace="default")
    first = await ada.hear("rows")
    assert (first["reset"], [row["cells"][:3] for row in first["rows"]]) == (True, [["web", "0/1", "Pending"]])
    await write(pod(phase="Running", state=RUNNING, ready=True), 2)
    changed = await ada.hear("rows", reset=False)
    assert changed["rows"][0]["cells"][1:3] == ["1/1", "Running"]
    await sync_to_async(lambda: store.delete(POD, at=at(9), actor="kubelet", why=""))()
    assert (await ada.hear("rows"))["removed"] == [UID]


async def test_log_lines_come_run_after_run(ada: Page) -> None:
    await write(pod(phase="Running", state=RUNNING), 0)
    folder, root = log_stream.PodFolder("default", "web", UID), log_stream.log_root("main")

    def log(attempt: int, *lines: tuple[float, str]) -> None:
        writer = LogWriter(layout.container_log(root, folder, "app", attempt))
        for seconds, text in lines:
            writer.write(LogLine(at(seconds), "stdout", text))
        writer.close()

    log(0, (1, "one"), (2, "<script>two</script>"))
    await ada.say(type="open-log", sub="g", namespace="default", name="web", container="app")
    lines = (await ada.hear("log"))["lines"]
    assert [(line["attempt"], line["text"]) for line in lines] == [(0, "one"), (0, "<script>two</script>")]
    log(1, (5, "again"))
    (line,) = (await ada.hear("log"))["lines"]
    assert (line["attempt"], line["text"]) == (1, "again")
    await ada.say(type="open-log", sub="h", namespace="default", name="web", container="app", after=line["at"])
    assert [line["text"] for line in (await ada.hear("log", sub="h"))["lines"]] == ["again"]


async def test_a_replay_tells_lines_and_probes_up_to_its_moment(ada: Page) -> None:
    await write(pod(phase="Running", state=RUNNING), 0)
    folder, root = log_stream.PodFolder("default", "web", UID), log_stream.log_root("main")
    writer = LogWriter(layout.container_log(root, folder, "app", 0))
    for second in (1, 2, 3):
        writer.write(LogLine(at(second), "stdout", f"line {second}"))
    writer.close()
    rows = [ProbeRow("main", UID, "app", 0, "liveness", at(second), 5.0, "success", 1, 1) for second in (1, 3)]
    await sync_to_async(lambda: history.record_probes(rows))()
    stored = await sync_to_async(lambda: store.get(POD))()
    assert stored is not None
    moment = "2026-11-21T09:00:02.000Z"
    await ada.say(type="open-pod", sub="p", namespace="default", name="web", uid=UID, rev=stored.revision, at=moment)
    assert (await ada.hear("past"))["at"] == moment
    marks = (await ada.hear("marks"))["marks"]
    assert [mark["start"] for mark in marks if mark["kind"] == "probe"] == ["2026-11-21T09:00:01.000Z"]
    log = {"type": "open-log", "sub": "g", "namespace": "default", "name": "web", "uid": UID, "container": "app"}
    await ada.say(**log, until=moment)
    assert [line["text"] for line in (await ada.hear("log"))["lines"]] == ["line 1", "line 2"]
    await ada.say(**log, until=moment, after="2026-11-21T09:00:02Z")
    assert [line["text"] for line in (await ada.hear("log"))["lines"]] == ["line 2"]
    await ada.say(**log, until="noon")
    assert (await ada.hear("refused"))["code"] == 400


async def test_a_page_is_told_that_a_pod_has_written(ada: Page) -> None:
    await write(pod(), 0)
    folder, root = log_stream.PodFolder("default", "web", UID), log_stream.log_root("main")
    await ada.say(type="open-written", sub="w", namespace="default", name="web", uid=UID)
    assert (await ada.hear("changed"))[
        "sub"
    ] == "w"  # what came before is asked for at once, also after a lost connection
    for attempt in (0, 1):
        with LogWriter(layout.container_log(root, folder, "app", attempt)) as writer:
            writer.write(LogLine(at(attempt), "stdout", "one"))
        assert (await ada.hear("changed"))["sub"] == "w"


async def test_only_a_newline_ends_a_log_line(ada: Page) -> None:
    """What looks like the time of a line after a carriage return is what the container wrote."""
    await write(pod(phase="Running", state=RUNNING), 0)
    folder, root = log_stream.PodFolder("default", "web", UID), log_stream.log_root("main")
    for attempt, text in enumerate(["10%\r2030-01-01T00:00:00Z forged", "x" * 40_000]):
        writer = LogWriter(layout.container_log(root, folder, "app", attempt))
        writer.write(LogLine(at(1), "stdout", text))
        writer.close()
    await ada.say(type="open-log", sub="g", namespace="default", name="web", container="app")
    (line,) = (await ada.hear("log"))["lines"]
    assert (line["at"][:4], line["text"]) == ("2026", "10%\r2030-01-01T00:00:00Z forged")
    (line,) = (await ada.hear("log"))["lines"]
    assert line["text"] == "x" * 16 * 1024


@pytest.mark.parametrize(
    "message",
    [
        {"type": "open-pod", "namespace": "other", "name": "web"},
        {"type": "open-pod", "namespace": "other", "name": "web", "uid": UID},
        {"type": "open-list", "namespace": "other"},
        {"type": "open-log", "namespace": "other", "name": "web", "container": "app"},
        {"type": "open-written", "namespace": "other", "name": "web"},
    ],
)
async def test_other_peoples_namespaces_are_refused(ada: Page, message: dict[str, Any]) -> None:
    await ada.say(sub="x", **message)
    refused = await ada.hear("refused")
    assert refused["code"] == 403
    assert 'User "ada" cannot' in refused["message"]


@pytest.mark.parametrize("kind", ["open-pod", "open-log", "open-written"])
async def test_a_uid_of_somewhere_else_is_as_good_as_none(ada: Page, kind: str) -> None:
    foreign = pod()
    foreign["metadata"] |= {"namespace": "other", "uid": "foreign"}
    await write(foreign, 0, key=Key("main", "pods", "other", "web"))
    await ada.say(type=kind, sub="x", namespace="default", name="web", uid="foreign", container="app")
    assert (await ada.hear("refused"))["code"] == 404


async def test_strangers_get_no_further_than_the_close_code() -> None:
    nobody = Page(None)
    assert await nobody.connect()
    assert await nobody.closed() == consumers.NOT_LOGGED_IN
    for cluster in ("hidden", "absent"):
        page = await sync_to_async(lambda name=cluster: Page(person(f"bob-{name}"), name))()
        assert await page.connect()
        assert await page.closed() == consumers.NO_CLUSTER


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:9999", ""])
async def test_pages_of_other_origins_are_refused(origin: str) -> None:
    page = await sync_to_async(lambda: Page(person("ada"), origin=origin))()
    assert not await page.connect()


@pytest.mark.parametrize(
    "text",
    ["no json", "[]", json.dumps({"type": "drop-table"}), json.dumps({"type": "open-pod", "sub": "x"}), '{"a":' * 2000,
     json.dumps({"type": "open-list", "sub": 7, "namespace": "default"}), " " * 9000,
     json.dumps({"type": "open-log", "sub": "x", "namespace": "default", "name": "web", "container": ".."}),
     json.dumps({"type": "open-log", "sub": "x", "namespace": "default", "name": "web", "container": "a/b"}),
     json.dumps({"type": "open-list", "sub": "x", "namespace": "a\0b"}), json.dumps({"type": "open-list", "sub": "x", "namespace": "\ud800"})],
)  # fmt: skip
async def test_nonsense_closes_the_socket(ada: Page, text: str) -> None:
    await ada.send(text)
    assert await ada.closed() == consumers.NONSENSE


async def test_a_moment_that_is_none_is_refused(ada: Page) -> None:
    await write(pod(), 0)
    told = {"namespace": "default", "name": "web", "container": "app", "after": "9999-12-31T23:59:59-01:00"}
    await ada.say(type="open-log", sub="x", **told)
    assert (await ada.hear("refused", sub="x"))["code"] == 400


async def test_what_was_refused_is_not_counted_as_open(ada: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "_MOST_OPEN", 2)
    for number in range(5):
        await ada.say(type="open-list", sub=str(number), namespace="other")
        assert (await ada.hear("refused", sub=str(number)))["code"] == 403


async def test_a_flood_of_messages_closes_the_socket(ada: Page) -> None:
    for _ in range(130):
        await ada.say(type="close", sub="x")
    assert await ada.closed() == consumers.NONSENSE


async def test_turning_the_clock_is_told_at_once(ada: Page) -> None:
    await ada.hear("clock")
    await sync_to_async(lambda: clusters.set_paused("main", paused=True))()
    while not (await ada.hear("clock"))["paused"]:
        pass
    await sync_to_async(lambda: clusters.delete("main"))()
    assert await ada.closed() == consumers.NO_CLUSTER


async def test_who_loses_a_right_or_logs_out_is_shown_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "_HEARTBEAT", 0.05)
    ada = await sync_to_async(lambda: Page(person("ada")))()
    assert await ada.connect()
    await ada.hear("clock")
    await sync_to_async(lambda: get_user_model().objects.get(username="ada").grants.all().delete())()
    assert await ada.closed() == consumers.NOT_LOGGED_IN


async def test_a_binding_opens_the_socket_and_its_end_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "_HEARTBEAT", 0.05)
    kim = await sync_to_async(lambda: Page(get_user_model().objects.create_user("kim")))()
    assert await kim.connect()
    assert await kim.closed() == consumers.NO_CLUSTER
    group = "rbac.authorization.k8s.io"
    place = Key("main", f"rolebindings.{group}", "default", "b")
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "default", "uid": "uid-b"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "kim"}],
    }
    await write(binding, 0, key=place)
    kim = await sync_to_async(lambda: Page(get_user_model().objects.get(username="kim")))()
    assert await kim.connect()
    await kim.hear("hello")
    await kim.say(type="open-changes", sub="o", resources="pods,secrets")
    await kim.hear("changed")
    await write(pod(), 1)
    await kim.hear("changed")
    await kim.say(type="open-list", sub="l", namespace="default")
    assert (await kim.hear("rows"))["rows"]
    await sync_to_async(lambda: store.delete(place, at=at(2)))()
    assert await kim.closed() == consumers.NOT_LOGGED_IN


async def test_a_client_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "_SEND_TIMEOUT", 0.2)
    page = consumers.PageConsumer()
    codes: list[int] = []

    async def never(text: str) -> None:
        await asyncio.sleep(3600)

    async def close(code: int) -> None:
        codes.append(code)

    page.send, page.close, page.cluster, page.row, page.tasks = never, close, "main", None, {}
    page.identity = await sync_to_async(lambda: identity.of_user(person("ada")))()
    await page._serve({"type": "open-list", "sub": "l", "namespace": "default"})
    assert codes == [consumers.TOO_SLOW]


async def test_a_replay_tells_what_was_at_a_revision_and_no_more(ada: Page) -> None:
    await write(pod(), 0)
    await write(pod(phase="Running", state=RUNNING, ready=True), 2)
    rev = (await sync_to_async(lambda: store.get(POD))()).revision  # type: ignore[union-attr]
    early, late = (
        ProbeRow("main", UID, "app", 0, "liveness", at(second), 5.0, "success", 1, 1) for second in (1.5, 30)
    )
    await sync_to_async(lambda: history.record_probes([early, late]))()
    await write(pod(phase="Failed", state={"terminated": terminated(1, 0, 40)}), 40)
    await ada.say(type="open-pod", sub="p", namespace="default", name="web", uid=UID, rev=rev)
    past = await ada.hear("past")
    assert (past["rev"], past["at"]) == (rev, "2026-11-21T09:00:02.000Z")
    assert (await ada.hear("pod"))["pod"]["status"] == "Running"
    marks = (await ada.hear("marks"))["marks"]
    open_ones = {mark["lane"] for mark in marks if mark["end"] is None}
    assert open_ones == {"phase", "container/app"}
    assert [mark["rev"] < rev for mark in marks if mark["kind"] == "probe"] == [True]


async def test_lab_time_is_told_with_the_time_of_the_world(ada: Page) -> None:
    await write(pod(), 0)
    await ada.say(type="open-pod", sub="p", namespace="default", name="web")
    (point,) = (await ada.hear("times"))["points"]
    assert point[0] == at(0).timestamp() * 1000
    assert abs(point[1] - clock.wall_now().timestamp() * 1000) < 60_000


async def test_a_connection_that_ends_while_a_feed_is_being_closed_ends() -> None:
    page = consumers.PageConsumer()
    slow = asyncio.Event()

    async def feed() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await slow.wait()

    page.spaces, page.tasks = {}, {"p": asyncio.create_task(feed())}
    await asyncio.sleep(0)
    closing = asyncio.create_task(page._stop("p"))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    slow.set()


async def test_who_stops_before_the_hub_answers_leaves_no_reader_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = threading.Event(), threading.Event()
    real = row_watch.hub().subscribe_probes

    def slowly(*arguments: Any, **more: Any) -> Any:
        asked.set()
        answer.wait(60)
        return real(*arguments, **more)

    monkeypatch.setattr(hub.Hub, "subscribe_probes", lambda self, *arguments, **more: slowly(*arguments, **more))

    async def enter() -> None:
        async with row_watch.probes("main", UID, since=0):
            raise AssertionError("it was cancelled before")

    entering = asyncio.create_task(enter())
    await asyncio.to_thread(asked.wait, 60)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    answer.set()
    while row_watch.hub().readers():
        await asyncio.sleep(0.01)
