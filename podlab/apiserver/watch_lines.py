"""The events of a watch as lines, in the representation that its client asked for. `watch_stream` sends them.

Watchers of one kind in one representation share what is rendered: a change costs one rendering and one hop to a thread,
however many watch. Plain JSON is passed on as it is stored.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from podlab.apis import conversion
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apiserver import pool, responses, table
from podlab.apiserver.calls import Call
from podlab.apiserver.negotiation import TABLE
from podlab.clock import monotonic
from podlab.storage.objects import Stored, decode
from podlab.storage.watch import WatchEvent

_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}
_NO_TIME = datetime.fromtimestamp(0, UTC)  # for what has no age
_REMEMBERED = 512
_FRESH = 0.5  # seconds; a Table tells ages, so that a line is good for those who watch now

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Event:
    """`obj` is the decoded body if somebody has it already."""

    type: str
    body: str
    uid: str
    revision: int
    obj: Manifest | None = None


class Renderer:
    """For one watcher. `now` is a query: it is asked on a pool thread, and only for what tells ages."""

    def __init__(self, call: Call, now: Clock, *, bookmarks: bool, marks_end: bool) -> None:
        self._call = call
        self._now = now
        self._bookmarks = bookmarks
        self._marks_end = marks_end
        self._columns = True  # the definitions go with the first event only
        self._resource = call.place.resource
        self._plain = not call.accept.kind and not self._resource.stored_as
        self._include = table.include_of(call.query.get("includeObject", ""))

    async def initial(self, items: Sequence[Stored], revision: int) -> bytes:
        """What is there when the watch begins; nobody else needs these lines at this moment."""
        if self._plain:
            lines = b"".join(_line("ADDED", item.body.encode()) for item in items)
        else:
            events = [Event("ADDED", item.body, item.uid, item.revision) for item in items]
            lines = b"".join(await pool.run(lambda: self._rendered(events, [self._first() for _ in events])))
        if self._marks_end and self._bookmarks:
            lines += self.bookmark(revision, _INITIAL_EVENTS_END)
        return lines

    async def events(self, events: Iterable[WatchEvent]) -> bytes:
        if self._plain:
            return b"".join(_line(event.type, event.body.encode()) for event in events)
        found = []
        for event in events:
            decoded = event.entry.obj if event.body is event.entry.body else None
            found.append(Event(event.type, event.body, event.entry.uid, event.entry.revision, decoded))
        return await self._shared(found) if found else b""

    async def _shared(self, events: Sequence[Event]) -> bytes:
        firsts = [self._first() for _ in events]
        keys = [self._key(event, first) for event, first in zip(events, firsts, strict=True)]
        lines = [_lines.find(key) for key in keys]
        missing = [number for number, line in enumerate(lines) if line is None]
        if missing:
            wanted, columns = [events[number] for number in missing], [firsts[number] for number in missing]
            rendering = asyncio.ensure_future(pool.run(lambda: self._rendered(wanted, columns)))
            for position, number in enumerate(missing):
                lines[number] = _lines.keep(keys[number], _Line(rendering, position, monotonic()))
        # Shielded: a watcher that leaves must not take the others' lines along.
        return b"".join([(await asyncio.shield(line.rendering))[line.position] for line in lines if line is not None])

    def _first(self) -> bool:
        first, self._columns = self._columns, False
        return first

    def _key(self, event: Event, columns: bool) -> tuple[object, ...]:
        accept = self._call.accept
        return (
            *(id(asyncio.get_running_loop()), self._resource.handle, event.uid, event.revision, event.type),
            *(accept.kind, accept.version, self._include, columns),
        )

    def _rendered(self, events: Sequence[Event], columns: Sequence[bool]) -> list[bytes]:
        now = self._now()
        pairs = zip(events, columns, strict=True)
        return [_line(event.type, responses.dump(self._transformed(event, now, columns=more))) for event, more in pairs]

    def _transformed(self, event: Event, now: datetime, *, columns: bool) -> Manifest:
        obj = conversion.from_stored(self._resource, event.obj or decode(event.body))
        if not self._call.accept.kind:
            return obj
        if self._call.accept.kind != TABLE:
            return table.partial(obj, self._call.accept.version)
        return table.table(
            self._call.place.resource,
            [obj],
            {"resourceVersion": obj["metadata"].get("resourceVersion", "")},
            version=self._call.accept.version,
            include=self._include,
            now=now,
            columns=columns,
        )

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        resource = self._call.place.resource
        metadata: Manifest = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        obj: Manifest = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._call.accept.kind == TABLE:
            obj = self._table_of(obj, annotated=bool(annotations))
        elif self._call.accept.kind:
            obj = table.partial(obj, self._call.accept.version)
        return _line("BOOKMARK", responses.dump(obj))

    def _table_of(self, obj: Manifest, *, annotated: bool) -> Manifest:
        """A row like any other, of an object that has nothing but its revision. The annotation always goes along."""
        return table.table(
            self._resource,
            [obj],
            {"resourceVersion": obj["metadata"]["resourceVersion"]},
            version=self._call.accept.version,
            include="Metadata" if annotated and self._include == "None" else self._include,
            now=_NO_TIME,
            columns=self._first(),
        )

    def error(self, error: ApiError) -> bytes:
        return _line("ERROR", responses.dump(error.to_status()))


def _line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)


@dataclass(frozen=True, slots=True)
class _Line:
    """One of the lines that a rendering gives, or will give."""

    rendering: asyncio.Future[list[bytes]]
    position: int
    since: float

    @property
    def is_good(self) -> bool:
        if monotonic() - self.since > _FRESH:
            return False
        return not self.rendering.done() or not (self.rendering.cancelled() or self.rendering.exception())


class _Lines:
    """The last rendered events. It belongs to the event loop and needs no lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[object, ...], _Line] = OrderedDict()

    def find(self, key: tuple[object, ...]) -> _Line | None:
        found = self._kept.get(key)
        return found if found is not None and found.is_good else None

    def keep(self, key: tuple[object, ...], line: _Line) -> _Line:
        self._kept[key] = line
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return line


_lines = _Lines(_REMEMBERED)
