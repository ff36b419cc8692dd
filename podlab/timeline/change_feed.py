"""A bell for pages that the server draws: it rings when something that the page shows has changed, and the page asks for
its parts again. Opened by `consumers` for each `open-changes`.

It carries nothing but a revision, and rings only for what the person may watch, so that nobody learns of anything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from podlab.registry import authorizer
from podlab.registry.identity import Identity
from podlab.storage import log
from podlab.storage.hub import Filter
from podlab.storage.log import LogEntry
from podlab.storage.watch import AsyncWatch, Batch
from podlab.timeline.messages import OpenChanges
from podlab.timeline.outlet import Outlet


@dataclass
class ChangeFeed:
    outlet: Outlet
    message: OpenChanges
    _allowed: dict[tuple[str, str], bool] = field(default_factory=dict)  # resource, namespace

    async def run(self) -> None:
        """Ring once at the beginning, for what happened before it; then until an exception ends it."""
        head = await self.outlet.in_thread(log.head)
        await self._ring(head)
        who = self.outlet.client().actor
        wanted = Filter(cluster=self.outlet.cluster, namespace=self.message.get("namespace") or None)
        async with AsyncWatch(wanted, since=head) as watch:
            async for item in watch:
                if not isinstance(item, Batch):
                    continue
                about = [entry for entry in item.entries if self._concerns(entry)]
                if about and await self._sees_any(about, who):
                    await self._ring(item.entries[-1].revision)

    def _concerns(self, entry: LogEntry) -> bool:
        return entry.key.resource in self._resources and concerns(entry, self.message)

    async def _sees_any(self, entries: list[LogEntry], who: Identity) -> bool:
        if all((entry.key.resource, entry.key.namespace) in self._allowed for entry in entries):
            return any(self._may(entry, who) for entry in entries)
        return await self.outlet.in_thread(lambda: any(self._may(entry, who) for entry in entries))

    @cached_property
    def _resources(self) -> set[str]:
        return set(self.message["resources"].split(","))

    def _may(self, entry: LogEntry, who: Identity) -> bool:
        place = (entry.key.resource, entry.key.namespace)
        if place not in self._allowed:
            self._allowed[place] = authorizer.allowed(
                who, "watch", entry.key.resource, cluster=self.outlet.cluster, namespace=entry.key.namespace
            )
        return self._allowed[place]

    async def _ring(self, revision: int) -> None:
        await self.outlet.send_message({"type": "changed", "sub": self.message["sub"], "revision": revision})


def concerns(entry: LogEntry, message: OpenChanges) -> bool:
    """Whether the change is about what the page shows: an object of that name; the object with that uid or an Event about
    it; that node or a pod that is, or was, on it. What the message does not name does not matter. Pure."""
    if (name := message.get("name")) and entry.key.name != name:
        return False
    if uid := message.get("uid"):
        about = (entry.obj.get("involvedObject") or {}).get("uid")
        return uid in (entry.uid, about)
    if node := message.get("node"):
        if entry.key.resource == "nodes":
            return entry.key.name == node
        return any(((obj or {}).get("spec") or {}).get("nodeName") == node for obj in (entry.obj, entry.prev))
    return True
