"""The reading verbs: get and list. Called by `dispatch` on a pool thread.

Stored bodies are JSON text in the API's own form, so a plain answer passes them on as bytes and decodes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis import status_errors
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest
from podlab.apiserver import calls, options, representation, responses
from podlab.apiserver.calls import Call, Session
from podlab.apiserver.options import EXACT, NOT_OLDER, ListOptions
from podlab.apiserver.responses import ApiResponse
from podlab.registry.operations import ListPage


def get(call: Call) -> ApiResponse:
    session = calls.open_session(call)
    place = call.place
    revision = options.plain_revision(call.query.get("resourceVersion", ""))
    found = session.client.get(place.resource.handle, place.namespace, place.name, subresource=place.subresource)
    if revision > found.revision:  # at least as new as the client knows it: nothing is as new as the future
        now = session.client.revision()
        if revision > now:
            raise status_errors.too_large_resource_version(revision, now)
    return representation.one(call, found.obj, now=session.now, raw=found.body)


def list_objects(call: Call) -> ApiResponse:
    session = calls.open_session(call)
    page = list_page(call, session, options.list_options(call.query))
    if not representation.wants_plain(call):
        objects = [stored.obj for stored in page.items]
        return representation.many(call, objects, page.metadata(), now=session.now)
    return responses.from_bytes(joined(call.place.resource, [item.body for item in page.items], page.metadata()))


def list_page(call: Call, session: Session, wanted: ListOptions, *, stored_only: bool = False) -> ListPage:
    """The page of objects that a list or the beginning of a watch shows, or (`stored_only`) that a deletion finds."""
    revision = options.revision(wanted.resource_version)
    place, (limit, exact) = call.place, paging(wanted, revision)
    page = session.client.list(
        place.resource.handle,
        place.namespace or None,
        label_selector=wanted.label_selector,
        field_selector=wanted.field_selector,
        limit=limit,
        continue_=wanted.continue_,
        exact=exact,
        stored_only=stored_only,
    )
    if revision > page.revision:
        raise status_errors.too_large_resource_version(revision, page.revision)
    return page


def paging(wanted: ListOptions, revision: int) -> tuple[int, int | None]:
    """How many objects are shown (0 = all), and as of which revision (None = now)."""
    return _limit(wanted), revision if _is_exact(wanted, revision) else None


def _limit(wanted: ListOptions) -> int:
    """A list "at any revision" comes from the server's cache, which knows no pages (storage/cacher)."""
    return 0 if wanted.resource_version == "0" else max(wanted.limit, 0)


def _is_exact(wanted: ListOptions, revision: int) -> bool:
    """With a limit, a plain resourceVersion has always meant exactly that one (storage/etcd3/store.go)."""
    if not revision or wanted.watch or wanted.continue_:
        return False
    return wanted.match == EXACT or (wanted.limit > 0 and wanted.match != NOT_OLDER)


def joined(resource: Resource, bodies: Sequence[str], metadata: Manifest) -> bytes:
    """A list of stored bodies. Its items carry no kind and apiVersion, as in Kubernetes."""
    prefix = representation.stored_prefix(resource)
    items = ",".join("{" + body[len(prefix) :] if body.startswith(prefix) else body for body in bodies)
    head = f'{{"kind":"{resource.list_kind}","apiVersion":"{resource.api_version}","metadata":'
    return b"".join((head.encode(), responses.dump(metadata), b',"items":[', items.encode(), b"]}"))
