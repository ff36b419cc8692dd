"""watch: an answer that goes on, one JSON event a line. `dispatch` calls `respond`; changes come from `storage.watch`.

Present objects first where the client asks for them, then every change after the revision of that list: nothing falls
between, because the hub replays from the log. Sources: apiserver/pkg/endpoints/handlers/watch.go, storage/cacher.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.http import StreamingHttpResponse

from podlab.apis import status_errors
from podlab.apis.selectors import FieldSelector
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apiserver import calls, options, pool, responses, table, verbs
from podlab.apiserver.calls import Call
from podlab.apiserver.negotiation import JSON
from podlab.apiserver.options import ListOptions
from podlab.apiserver.watch_lines import Renderer
from podlab.clock import monotonic
from podlab.registry.listing import Query
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.hub import End, Filter
from podlab.storage.objects import Stored
from podlab.storage.watch import AsyncWatch, Batch, SlowReader, WatchEnded, watch_events

logger = logging.getLogger(__name__)

LONGEST = 3600  # seconds; Kubernetes ends a watch without timeoutSeconds after 30 to 60 minutes


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
    resource = call.place.resource
    if text := resource.deprecated or resource.unattended:
        response["Warning"] = responses.warning_header(text)
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
    revision = options.plain_revision(wanted.resource_version)
    initial, since = None, revision or None
    if wanted.initial_events or (wanted.initial_events is None and not revision):
        reader = calls.Session(session.identity, session.client.as_system("apiserver"), session.now)
        everything = replace(wanted, field_selector=_field_selector(call, wanted), limit=0, continue_="")
        page = verbs.list_page(call, reader, everything)
        initial, since = page.items, page.revision
    return Opening(call, wanted, query, initial, since, session.now)


def _field_selector(call: Call, wanted: ListOptions) -> str:
    """The old /watch/ path may name one object; a selector beside it has to name the same (handlers/get.go)."""
    name = call.place.name
    given = FieldSelector.parse(wanted.field_selector if name else "")
    if given.value_of("metadata.name") == (name or None):
        return wanted.field_selector
    if not given.empty:
        raise status_errors.bad_request("fieldSelector metadata.name doesn't match requested name")
    return f"metadata.name={name}"


async def _stream(opening: Opening) -> AsyncIterator[bytes]:
    """The events, and at the end an ERROR event if the client has to list again."""
    wanted = opening.wanted
    render = Renderer(opening.call, opening.now, bookmarks=wanted.bookmarks, marks_end=bool(wanted.initial_events))
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
