"""watch: an answer that goes on, one JSON event a line. `dispatch` calls `respond`; changes come from `storage.watch`.

Present objects first where the client asks for them, then every change after the revision of that list: nothing falls
between, because the hub replays from the log. Sources: apiserver/pkg/endpoints/handlers/watch.go, storage/cacher.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.http import StreamingHttpResponse

from podlab.apis import status_errors
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

LONGEST = 3600  # seconds; Kubernetes ends a watch without timeoutSeconds after 30 to 60 minutes
_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}
_REMEMBERED = 512


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
    query = session.client.watch(
        place.resource.key,
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
    render = _Renderer(opening)
    ends = monotonic() + (opening.wanted.timeout or LONGEST)
    if opening.initial is not None:
        yield render.initial(opening.initial, opening.since or 0)
    query = opening.query
    wanted = Filter(
        cluster=query.cluster,
        resource=query.resource.key,
        namespace=query.namespace,
        name=query.fields.value_of("metadata.name"),
    )
    try:
        async with AsyncWatch(wanted, since=opening.since) as watch:
            while (left := ends - monotonic()) > 0:
                item = await asyncio.wait_for(anext(watch), left)
                if isinstance(item, Batch):
                    lines = render.events(watch_events(item.entries, opening.matches))
                else:
                    lines = render.bookmark(item.revision) if opening.wanted.bookmarks else b""
                if lines:
                    yield lines
    except (TimeoutError, SlowReader):
        return  # the client watches again from the last revision that it saw
    except Compacted as error:
        yield render.error(status_errors.too_old_resource_version(error.requested, error.floor))
    except FutureRevision as error:
        yield render.error(status_errors.too_large_resource_version(error.requested, error.current))
    except WatchEnded as ended:
        if ended.reason in {End.COMPACTED, End.RESTARTED}:
            yield render.error(status_errors.expired("The resourceVersion for the provided watch is too old."))


class _Renderer:
    """Events as bytes, in the representation of one watcher."""

    def __init__(self, opening: Opening) -> None:
        self._call = opening.call
        self._now = opening.now
        self._bookmarks = opening.wanted.bookmarks
        self._marks_end = bool(opening.wanted.initial_events)
        self._columns = True  # the definitions go with the first event only
        self._plain = not opening.call.accept.kind
        self._include = table.include_of(opening.call.query.get("includeObject", ""))

    def initial(self, items: list[Stored], revision: int) -> bytes:
        lines = [self._event("ADDED", item.body, None, item.revision) for item in items]
        if self._marks_end and self._bookmarks:
            lines.append(self.bookmark(revision, _INITIAL_EVENTS_END))
        return b"".join(lines)

    def events(self, events: Iterable[WatchEvent]) -> bytes:
        return b"".join(
            self._event(
                event.type,
                event.body,
                event.entry.obj if event.body is event.entry.body else None,
                event.entry.revision,
            )
            for event in events
        )

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        resource = self._call.place.resource
        metadata: Manifest = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        obj: Manifest = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._call.accept.kind == TABLE:
            obj = self._table([], {"resourceVersion": str(revision)})
        elif not self._plain:
            obj = table.partial(obj, self._call.accept.version)
        return _line("BOOKMARK", responses.dump(obj))

    def error(self, error: ApiError) -> bytes:
        return _line("ERROR", responses.dump(error.to_status()))

    def _event(self, kind: str, body: str, obj: Manifest | None, revision: int) -> bytes:
        if self._plain:
            return _line(kind, body.encode())
        accept = self._call.accept
        columns, self._columns = self._columns, False
        now = self._now()
        key = (revision, kind, accept.kind, accept.version, self._include, columns, int(now.timestamp()))
        return _memo.get(key, lambda: _line(kind, responses.dump(self._transformed(obj or decode(body), columns))))

    def _transformed(self, obj: Manifest, columns: bool) -> Manifest:
        if self._call.accept.kind != TABLE:
            return table.partial(obj, self._call.accept.version)
        metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return self._table([obj], metadata, columns=columns)

    def _table(self, objects: list[Manifest], metadata: Manifest, *, columns: bool = False) -> Manifest:
        return table.table(
            self._call.place.resource,
            objects,
            metadata,
            version=self._call.accept.version,
            include=self._include,
            now=self._now(),
            columns=columns,
        )


def _line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)


class _Memo:
    """The last rendered events: watchers of the same kind in the same representation share them. Used on the event
    loop only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def get(self, key: tuple[object, ...], make: Callable[[], bytes]) -> bytes:
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found


_memo = _Memo(_REMEMBERED)
