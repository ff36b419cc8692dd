"""One pod, live: replays its history through `story`, then follows the log and sends marks and the head of the page.

Opened by `consumers` for each `open-pod`. One subscription for the namespace serves pod and Events alike, so that a single
revision says how far the client is.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext

from podlab.apis.types import Manifest
from podlab.glance import anatomy, summary
from podlab.glance.values import PodFacts
from podlab.storage import history
from podlab.storage.hub import Filter
from podlab.storage.log import LogEntry
from podlab.storage.watch import AsyncWatch, Batch
from podlab.timeline import row_watch
from podlab.timeline.messages import Mark, OpenPod
from podlab.timeline.messages import Past as Told
from podlab.timeline.outlet import Outlet
from podlab.timeline.pod_past import ABOUT_PODS, Past, read_past
from podlab.timeline.story import Story
from podlab.timeline.time_line import TimeLine

_MARKS_A_MESSAGE = 400


@dataclass
class PodFeed:
    outlet: Outlet
    message: OpenPod
    story: Story = field(init=False)
    _sent: PodFacts | None = None
    _at: datetime | None = None  # of a replay
    _line: TimeLine = field(default_factory=TimeLine)
    _pointed: list[list[int]] = field(default_factory=list)
    _pending: dict[str, Mark] = field(default_factory=dict)

    async def run(self) -> None:
        """Until the client closes it, the pod's cluster goes or the client is too slow (SlowReader)."""
        past = await self.begin()
        if past.at is not None:
            return
        wanted = Filter(cluster=self.outlet.cluster, namespace=self.message["namespace"])
        async with AsyncWatch(wanted, since=past.head) as watch, asyncio.TaskGroup() as group:
            group.create_task(self._follow_probes(past.runtime_uid))
            group.create_task(self._follow_pulls(past))
            await self._follow(watch)

    async def begin(self) -> Past:
        """Tell everything that the client does not have; nothing of what comes later."""
        past = await self.outlet.in_thread(lambda: read_past(self.outlet, self.message))
        self.story = Story(past.uid, cluster=self.outlet.cluster, runtime_uid=past.runtime_uid, translate=gettext)
        self._replay(past)
        if past.at is not None:
            await self._tell_past(past, past.at)
            return past
        await self._head()
        await self._tell_times()
        await self._send(self.story.since(self.message.get("since", 0), self.message.get("probes", 0)))
        return past

    def _replay(self, past: Past) -> None:
        """Changes and probe results in the order of their time, so that each result knows the revision it came at."""
        results = iter(past.probes)
        result = next(results, None)
        for entry in past.entries:
            while result is not None and result.at < entry.at:
                self.story.probes([result])
                result = next(results, None)
            self.story.change(entry)
            self._line.put(entry.at, entry.wall)
        self.story.probes([result, *results] if result is not None else ())
        self.story.runs(past.runs)
        self.story.pulls(past.pulls)
        self.story.revision = max(self.story.revision, past.head)

    async def _tell_past(self, past: Past, at: datetime) -> None:
        """What was at that revision, and no more."""
        self._at = at
        told: Told = {"type": "past", "sub": self.message["sub"], "rev": past.head, "at": anatomy.instant(at)}
        await self.outlet.send_message(told)
        await self._head()
        await self._tell_times()
        await self._send(self.story.marks)

    async def _tell_times(self) -> None:
        """Only where lab time is not the time of the world."""
        points = self._line.points()
        if points != self._pointed:
            self._pointed = points
            await self.outlet.send_message({"type": "times", "sub": self.message["sub"], "points": points})

    async def _follow(self, watch: AsyncWatch) -> None:
        async for item in watch:
            if not isinstance(item, Batch):
                self.story.revision = max(self.story.revision, item.revision)
                continue
            changed = self._fold(item.entries)
            if changed or self.story.gone:
                await self._learn_runs()
                await self._head()
                await self._tell_times()

    def _fold(self, entries: list[LogEntry]) -> bool:
        for entry in entries:
            if entry.key.resource in ABOUT_PODS or entry.uid == self.story.uid:
                self._pending |= {mark["id"]: mark for mark in self.story.change(entry)}
                self._line.put(entry.at, entry.wall)
            self.story.revision = max(self.story.revision, entry.revision)
        return bool(self._pending)

    async def _learn_runs(self) -> None:
        """The history rows of runs that have begun or ended meanwhile: read at such moments only."""
        # What is known is shown at once: with many viewers the reading takes longer than all the rest.
        pending, self._pending = self._pending, {}
        if pending:
            await self._send(list(pending.values()))
        if self.story.run_needed():
            uid = self.story.runtime_uid
            rows = await self.outlet.in_thread(lambda: history.runs_of(self.outlet.cluster, uid))
            if marks := self.story.runs(rows):
                await self._send(marks)

    # --- probes ----------------------------------------------------------------------------------------------------

    async def _follow_probes(self, uid: str) -> None:
        async with row_watch.probes(self.outlet.cluster, uid, since=self.story.seq) as watch:
            async for rows in watch:
                if marks := self.story.probes(rows):
                    await self._send(marks)

    async def _follow_pulls(self, past: Past) -> None:
        since = max((row.seq for row in past.pulls), default=0)
        async with row_watch.pulls(self.outlet.cluster, past.runtime_uid, since=since) as watch:
            async for rows in watch:
                if marks := self.story.pulls(rows):
                    await self._send(marks)

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
        return summary.facts(pod, self._at or self.outlet.now(), gone=self.story.gone, translate=gettext)
