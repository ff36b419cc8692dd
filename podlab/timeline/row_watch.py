"""Probe results or image pulls as they are recorded, for one feed: what `storage.watch.AsyncWatch` is for the change log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from django.db import connections

from podlab.storage.history import ProbeRow
from podlab.storage.hub import End, Subscription, hub
from podlab.storage.pulls import PullFilter, PullRow
from podlab.storage.watch import SlowReader

R = TypeVar("R")
Subscribe = Callable[[Callable[[list[R]], None], Callable[[End], None]], Subscription[R]]


class RowWatch(Generic[R]):
    """`async with probes(cluster, uid, since=seq) as watch: async for rows in watch: …`

    `wanted` chooses among the rows. Iterating gives non-empty lists in order and raises SlowReader when rows outran the
    reader by `buffer` lists or the hub ended. Leaving, also by cancellation, unsubscribes.
    """

    def __init__(self, subscribe: Subscribe[R], wanted: Callable[[R], bool], buffer: int = 2000) -> None:
        self._subscribe_to, self._wanted = subscribe, wanted
        self._rows: asyncio.Queue[list[R] | None] = asyncio.Queue(buffer)
        self._subscription: Subscription[R] | None = None

    async def __aenter__(self) -> RowWatch[R]:
        self._loop = asyncio.get_running_loop()
        subscribing = asyncio.ensure_future(asyncio.to_thread(self._subscribe))
        try:
            self._subscription = await asyncio.shield(subscribing)
        except asyncio.CancelledError:
            # The thread goes on and may have subscribed by now.
            subscribing.add_done_callback(_close_result)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._subscription is not None:
            self._subscription.close()

    def __aiter__(self) -> RowWatch[R]:
        return self

    async def __anext__(self) -> list[R]:
        rows = await self._rows.get()
        if rows is None:
            raise SlowReader
        return rows

    def _subscribe(self) -> Subscription[R]:
        try:
            return self._subscribe_to(self._deliver, self._ended)
        finally:
            connections.close_all()  # of this pool thread, which nobody else tidies

    def _deliver(self, rows: list[R]) -> None:
        if chosen := [row for row in rows if self._wanted(row)]:
            self._loop.call_soon_threadsafe(self._queue, chosen)

    def _ended(self, reason: End) -> None:
        self._loop.call_soon_threadsafe(self._queue, None)

    def _queue(self, rows: list[R] | None) -> None:
        if self._rows.full():
            while not self._rows.empty():
                self._rows.get_nowait()
            rows = None
        self._rows.put_nowait(rows)


def probes(
    cluster: str, uid: str | None, *, since: int, wanted: Callable[[ProbeRow], bool] = lambda row: True
) -> RowWatch[ProbeRow]:
    """`uid` None = of all pods."""
    return RowWatch(lambda deliver, ended: hub().subscribe_probes(cluster, uid, since, deliver, on_end=ended), wanted)


def pulls(
    cluster: str, uid: str | None, *, since: int, wanted: Callable[[PullRow], bool] = lambda row: True
) -> RowWatch[PullRow]:
    """The newest state of each pull that changed."""
    chosen = PullFilter(cluster, uid)
    return RowWatch(lambda deliver, ended: hub().subscribe_pulls(chosen, since, deliver, on_end=ended), wanted)


def _close_result(subscribing: asyncio.Future[Subscription[R]]) -> None:
    if not subscribing.cancelled() and subscribing.exception() is None:
        subscribing.result().close()
