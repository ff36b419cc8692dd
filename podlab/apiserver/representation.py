"""Objects and lists in the form that the client asked for: plain, Table, PartialObjectMetadata, JSON or YAML. Pure.

Called by every verb. Source: apiserver/pkg/endpoints/handlers/response.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from podlab.apis import status_errors
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest
from podlab.apiserver import responses, table
from podlab.apiserver.calls import Call
from podlab.apiserver.negotiation import JSON, PARTIAL, PARTIAL_LIST, TABLE
from podlab.apiserver.responses import ApiResponse

Clock = Callable[[], datetime]  # asked only for a Table: it costs a query


def stored_prefix(resource: Resource) -> str:
    """How every stored body of this kind begins, up to the part that items of a list share with it."""
    return f'{{"apiVersion":"{resource.api_version}","kind":"{resource.kind}",'


def wants_plain(call: Call) -> bool:
    """Whether stored JSON can be passed on as it is."""
    return not call.accept.kind and call.accept.media_type == JSON and not call.accept.pretty


def check_one(call: Call) -> None:
    """406 if what is asked for is no form of one object. Writes ask before they do anything, so that what is refused has
    changed nothing; Kubernetes finds out afterwards."""
    kind, resource = call.accept.kind, call.place.resource
    if kind == PARTIAL_LIST:
        raise status_errors.not_acceptable(
            f"you requested {kind}, but the requested object is not a list ({_go_type(resource, resource.kind)})"
        )


def check_many(call: Call) -> None:
    """The same for a list."""
    kind, resource = call.accept.kind, call.place.resource
    if kind == PARTIAL:
        raise status_errors.not_acceptable(
            f"you requested {kind}, but the requested object is a list ({_go_type(resource, resource.list_kind)})"
        )


def one(
    call: Call,
    obj: Manifest,
    *,
    now: Clock,
    raw: str | None = None,
    code: int = 200,
    warnings: Sequence[str] = (),
) -> ApiResponse:
    """One object. `raw` is its stored text, if it was stored as it is."""
    if raw is not None and wants_plain(call):
        return responses.from_bytes(raw.encode(), code=code, warnings=warnings)
    return responses.from_data(_transformed(call, obj, now), call.accept, code=code, warnings=warnings)


def _transformed(call: Call, obj: Manifest, now: Clock) -> Manifest:
    kind, version = call.accept.kind, call.accept.version
    if not kind or obj.get("kind") != call.place.resource.kind:  # a Status stays what it is
        return obj
    check_one(call)
    if kind == PARTIAL:
        return table.partial(obj, version)
    revision = (obj.get("metadata") or {}).get("resourceVersion")
    return _table(call, [obj], {"resourceVersion": revision} if revision else {}, now)


def many(call: Call, objects: Sequence[Manifest], metadata: Manifest, *, now: Clock) -> ApiResponse:
    """A list; the items are complete objects."""
    kind, version = call.accept.kind, call.accept.version
    check_many(call)
    if kind == PARTIAL_LIST:
        data = table.partial_list(objects, metadata, version)
    elif kind == TABLE:
        data = _table(call, objects, metadata, now)
    else:
        data = object_list(call.place.resource, objects, metadata)
    return responses.from_data(data, call.accept)


def object_list(resource: Resource, objects: Sequence[Manifest], metadata: Manifest) -> Manifest:
    """Items without kind and apiVersion, as in Kubernetes."""
    items = [{key: value for key, value in obj.items() if key not in {"kind", "apiVersion"}} for obj in objects]
    return {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": metadata, "items": items}


def _table(call: Call, objects: Sequence[Manifest], metadata: Manifest, now: Clock) -> Manifest:
    include = table.include_of(call.query.get("includeObject", ""))
    return table.table(call.place.resource, objects, metadata, version=call.accept.version, include=include, now=now())


def _go_type(resource: Resource, kind: str) -> str:
    """The internal Go type that the text names: *core.Pod, *apps.DeploymentList."""
    package = resource.group.split(".", maxsplit=1)[0] or "core"
    return f"*{package}.{kind}"
