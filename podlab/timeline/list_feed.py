"""The pods of a namespace, live: rows as kubectl would print them. Opened by `consumers` for an `open-list`;
`object_feed` does the same for other kinds."""

from __future__ import annotations

from podlab.glance import summary
from podlab.glance.values import Row
from podlab.registry.listing import Query
from podlab.registry.operations import ListPage
from podlab.storage.log import LogEntry
from podlab.storage.watch import AsyncWatch, Batch
from podlab.timeline.messages import OpenList
from podlab.timeline.outlet import Outlet


async def feed(outlet: Outlet, message: OpenList) -> None:
    """Send the whole list, then what changes; only that to a client that says since when. Ends only by an exception (refused,
    too slow, cluster gone, compacted)."""
    namespace, labels = message["namespace"], message.get("labels", "")

    def read() -> tuple[Query, ListPage | None]:
        client = outlet.client()
        # Listing and following are different verbs.
        query = client.watch("pods", namespace, label_selector=labels)
        return query, None if "since" in message else client.list("pods", namespace, label_selector=labels)

    query, page = await outlet.in_thread(read)
    if page is not None:
        now = outlet.now()
        await _send(outlet, message, [summary.row(item.obj, now) for item in page.items], [], page.revision, reset=True)
    async with AsyncWatch(query.wanted, since=message["since"] if page is None else page.revision) as watch:
        async for item in watch:
            if isinstance(item, Batch):
                await _changes(outlet, message, query, item.entries)


async def _changes(outlet: Outlet, message: OpenList, query: Query, entries: list[LogEntry]) -> None:
    """Only the last state of each pod in the batch matters. A deleted pod's name may be back under another uid; one that the
    selector fits no longer is as good as deleted."""
    latest = {entry.uid: entry for entry in entries}
    now = outlet.now()
    there = {uid for uid, entry in latest.items() if entry.type != "DELETED" and query.matches(entry.obj)}
    rows = [summary.row(entry.obj, now) for uid, entry in latest.items() if uid in there]
    removed = [uid for uid in latest if uid not in there]
    await _send(outlet, message, rows, removed, entries[-1].revision, reset=False)


async def _send(
    outlet: Outlet, message: OpenList, rows: list[Row], removed: list[str], revision: int, *, reset: bool
) -> None:
    await outlet.send_message(
        {
            "type": "rows",
            "sub": message["sub"],
            "reset": reset,
            "rows": rows,
            "removed": removed,
            "revision": revision,
        }
    )
