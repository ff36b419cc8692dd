"""watch: an answer that goes on, one JSON event a line. `dispatch` calls `respond`; changes come from `storage.watch`.

Present objects first where the client asks for them, then every change after the revision of that list: nothing falls
between, because the hub replays from the log. Sources: apiserver/pkg/endpoints/handlers/watch.go, storage/cacher.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.http import StreamingHttpResponse

from podlab.apis import conversion, status_errors
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apiserver import calls, options, pool, responses, table, verbs
from podlab.apiserver.calls import Call
from podlab.apiserver.negotiation import JSON, TABLE
from podlab.apiserver.options import ListOptions
from podlab.clock import monotonic
from podlab.registry.listing import Query
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.hub import End, Filter
from podlab.storage.objects import Stored, decode
from podlab.storage.watch import AsyncWatch, Batch, SlowReader, WatchEnded, WatchEvent, watch_events

logger = logging.getLogger(__name__)

LONGEST = 3600  # seconds; Kubernetes ends a watch without timeoutSeconds after 30 to 60 minutes
_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}
_REMEMBERED = 512
# Type, body, the decoded body if somebody has it already, revision.
_Event = tuple[str, str, Manifest | None, int]


@dataclass(frozen=True, slots=True)
class Opening:
    """What was found out on the pool thread before the stream begins. `since` None means from now on."""

    call: Call
    wanted: ListOptions
    query: Query
    initial: list[Stored] | None
    since: int | None
    now: Callable[[], datetime]

    @property
    def filter(self) -> Filter:
        query = self.query
        return Filter(
            cluster=query.cluster,
            resource=query.resource.key,
            namespace=query.namespace,
            name=query.fields.value_of("metadata.name"),
        )

    @property
    def matches(self) -> Callable[[Manifest], bool] | None:
        return None if self.query.selects_all else self.query.matches


async def respond(call: Call) -> StreamingHttpResponse:
    opening = await pool.run(lambda: _open(call))
    response = StreamingHttpResponse(_stream(opening), content_type=JSON)
    response["Cache-Control"] = "no-cache, private"
    return response


def _open(call: Call) -> Opening:
    session = calls.open_session(call)
    place = call.place
    wanted = options.list_options(call.query, watch=True)
    table.include_of(call.query.get("includeObject", ""))  # a refusal must come before the stream
    query = session.client.watch(
        place.resource.handle,
        place.namespace or None,
        label_selector=wanted.label_selector,
        field_selector=_field_selector(call, wanted),
    )
    revision = options.revision(wanted.resource_version)
    initial, since = None, revision or None
    if wanted.initial_events or (wanted.initial_events is None and not revision):
        reader = calls.Session(session.identity, session.client.as_system("apiserver"), session.now)
        everything = replace(wanted, field_selector=_field_selector(call, wanted), limit=0, continue_="")
        page = verbs.list_page(call, reader, everything)
        initial, since = page.items, page.revision
    return Opening(call, wanted, query, initial, since, session.now)


def _field_selector(call: Call, wanted: ListOptions) -> str:
    """The old /watch/ path may name one object."""
    own = [f"metadata.name={call.place.name}"] if call.place.name else []
    return ",".join([*own, *([wanted.field_selector] if wanted.field_selector else [])])


async def _stream(opening: Opening) -> AsyncIterator[bytes]:
    """The events, and at the end an ERROR event if the client has to list again."""
    render = _Renderer(opening)
    try:
        if opening.initial is not None:
            yield await render.initial(opening.initial, opening.since or 0)
        async with AsyncWatch(opening.filter, since=opening.since) as watch:
            ends = monotonic() + (opening.wanted.timeout or LONGEST)
            while (left := ends - monotonic()) > 0:
                async with asyncio.timeout(left):
                    item = await anext(watch)
                if isinstance(item, Batch):
                    yield await render.events(watch_events(item.entries, opening.matches))
                elif opening.wanted.bookmarks:
                    yield render.bookmark(item.revision)
    except (TimeoutError, SlowReader):
        return  # the client watches again from the last revision that it saw
    except Exception as error:
        status = _error_event(error)
        if status is not None:
            yield render.error(status)


def _error_event(error: Exception) -> ApiError | None:
    if isinstance(error, ApiError):  # the cluster went away
        return error
    if isinstance(error, Compacted):
        return status_errors.too_old_resource_version(error.requested, error.floor)
    if isinstance(error, FutureRevision):
        return status_errors.too_large_resource_version(error.requested, error.current)
    if isinstance(error, WatchEnded):
        again = error.reason in {End.COMPACTED, End.RESTARTED}
        return status_errors.expired("The resourceVersion for the provided watch is too old.") if again else None
    logger.exception("a watch failed", exc_info=error)
    return status_errors.internal("the watch failed, see the server's log")


class _Renderer:
    """Events as bytes, in the representation of one watcher."""

    def __init__(self, opening: Opening) -> None:
        self._call = opening.call
        self._now = opening.now
        self._bookmarks = opening.wanted.bookmarks
        self._marks_end = bool(opening.wanted.initial_events)
        self._columns = True  # the definitions go with the first event only
        self._resource = opening.call.place.resource
        self._plain = not opening.call.accept.kind and not self._resource.stored_as
        self._include = table.include_of(opening.call.query.get("includeObject", ""))

    async def initial(self, items: Sequence[Stored], revision: int) -> bytes:
        lines = await self._events([("ADDED", item.body, None, item.revision) for item in items])
        if self._marks_end and self._bookmarks:
            lines += self.bookmark(revision, _INITIAL_EVENTS_END)
        return lines

    async def events(self, events: Iterable[WatchEvent]) -> bytes:
        return await self._events(
            [
                (
                    event.type,
                    event.body,
                    event.entry.obj if event.body is event.entry.body else None,
                    event.entry.revision,
                )
                for event in events
            ]
        )

    async def _events(self, events: Sequence[_Event]) -> bytes:
        if self._plain:
            return b"".join(_line(kind, body.encode()) for kind, body, _, _ in events)
        if not events:
            return b""
        # Ages need the cluster's time, which is a query.
        return await pool.run(lambda: self._rendered(events, self._now()))

    def _rendered(self, events: Sequence[_Event], now: datetime) -> bytes:
        return b"".join(self._event(event, now) for event in events)

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        resource = self._call.place.resource
        metadata: Manifest = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        obj: Manifest = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._call.accept.kind == TABLE:
            obj = self._empty_table(revision)
        elif self._call.accept.kind:
            obj = table.partial(obj, self._call.accept.version)
        return _line("BOOKMARK", responses.dump(obj))

    def error(self, error: ApiError) -> bytes:
        return _line("ERROR", responses.dump(error.to_status()))

    def _event(self, event: _Event, now: datetime) -> bytes:
        kind, body, obj, revision = event
        accept = self._call.accept
        columns, self._columns = self._columns, False
        key = (
            revision,
            self._resource.handle,
            kind,
            accept.kind,
            accept.version,
            self._include,
            columns,
            int(now.timestamp()),
        )
        return _memo.get(
            key, lambda: _line(kind, responses.dump(self._transformed(obj or decode(body), now, columns=columns)))
        )

    def _transformed(self, obj: Manifest, now: datetime, *, columns: bool) -> Manifest:
        obj = conversion.from_stored(self._resource, obj)
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

    def _empty_table(self, revision: int) -> Manifest:
        return {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{self._call.accept.version}",
            "metadata": {"resourceVersion": str(revision)},
            "columnDefinitions": None,
            "rows": [],
        }


def _line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)


class _Memo:
    """The last rendered events: watchers of the same kind in the same representation share them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def get(self, key: tuple[object, ...], make: Callable[[], bytes]) -> bytes:
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = make()
            with self._lock:
                self._kept[key] = found
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return found


_memo = _Memo(_REMEMBERED)
