"""One pod, live: replays its history through `story`, then follows the log and sends marks and the head of the page.

Opened by `consumers` for each `open-pod`. One subscription for the namespace serves pod and Events alike, so that a single
revision says how far the client is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext

from podlab.apis import static_pods
from podlab.apis.types import Key, Manifest
from podlab.glance import summary
from podlab.glance.values import PodFacts
from podlab.registry import authorizer
from podlab.storage import history, log, pulls
from podlab.storage.history import ProbeRow
from podlab.storage.hub import End, Filter, hub
from podlab.storage.log import LogEntry
from podlab.storage.pulls import PullFilter, PullRow
from podlab.storage.watch import AsyncWatch, Batch, SlowReader
from podlab.timeline.messages import Mark, OpenPod
from podlab.timeline.outlet import Outlet, Refusal
from podlab.timeline.story import Story

_PAGE = 1000
_PROBE_BUFFER = 2000
_MARKS_A_MESSAGE = 400


@dataclass(frozen=True, slots=True)
class Past:
    """What the database had when the feed was opened; everything after `head` comes live."""

    uid: str
    runtime_uid: str  # another one for the mirror of a static pod: probes and runs are told under it
    entries: list[LogEntry]
    head: int
    probes: list[ProbeRow]
    runs: list[history.Run]
    pulls: list[PullRow]


def read_past(outlet: Outlet, message: OpenPod) -> Past:
    """Authorised by namespace and name; a uid of somewhere else is a 404, as if it did not exist."""
    namespace, name = message["namespace"], message["name"]
    client = outlet.client()
    request = authorizer.Attributes(
        verb="watch", resource="pods", cluster=outlet.cluster, namespace=namespace, name=name
    )
    authorizer.require(client.actor, request)
    head = log.head()
    uid = message.get("uid") or _present_uid(outlet, namespace, name)
    entries = [entry for entry in log.history_of(outlet.cluster, uid) if entry.key == _key(outlet, namespace, name)]
    if not entries:
        raise Refusal(404, gettext("There is no such pod."))
    events = _events(outlet.cluster, namespace, entries[0].revision - 1, head)
    merged = sorted([*entries, *events], key=lambda entry: entry.revision)
    runtime_uid = static_pods.runtime_uid(entries[-1].obj)
    return Past(
        uid=uid,
        runtime_uid=runtime_uid,
        entries=merged,
        head=max(head, entries[-1].revision),
        probes=history.probes_of(outlet.cluster, runtime_uid),
        runs=history.runs_of(outlet.cluster, runtime_uid),
        pulls=pulls.pulls_of(outlet.cluster, runtime_uid),
    )


def _key(outlet: Outlet, namespace: str, name: str) -> Key:
    return Key(outlet.cluster, "pods", namespace, name)


def _present_uid(outlet: Outlet, namespace: str, name: str) -> str:
    stored = outlet.client().find("pods", namespace, name)
    if stored is None:
        raise Refusal(404, gettext("There is no such pod."))
    return stored.uid


def _events(cluster: str, namespace: str, after: int, head: int) -> Iterable[LogEntry]:
    """Events of the namespace since the pod began; what was compacted is not told."""
    after = max(after, log.floor())
    while True:
        page = log.read_after(after, limit=_PAGE, upto=head, cluster=cluster, resource="events", namespace=namespace)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].revision


@dataclass
class PodFeed:
    outlet: Outlet
    message: OpenPod
    story: Story = field(init=False)
    _sent: PodFacts | None = None
    _pending: dict[str, Mark] = field(default_factory=dict)
    _probes: asyncio.Queue[list[ProbeRow] | None] = field(default_factory=lambda: asyncio.Queue(_PROBE_BUFFER))

    async def run(self) -> None:
        """Until the client closes it, the pod's cluster goes or the client is too slow (SlowReader)."""
        past = await self.outlet.in_thread(lambda: read_past(self.outlet, self.message))
        self.story = Story(past.uid, runtime_uid=past.runtime_uid, translate=gettext)
        for entry in past.entries:
            self.story.change(entry)
        self.story.probes(past.probes)
        self.story.runs(past.runs)
        self.story.pulls(past.pulls)
        self.story.revision = max(self.story.revision, past.head)
        await self._head()
        await self._send(self.story.since(self.message.get("since", 0), self.message.get("probes", 0)))
        wanted = Filter(cluster=self.outlet.cluster, namespace=self.message["namespace"])
        async with AsyncWatch(wanted, since=past.head) as watch, asyncio.TaskGroup() as group:
            group.create_task(self._follow_probes(past.runtime_uid))
            group.create_task(self._follow_pulls(past))
            await self._follow(watch)

    async def _follow(self, watch: AsyncWatch) -> None:
        async for item in watch:
            if not isinstance(item, Batch):
                self.story.revision = max(self.story.revision, item.revision)
                continue
            changed = self._fold(item.entries)
            if changed or self.story.gone:
                await self._learn_runs()
                await self._head()

    def _fold(self, entries: list[LogEntry]) -> bool:
        for entry in entries:
            if entry.key.resource == "events" or entry.uid == self.story.uid:
                self._pending |= {mark["id"]: mark for mark in self.story.change(entry)}
            self.story.revision = max(self.story.revision, entry.revision)
        return bool(self._pending)

    async def _learn_runs(self) -> None:
        """The history rows of runs that have begun or ended meanwhile: read at such moments only."""
        pending, self._pending = self._pending, {}
        if self.story.run_needed():
            uid = self.story.runtime_uid
            rows = await self.outlet.in_thread(lambda: history.runs_of(self.outlet.cluster, uid))
            pending |= {mark["id"]: mark for mark in self.story.runs(rows)}
        if pending:
            await self._send(list(pending.values()))

    # --- probes ----------------------------------------------------------------------------------------------------

    async def _follow_probes(self, uid: str) -> None:
        loop = asyncio.get_running_loop()

        def deliver(rows: list[ProbeRow]) -> None:
            loop.call_soon_threadsafe(self._queue, rows)

        def ended(reason: End) -> None:
            loop.call_soon_threadsafe(self._queue, None)

        seq = self.story.seq
        cluster = self.outlet.cluster
        subscription = await self.outlet.in_thread(
            lambda: hub().subscribe_probes(cluster, uid, seq, deliver, on_end=ended)
        )
        try:
            while (rows := await self._probes.get()) is not None:
                if marks := self.story.probes(rows):
                    await self._send(marks)
        finally:
            subscription.close()
        raise SlowReader

    async def _follow_pulls(self, past: Past) -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[list[PullRow]] = asyncio.Queue()
        wanted = PullFilter(self.outlet.cluster, past.runtime_uid)
        seq = max((row.seq for row in past.pulls), default=0)

        def deliver(rows: list[PullRow]) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, rows)

        subscription = await self.outlet.in_thread(lambda: hub().subscribe_pulls(wanted, seq, deliver))
        try:
            while True:
                if marks := self.story.pulls(await queue.get()):
                    await self._send(marks)
        finally:
            subscription.close()

    def _queue(self, rows: list[ProbeRow] | None) -> None:
        if self._probes.full():
            while not self._probes.empty():
                self._probes.get_nowait()
            rows = None
        self._probes.put_nowait(rows)

    # --- out -------------------------------------------------------------------------------------------------------

    async def _send(self, marks: list[Mark]) -> None:
        """At least one message, so that the client learns its revision."""
        sub = self.message["sub"]
        for start in range(0, max(len(marks), 1), _MARKS_A_MESSAGE):
            part = marks[start : start + _MARKS_A_MESSAGE]
            last = start + _MARKS_A_MESSAGE >= len(marks)
            # Until the last part the client knows only what it knew before.
            revision = self.story.revision if last else self.message.get("since", 0)
            seq = self.story.seq if last else self.message.get("probes", 0)
            await self.outlet.send_message(
                {"type": "marks", "sub": sub, "marks": part, "revision": revision, "seq": seq}
            )

    async def _head(self) -> None:
        pod = self.story.pod
        if pod is None:
            return
        facts = self._facts(pod)
        if facts != self._sent:
            self._sent = facts
            await self.outlet.send_message({"type": "pod", "sub": self.message["sub"], "pod": facts})

    def _facts(self, pod: Manifest) -> PodFacts:
        return summary.facts(pod, self.outlet.now(), gone=self.story.gone, translate=gettext)
