"""The pods of a namespace, live: rows as kubectl would print them. Opened by `consumers` for each `open-list`."""

from __future__ import annotations

from podlab.glance import summary
from podlab.glance.values import Row
from podlab.registry.operations import ListPage
from podlab.storage.hub import Filter
from podlab.storage.log import LogEntry
from podlab.storage.watch import AsyncWatch, Batch
from podlab.timeline.messages import OpenList
from podlab.timeline.outlet import Outlet


async def feed(outlet: Outlet, message: OpenList) -> None:
    """Send the whole list, then what changes. Ends only by an exception (refused, too slow, cluster gone)."""
    namespace = message["namespace"]

    def read() -> ListPage:
        client = outlet.client()
        client.watch("pods", namespace)  # listing and following are different verbs
        return client.list("pods", namespace)

    page = await outlet.in_thread(read)
    now = outlet.now()
    await _send(outlet, message, [summary.row(item.obj, now) for item in page.items], [], page.revision, reset=True)
    wanted = Filter(cluster=outlet.cluster, resource="pods", namespace=namespace)
    async with AsyncWatch(wanted, since=page.revision) as watch:
        async for item in watch:
            if isinstance(item, Batch):
                await _changes(outlet, message, item.entries)


async def _changes(outlet: Outlet, message: OpenList, entries: list[LogEntry]) -> None:
    """Only the last state of each pod in the batch matters. A deleted pod's name may be back under another uid."""
    latest = {entry.uid: entry for entry in entries}
    now = outlet.now()
    rows = [summary.row(entry.obj, now) for entry in latest.values() if entry.type != "DELETED"]
    removed = [uid for uid, entry in latest.items() if entry.type == "DELETED"]
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
