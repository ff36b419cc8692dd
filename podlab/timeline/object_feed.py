"""The objects of any kind but pods, live: rows with kubectl's own cells. Opened by `consumers` for an `open-list` that names
a resource; `list_feed` does the same for pods.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext

from podlab.apis import scheme
from podlab.apis.scheme import Resource
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.glance import listing
from podlab.glance.values import ObjectRow
from podlab.registry.client import Client
from podlab.storage.hub import Filter
from podlab.storage.log import LogEntry
from podlab.storage.watch import AsyncWatch, Batch
from podlab.timeline.messages import OpenList
from podlab.timeline.outlet import Outlet, Refusal


@dataclass(frozen=True, slots=True)
class _Begin:
    items: list[Manifest]
    wanted: Filter
    revision: int
    slices: dict[str, Manifest] | None  # by uid; None: there are none to follow, or the person may not see them
    slices_at: int = 0


@dataclass
class ObjectFeed:
    outlet: Outlet
    message: OpenList
    kind: Resource = field(init=False)
    _objects: dict[str, Manifest] = field(default_factory=dict)  # by name; kept for services only
    _slices: dict[str, Manifest] = field(default_factory=dict)
    _endpoints: dict[str, str] = field(default_factory=dict)
    _revision: int = 0

    async def run(self) -> None:
        """Send the whole list, then what changes. Ends only by an exception (refused, too slow, cluster gone)."""
        self.kind = _kind(self.message)
        begin = await self.outlet.in_thread(self._read)
        self._revision = begin.revision
        if begin.slices is not None:
            self._slices = begin.slices
            self._objects = {obj["metadata"]["name"]: obj for obj in begin.items}
            self._endpoints = listing.endpoints_of(self._slices.values(), gettext)
        await self._send(begin.items, [], reset=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(begin))
            if begin.slices is not None:
                group.create_task(self._follow_slices(begin.slices_at))

    def _read(self) -> _Begin:
        client, namespace = self.outlet.client(), self.message["namespace"] or None
        query = client.watch(self.kind.key, namespace)  # listing and following are different verbs
        page = client.list(self.kind.key, namespace)
        items = [item.obj for item in page.items]
        slices = _slices(client, namespace) if listing.with_endpoints(self.kind) else None
        if slices is None:
            return _Begin(items, query.wanted, page.revision, None)
        return _Begin(items, query.wanted, page.revision, *slices)

    async def _follow(self, begin: _Begin) -> None:
        async with AsyncWatch(begin.wanted, since=begin.revision) as watch:
            async for item in watch:
                if isinstance(item, Batch):
                    await self._changes(item.entries)

    async def _changes(self, entries: list[LogEntry]) -> None:
        """Only the last state of each object in the batch matters. A deleted one's name may be back under another uid."""
        latest = {entry.uid: entry for entry in entries}
        self._revision = entries[-1].revision
        living = [entry.obj for entry in latest.values() if entry.type != "DELETED"]
        removed = [uid for uid, entry in latest.items() if entry.type == "DELETED"]
        if listing.with_endpoints(self.kind):
            self._objects = {name: obj for name, obj in self._objects.items() if obj["metadata"]["uid"] not in removed}
            self._objects |= {obj["metadata"]["name"]: obj for obj in living}
        await self._send(living, removed, reset=False)

    async def _follow_slices(self, since: int) -> None:
        wanted = Filter(cluster=self.outlet.cluster, resource=listing.SLICES, namespace=self.message["namespace"])
        async with AsyncWatch(wanted, since=since) as watch:
            async for item in watch:
                if isinstance(item, Batch):
                    await self._learn(item.entries)

    async def _learn(self, entries: list[LogEntry]) -> None:
        """Send the services again whose endpoints are others now."""
        for entry in entries:
            if entry.type == "DELETED":
                self._slices.pop(entry.uid, None)
            else:
                self._slices[entry.uid] = entry.obj
        before, self._endpoints = self._endpoints, listing.endpoints_of(self._slices.values(), gettext)
        changed = {
            name for name in before.keys() | self._endpoints.keys() if before.get(name) != self._endpoints.get(name)
        }
        if told := [self._objects[name] for name in sorted(changed & self._objects.keys())]:
            await self._send(told, [], reset=False)

    async def _send(self, items: Iterable[Manifest], removed: list[str], *, reset: bool) -> None:
        now = self.outlet.now()
        rows: list[ObjectRow] = [listing.row(self.kind, obj, now, self._endpoints) for obj in items]
        await self.outlet.send_message(
            {
                "type": "objects",
                "sub": self.message["sub"],
                "reset": reset,
                "rows": rows,
                "removed": removed,
                "revision": self._revision,
            }
        )


def _kind(message: OpenList) -> Resource:
    found = scheme.by_key(message.get("resource", ""))
    if found is None or not {"list", "watch"} <= set(found.verbs) or found.namespaced != bool(message["namespace"]):
        raise Refusal(404, gettext("This lab serves no such kind."))
    return found


def _slices(client: Client, namespace: str | None) -> tuple[dict[str, Manifest], int] | None:
    try:
        client.watch(listing.SLICES, namespace)
        page = client.list(listing.SLICES, namespace)
    except ApiError as error:
        if error.code == 403:
            return None
        raise
    return {item.uid: item.obj for item in page.items}, page.revision
