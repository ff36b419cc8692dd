"""All pods of a namespace on one axis, live: a story for each, sent packed and by windows of time.

Opened by `consumers` for each `open-space`; `look` and `tell` of the same `sub` come in through `ask`. The marks of the
window are sent first, then what changes, wherever it lies; a mark's sentence and evidence only when `tell` asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from django.utils.translation import gettext

from podlab.apis import static_pods, times
from podlab.apis.types import Manifest
from podlab.glance import summary
from podlab.glance.anatomy import instant
from podlab.storage import history, moments
from podlab.storage.history import ProbeRow
from podlab.storage.hub import Filter
from podlab.storage.log import LogEntry
from podlab.storage.pulls import PullRow
from podlab.storage.watch import AsyncWatch, Batch
from podlab.timeline import row_watch, space_past
from podlab.timeline.batches import Packer
from podlab.timeline.messages import Asking, Cell, Look, Mark, OpenSpace, Owner, Past, SpacePod, Tell
from podlab.timeline.outlet import Outlet, Refusal
from podlab.timeline.story import Story

_WINDOW = timedelta(minutes=15)  # back from now, when the client does not say
_AHEAD = timedelta(minutes=10)
_ROWS = 4000  # packed rows of one message
_STEP = 0.02  # of a pull's whole
_SLICE = 100  # changes between two looks at what else there is to do


@dataclass
class Told:
    """One pod: its story, its number in packed rows, what was said of it last."""

    number: int
    story: Story
    said: SpacePod | None = None


@dataclass
class SpaceFeed:
    outlet: Outlet
    message: OpenSpace
    most_ticks: int = space_past.MOST_TICKS  # probe results of one window; the newest are told
    _told: dict[str, Told] = field(default_factory=dict)
    _uids: dict[str, str] = field(default_factory=dict)  # what runs, probes and Events may call a pod → its uid
    _packer: Packer = field(default_factory=Packer)
    _sent: set[tuple[str, str]] = field(default_factory=set)  # (uid, id) of marks that the client has
    _ticked: list[tuple[datetime, datetime]] = field(default_factory=list)  # windows whose probes it has
    _asked: asyncio.Queue[Asking] = field(default_factory=lambda: asyncio.Queue(50))
    _at: datetime | None = None  # of a replay
    _shares: dict[tuple[str, str], float] = field(default_factory=dict)  # how far pulls under way were told to be

    def ask(self, message: Asking) -> bool:
        """Something that the client wants to know; False when it asks faster than it can be told."""
        if self._asked.full():
            return False
        self._asked.put_nowait(message)
        return True

    async def run(self) -> None:
        """Until the client closes it, the cluster goes or the client is too slow (SlowReader)."""
        past = await self.begin()
        if "rev" in self.message:
            await self._answer()
            return
        wanted = Filter(cluster=self.outlet.cluster, namespace=self.message["namespace"])
        async with AsyncWatch(wanted, since=past.head) as watch, asyncio.TaskGroup() as group:
            group.create_task(self._answer())
            group.create_task(self._follow_probes(past.seq))
            group.create_task(self._follow_pulls(past.pulls_seq))
            await self._follow(watch)

    async def begin(self) -> space_past.Read:
        """Tell the pods and the marks of the window; nothing of what comes later."""
        client, namespace, rev = self.outlet.client(), self.message["namespace"], self.message.get("rev")
        self._owners = space_past.Owners(client)
        past = await self.outlet.in_thread(lambda: space_past.read(client, namespace, rev))
        await self._begin(past, rev)
        return past

    async def tell_all(self) -> None:
        """The sentences and evidence of everything that was told, for whoever cannot ask later. After `begin`."""
        begin, end = self._window(self.message)
        rows = await self.outlet.in_thread(lambda: self._read_ticks(begin, end))
        found = [{**mark, "id": f"{uid}/{mark['id']}"} for uid, told in self._told.items() for mark in told.story.marks]
        for row in rows:
            uid = self._uids[row.pod_uid]
            mark = self._told[uid].story.one_probe(row)
            found.append({**mark, "id": f"{uid}/{mark['id']}"})
        await self.outlet.send_message({"type": "told", "sub": self.message["sub"], "marks": cast("list[Mark]", found)})

    def manifests(self) -> dict[str, Manifest]:
        """By uid, as they were last."""
        return {uid: told.story.pod for uid, told in self._told.items() if told.story.pod is not None}

    # --- the past --------------------------------------------------------------------------------------------------

    async def _begin(self, past: space_past.Read, rev: int | None) -> None:
        cluster = self.outlet.cluster
        if rev is not None:
            last = await self.outlet.in_thread(lambda: moments.moment_of(cluster, past.head))
            if last is None:
                raise Refusal(404, gettext("There is nothing at this revision."))
            self._at = moments.later_of(last.at, self.message.get("at"))
            told: Past = {"type": "past", "sub": self.message["sub"], "rev": past.head, "at": instant(self._at)}
            await self.outlet.send_message(told)
        for number, entry in enumerate(past.entries, 1):
            self._change(entry)
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        runs = past.runs if self._at is None else moments.known_at(past.runs, self._at)
        for run in runs:
            if run.pod_uid in self._uids:
                self._told[self._uids[run.pod_uid]].story.runs([run])
        self._pulled(past.pulls if self._at is None else moments.pulled_at(past.pulls, self._at))
        await self._say_pods(list(self._told), reset=True, left_out=past.left_out)
        begin, end = self._window(self.message)
        await self._show(begin, end)

    def _window(self, message: OpenSpace | Look) -> tuple[datetime, datetime]:
        now = self._at or self.outlet.now()
        begin, end = message.get("from"), message.get("to")
        if not isinstance(begin, str) or not isinstance(end, str):
            return now - _WINDOW, now + _AHEAD
        try:
            return times.parse(begin), times.parse(end)
        except ValueError:
            raise Refusal(400, gettext("A moment is written as 2006-01-02T15:04:05Z.")) from None

    def _change(self, entry: LogEntry) -> list[tuple[str, Mark]]:
        """The story that a change belongs to, told on; returns what is new, with the pod's uid."""
        if entry.key.resource == "events":
            about = str((entry.obj.get("involvedObject") or {}).get("uid") or "")
            uid = self._uids.get(about, "")
        elif entry.key.resource == "pods":
            uid = entry.uid
            if uid not in self._told:
                runtime_uid = static_pods.runtime_uid(entry.obj)
                story = Story(uid, cluster=self.outlet.cluster, runtime_uid=runtime_uid, translate=gettext)
                self._told[uid] = Told(len(self._told), story)
                self._uids |= {uid: uid, runtime_uid: uid}
        else:
            return []
        told = self._told.get(uid)
        return [] if told is None else [(uid, mark) for mark in told.story.change(entry)]

    # --- the present -----------------------------------------------------------------------------------------------

    async def _follow(self, watch: AsyncWatch) -> None:
        async for item in watch:
            if not isinstance(item, Batch):
                continue
            changed = [one for entry in item.entries for one in self._change(entry)]
            uids = {entry.uid for entry in item.entries if entry.key.resource == "pods"}
            changed += await self._learn_runs(uids)
            await self._say_pods([uid for uid in uids if uid in self._told], reset=False)
            await self._send_marks({(uid, mark["id"]): mark for uid, mark in changed})

    async def _learn_runs(self, uids: set[str]) -> list[tuple[str, Mark]]:
        needed = [uid for uid in uids if uid in self._told and self._told[uid].story.run_needed()]
        if not needed:
            return []
        cluster = self.outlet.cluster
        rows = await self.outlet.in_thread(
            lambda: {uid: history.runs_of(cluster, self._told[uid].story.runtime_uid) for uid in needed}
        )
        return [(uid, mark) for uid in needed for mark in self._told[uid].story.runs(rows[uid])]

    async def _follow_probes(self, seq: int) -> None:
        known = self._uids
        async with row_watch.probes(
            self.outlet.cluster, None, since=seq, wanted=lambda row: row.pod_uid in known
        ) as watch:
            async for rows in watch:
                await self._send_ticks(rows)

    async def _follow_pulls(self, seq: int) -> None:
        known = self._uids
        async with row_watch.pulls(
            self.outlet.cluster, None, since=seq, wanted=lambda row: row.pod_uid in known
        ) as watch:
            async for rows in watch:
                await self._send_marks(self._pulled(rows))

    def _pulled(self, rows: Iterable[PullRow]) -> dict[tuple[str, str], Mark]:
        """The stories know each step; of a pull under way only what moves it a little on its lane is worth a message."""
        told = [(self._uids[row.pod_uid], row) for row in rows if row.pod_uid in self._uids]
        marks = {(uid, mark["id"]): mark for uid, row in told for mark in self._told[uid].story.pulls([row])}
        return {place: mark for place, mark in marks.items() if self._moved(place, mark)}

    def _moved(self, place: tuple[str, str], mark: Mark) -> bool:
        before, share = self._shares.get(place), mark["share"] or 0.0
        if mark["end"] is not None:
            self._shares.pop(place, None)
            return True
        if before is not None and abs(share - before) < _STEP:
            return False
        self._shares[place] = share
        return True

    # --- questions -------------------------------------------------------------------------------------------------

    async def _answer(self) -> None:
        while True:
            message = await self._asked.get()
            if message["type"] == "look":
                await self._show(*self._window(message))
            else:
                await self._tell(message)

    async def _tell(self, message: Tell) -> None:
        found: list[Mark] = []
        for wanted in message["ids"]:
            uid, _, id = wanted.partition("/")
            told = self._told.get(uid)
            if told is None:
                continue
            mark = told.story.get(id) or await self._probe(told, id)
            if mark is not None:
                found.append({**mark, "id": wanted})
        await self.outlet.send_message({"type": "told", "sub": self.message["sub"], "marks": found})

    async def _probe(self, told: Told, id: str) -> Mark | None:
        """Stories here are told without probes, of which there are too many: one that is asked for is read."""
        kind, _, number = id.partition(":")
        if kind != "probe" or not number.isdecimal() or len(number) > 18:
            return None
        row = await self.outlet.in_thread(lambda: history.probe(self.outlet.cluster, int(number)))
        if row is None or row.pod_uid != told.story.runtime_uid:
            return None
        return told.story.one_probe(row)

    # --- out -------------------------------------------------------------------------------------------------------

    async def _show(self, begin: datetime, end: datetime) -> None:
        """All marks that touch the window and are not known yet."""
        first, last = instant(begin), instant(end)
        wanted = {
            (uid, mark["id"]): mark
            for uid, told in self._told.items()
            for mark in told.story.marks
            if mark["start"] <= last and (mark["end"] is None or mark["end"] >= first)
            if (uid, mark["id"]) not in self._sent
        }
        await self._send_marks(wanted)
        until = end if self._at is None else min(end, self._at)
        if not any(one <= begin and until <= other for one, other in self._ticked):
            await self._send_ticks(await self.outlet.in_thread(lambda: self._read_ticks(begin, end)))
            # What lies ahead comes by itself.
            self._ticked.append((begin, max(until, end)))
        await self._send([], [], [first, last])

    def _read_ticks(self, begin: datetime, end: datetime) -> list[ProbeRow]:
        until = end if self._at is None else min(end, self._at)
        return space_past.ticks(self.outlet.cluster, list(self._uids), begin, until, most=self.most_ticks)

    async def _send_marks(self, wanted: dict[tuple[str, str], Mark]) -> None:
        self._sent |= wanted.keys()
        marks = list(wanted.items())
        for start in range(0, len(marks), _ROWS):
            part = marks[start : start + _ROWS]
            await self._send([self._packer.mark(self._told[uid].number, mark) for (uid, _), mark in part], [], None)
            await asyncio.sleep(0)

    async def _send_ticks(self, rows: list[ProbeRow]) -> None:
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            await self._send(
                [], self._packer.ticks((self._told[self._uids[row.pod_uid]].number, row) for row in part), None
            )
            await asyncio.sleep(0)

    async def _send(
        self,
        marks: list[list[Cell]],
        ticks: list[list[Cell]],
        window: list[str] | None,
    ) -> None:
        words, sub = self._packer.new_words(), self.message["sub"]
        await self.outlet.send_message(
            {"type": "batch", "sub": sub, "words": words, "marks": marks, "ticks": ticks, "window": window}
        )

    async def _say_pods(self, uids: list[str], *, reset: bool, left_out: int = 0) -> None:
        fresh: list[SpacePod] = []
        pods = {uid: self._told[uid].story.pod for uid in uids}
        owners = await self.outlet.in_thread(
            lambda: {uid: self._owners.of(pod) for uid, pod in pods.items() if pod is not None}
        )
        for uid in uids:
            told, pod = self._told[uid], pods[uid]
            if pod is None:
                continue
            said = self._say_pod(told, pod, owners[uid])
            if said != told.said:
                told.said = said
                fresh.append(said)
        if fresh or reset:
            sub = self.message["sub"]
            await self.outlet.send_message(
                {"type": "pods", "sub": sub, "reset": reset, "pods": fresh, "left_out": left_out}
            )

    def _say_pod(self, told: Told, pod: Manifest, owners: list[Owner]) -> SpacePod:
        row = summary.row(pod, self._at or self.outlet.now())
        return {
            "number": told.number,
            "uid": told.story.uid,
            "name": row["name"],
            "created": row["created"],
            "gone": told.story.gone,
            "tone": "unknown" if told.story.gone else row["tone"],
            "status": "Deleted" if told.story.gone else row["cells"][2],
            "owners": owners,
            "containers": summary.lanes(pod),
        }
