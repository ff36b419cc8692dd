"""The asyncio side: batches, bookmarks, slow readers, cancellation, selectors."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.db import connections
from storage_samples import AT, make_pod, pod_key

from podlab.apis.types import Manifest
from podlab.storage import compaction, log, store
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.hub import End, Filter, Hub
from podlab.storage.watch import AsyncWatch, Batch, Bookmark, SlowReader, WatchEnded, watch_events

pytestmark = pytest.mark.usefixtures("main_cluster")


async def write(*names: str) -> int:
    """Create pods as another thread of the process would; returns the last revision."""

    def run() -> int:
        try:
            return [store.create(pod_key(name), make_pod(name), at=AT).revision for name in names][-1]
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


async def next_names(watch: AsyncWatch, count: int) -> list[str]:
    names: list[str] = []
    async with asyncio.timeout(20):
        while len(names) < count:
            item = await anext(watch)
            if isinstance(item, Batch):
                names += [entry.key.name for entry in item.entries]
    return names


async def test_a_watch_replays_and_goes_on_live(own_hub: Hub) -> None:
    last = await write("a", "b", "c")
    async with AsyncWatch(Filter(cluster="main"), since=last - 2, hub=lambda: own_hub) as watch:
        assert await next_names(watch, 2) == ["b", "c"]
        await write("d")
        assert await next_names(watch, 1) == ["d"]
        assert watch.position == last + 1


async def test_silence_gives_bookmarks_that_move_on(own_hub: Hub) -> None:
    last = await write("a")
    wanted = Filter(cluster="main", name="never")
    async with AsyncWatch(wanted, since=last, heartbeat=0.01, hub=lambda: own_hub) as watch:
        assert await anext(watch) == Bookmark(last)
        moved = await write("b", "c")
        async with asyncio.timeout(20):
            while (item := await anext(watch)) != Bookmark(moved):
                assert item == Bookmark(last) or item == Bookmark(moved - 1)


async def test_a_bookmark_is_neither_ahead_of_nor_behind_what_was_said(own_hub: Hub) -> None:
    start = await write("start")
    async with AsyncWatch(Filter(cluster="main"), since=start, heartbeat=0.0005, hub=lambda: own_hub) as watch:
        writing = asyncio.ensure_future(write(*(f"p{number}" for number in range(100))))
        seen = start
        async with asyncio.timeout(30):
            while seen < start + 100:
                item = await anext(watch)
                if isinstance(item, Bookmark):
                    assert item.revision == seen
                else:
                    for entry in item.entries:
                        assert entry.revision == seen + 1
                        seen = entry.revision
        await writing


async def test_a_long_replay_waits_for_its_reader(own_hub: Hub) -> None:
    last = await write(*(f"p{number}" for number in range(60)))
    async with AsyncWatch(Filter(cluster="main"), since=last - 60, buffer=10, hub=lambda: own_hub) as watch:
        assert await next_names(watch, 60) == [f"p{number}" for number in range(60)]


async def test_a_reader_that_does_not_keep_up_is_dropped(own_hub: Hub) -> None:
    start = await write("start")
    async with AsyncWatch(Filter(cluster="main"), since=start, buffer=5, hub=lambda: own_hub) as watch:
        await write("first")
        assert await next_names(watch, 1) == ["first"]
        # Nobody reads meanwhile.
        async with asyncio.timeout(20):
            number = 0
            while own_hub.readers():
                number += 1
                await write(f"p{number}")
        names = await next_names(watch, 1)
        assert names[0] == "p1", "what had arrived is still given"
        with pytest.raises(SlowReader):
            await anext(watch)


async def test_leaving_by_cancellation_unsubscribes(own_hub: Hub) -> None:
    start = await write("start")
    entered = asyncio.Event()

    async def follow() -> None:
        async with AsyncWatch(Filter(), since=start, hub=lambda: own_hub) as watch:
            entered.set()
            async for _ in watch:
                pass

    following = asyncio.ensure_future(follow())
    await asyncio.wait_for(entered.wait(), 20)
    assert own_hub.readers() == 1
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert own_hub.readers() == 0


async def test_cancellation_while_entering_leaves_no_subscription(own_hub: Hub) -> None:
    start = await write("start")
    for _ in range(20):
        watch = AsyncWatch(Filter(), since=start, hub=lambda: own_hub)
        entering = asyncio.ensure_future(watch.__aenter__())
        await asyncio.sleep(0)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
    async with asyncio.timeout(20):
        while own_hub.readers():
            await asyncio.sleep(0.01)


async def test_the_end_of_the_hub_ends_the_watch(own_hub: Hub) -> None:
    start = await write("start")
    async with AsyncWatch(Filter(), since=start, hub=lambda: own_hub) as watch:
        await asyncio.to_thread(own_hub.close)
        with pytest.raises(WatchEnded) as ended:
            await asyncio.wait_for(anext(watch), 20)
    assert ended.value.reason is End.CLOSED


async def test_entering_refuses_revisions_that_cannot_be_served(own_hub: Hub) -> None:
    last = await write("a", "b", "c")

    def compact() -> None:
        try:
            compaction.compact(keep=1)
        finally:
            connections.close_all()

    await asyncio.to_thread(compact)
    with pytest.raises(Compacted):
        await AsyncWatch(Filter(), since=last - 2, hub=lambda: own_hub).__aenter__()
    with pytest.raises(FutureRevision):
        await AsyncWatch(Filter(), since=last + 1, hub=lambda: own_hub).__aenter__()


BLUE, RED = {"colour": "blue"}, {"colour": "red"}


def is_blue(obj: Manifest) -> bool:
    return bool((obj["metadata"].get("labels") or {}).get("colour") == "blue")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(None, BLUE, "ADDED", id="it is created and matches"),
        pytest.param(None, RED, None, id="it is created and does not match"),
        pytest.param(RED, BLUE, "ADDED", id="it begins to match"),
        pytest.param(BLUE, {**BLUE, "more": "1"}, "MODIFIED", id="it changes and matches still"),
        pytest.param(BLUE, RED, "DELETED", id="it ceases to match"),
        pytest.param(RED, {**RED, "more": "1"}, None, id="it changes and never matched"),
        pytest.param(BLUE, None, "DELETED", id="it is deleted and matched"),
        pytest.param(RED, None, None, id="it is deleted and did not match"),
    ],
)
def test_a_selector_sees_objects_come_and_go(
    before: dict[str, str] | None, after: dict[str, str] | None, said: str | None
) -> None:
    start = log.head()
    if before is not None:
        start = store.create(pod_key(), make_pod(uid="u", labels=before), at=AT).revision
    if after is None:
        store.delete(pod_key(), at=AT)
    elif before is None:
        store.create(pod_key(), make_pod(uid="u", labels=after), at=AT)
    else:
        store.update(pod_key(), make_pod(uid="u", labels=after), expect=None, at=AT)
    (entry,) = log.read_after(start)
    events = list(watch_events([entry], is_blue))
    assert [event.type for event in events] == ([] if said is None else [said])
    for event in events:
        obj: dict[str, Any] = json.loads(event.body)
        assert is_blue(obj), "the object is shown as it matched"
        assert obj["metadata"]["resourceVersion"] == str(entry.revision)
    (plain,) = watch_events([entry])
    assert (plain.type, plain.body) == (entry.type, entry.body)
