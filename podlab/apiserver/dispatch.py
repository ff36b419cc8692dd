"""The one view of the API: finds out what a request means, lets the right module answer, turns errors into Status.

`urls` sends every path of every cluster here. What needs the database runs in one hop on `pool`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from podlab.apis import status_errors
from podlab.apis.status_errors import ApiError
from podlab.apiserver import (
    bodies,
    calls,
    discovery,
    health,
    issuer,
    log,
    mutations,
    negotiation,
    node_proxy,
    openapi,
    options,
    paths,
    pool,
    responses,
    verbs,
    watch_stream,
)
from podlab.apiserver.calls import Call
from podlab.apiserver.negotiation import DISCOVERY, PARTIAL, PARTIAL_LIST, TABLE, YAML, Accept
from podlab.apiserver.paths import NoSuchGroup, NoSuchPath, Place
from podlab.apiserver.responses import ApiResponse
from podlab.apiserver.streams import plain, proxy
from podlab.registry import chance
from podlab.storage.errors import StoreBusy, UnknownCluster

logger = logging.getLogger(__name__)

NOT_FOUND_TEXT = "404 page not found\n"
_OBJECT_KINDS = frozenset({TABLE, PARTIAL, PARTIAL_LIST})
_HANDLERS: dict[str, Callable[[Call], ApiResponse]] = {
    "get": verbs.get,
    "list": verbs.list_objects,
    "create": mutations.create,
    "update": mutations.update,
    "patch": mutations.patch,
    "delete": mutations.delete,
    "deletecollection": mutations.delete_collection,
}
_WRITES = frozenset({"create", "update", "patch", "delete"})  # of one object
_DEPRECATED = "podlab.deprecated"  # a sentence about the kind, for refusals too
_METHODS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@csrf_exempt
async def api(request: HttpRequest, path: str, cluster: str = health.MAIN) -> HttpResponseBase:
    """Every path of the API of one cluster. `path` has no leading slash and no prefix."""
    request_id = chance.uid()
    try:
        response = await _answer(request, "/" + path.removesuffix("/"), cluster)
    except Exception as error:
        response = _refusal(request, error, request_id)
    if isinstance(response, ApiResponse) and (text := request.META.get(_DEPRECATED)):
        response.warnings = (*response.warnings, text)
    response["Audit-Id"] = request_id
    return response


def _refusal(request: HttpRequest, error: Exception, request_id: str) -> ApiResponse:
    if isinstance(error, NoSuchGroup):
        return responses.text(NOT_FOUND_TEXT, code=404)
    status = status_of(error, f"request {request_id}: {request.method} {request.path}")
    try:
        return responses.from_error(status, _error_format(request))
    except Exception:  # an Accept header or a detail that nobody foresaw: the plain form always works
        logger.exception("request %s: its refusal could not be written as asked", request_id)
        return responses.from_error(status, Accept())


def status_of(error: Exception, what: str) -> ApiError:
    """The Status for whatever went wrong with `what`, which is logged when nobody foresaw it."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, NoSuchPath | NoSuchGroup):
        return status_errors.no_such_path()
    if isinstance(error, UnknownCluster):
        return status_errors.not_found("clusters", error.cluster)
    if isinstance(error, StoreBusy):
        return status_errors.too_many_requests("the store is busy with another writer, please try again", 1)
    if isinstance(error, RequestDataTooBig):
        return bodies.too_large()
    logger.exception("%s failed", what)
    return status_errors.internal(f"{type(error).__name__} in {what}, see the server's log")


def _error_format(request: HttpRequest) -> Accept:
    """Errors come as YAML to whoever asked for YAML, else as JSON; never as a Table."""
    wanted = negotiation.clauses(calls.header(request, "Accept"))
    return Accept(YAML) if wanted and wanted[0].media_type == YAML else Accept()


async def _answer(request: HttpRequest, path: str, cluster: str) -> HttpResponseBase:
    first = path.split("/")[1]
    if first not in {"api", "apis"}:
        options.check_timeout(request.GET)
    if first in health.NAMES:
        verbose = "verbose" in request.GET
        if path == f"/{first}":
            return await pool.run(lambda: health.answer(first, verbose=verbose))
        return await pool.run(lambda: health.one(first, path.removeprefix(f"/{first}/"))) or _none()
    if path == "/version":
        return responses.from_data(discovery.version(), _accept(request))
    if path in issuer.PATHS:
        return await pool.run(lambda: issuer.answer(request, cluster, path))
    if first in {"openapi", "version"} or path.count("/") < (3 if first == "api" else 4):
        return await _document(request, path, cluster)
    return await _resource(request, path, cluster)


def _none() -> ApiResponse:
    return responses.text(NOT_FOUND_TEXT, code=404)


def _accept(request: HttpRequest, kinds: frozenset[str] = frozenset(), *, stream: bool = False) -> Accept:
    found = negotiation.accept(calls.header(request, "Accept"), kinds=kinds, stream=stream)
    if request.GET.get("pretty", "") in {"1", "true"}:
        found = Accept(found.media_type, found.kind, found.version, pretty=True)
    return found


async def _document(request: HttpRequest, path: str, cluster: str) -> ApiResponse:
    """Discovery and OpenAPI: the same for every cluster, but only for those who may enter."""
    options.check_timeout(request.GET)
    await pool.run(lambda: calls.enter(request, cluster, path))
    parts = path.strip("/").split("/")
    # The aggregator's documents, of all groups and of one, are served whatever the method is.
    if request.method not in {"GET", "HEAD"} and (parts[0] != "apis" or len(parts) > 2):
        if parts[0] in ("api", "apis") and len(parts) > 1:
            paths.split(path)  # what is not there, is not there
        raise status_errors.method_not_allowed()
    if path.startswith("/openapi"):
        return _openapi(request, path, cluster)
    if parts in (["api"], ["apis"]):
        return _root(request, core=parts == ["api"])
    if parts[0] == "api":
        group, version, _ = paths.split(path)
        data = discovery.resource_list(group, version)
    elif len(parts) == 2:
        data = discovery.group(parts[1])
    else:
        group, version, _ = paths.split(path)
        data = discovery.resource_list(group, version)
    return responses.from_data(data, _accept(request))


def _root(request: HttpRequest, *, core: bool) -> ApiResponse:
    accept = _accept(request, frozenset({DISCOVERY}))
    if accept.kind:
        content_type = discovery.AGGREGATED_TYPE.format(version=accept.version)
        return responses.from_data(discovery.aggregated(accept.version, core=core), Accept(), content_type=content_type)
    address = calls.header(request, "Host")
    return responses.from_data(discovery.core_versions(address) if core else discovery.group_list(), accept)


def _openapi(request: HttpRequest, path: str, cluster: str) -> ApiResponse:
    if path == "/openapi/v2":
        return responses.from_bytes(openapi.V2_DOCUMENT, content_type=openapi.V2_TYPE)
    if path == "/openapi/v3":
        body = responses.dump(openapi.index(_prefix(request, path)))
        return responses.from_bytes(body, content_type="text/plain; charset=utf-8")
    key = path.removeprefix("/openapi/v3/")
    if not path.startswith("/openapi/v3/"):
        return _none()
    return responses.from_bytes(openapi.document(key))


def _prefix(request: HttpRequest, path: str) -> str:
    """What stands before `path` in the URL: "" or "/clusters/<name>"."""
    return request.path.rstrip("/").removesuffix(path)


async def _resource(request: HttpRequest, path: str, cluster: str) -> HttpResponseBase:
    place = paths.parse(path)
    if place.subresource == "proxy":
        verb = _METHODS.get(request.method or "", "get")
        call = Call(request=request, cluster=cluster, path=path, verb=verb, place=place, accept=Accept())
        return await node_proxy.respond(call) if place.resource.key == "nodes" else await proxy.respond(call)
    verb = _verb(request, place)
    if place.resource.deprecated:
        request.META[_DEPRECATED] = place.resource.deprecated
    if place.subresource in plain.SUBRESOURCES:
        await plain.respond(Call(request=request, cluster=cluster, path=path, verb=verb, place=place, accept=Accept()))
    accept = _accept(request, _kinds_at(place), stream=verb == "watch") if place.subresource != "log" else Accept()
    call = Call(request=request, cluster=cluster, path=path, verb=verb, place=place, accept=accept)
    streaming: dict[str, Callable[[Call], Awaitable[HttpResponseBase]]] = {"watch": watch_stream.respond}
    if place.subresource == "log":
        return await log.respond(call)
    if verb in streaming:
        return await streaming[verb](call)
    options.check_timeout(request.GET)
    handler = _HANDLERS[verb]
    run = pool.run_write if verb in _WRITES and not _asks_only(place) else pool.run
    return await run(lambda: handler(call))


def _asks_only(place: Place) -> bool:
    """Reviews are created to be answered; nothing is stored."""
    return place.resource.verbs == ("create",)


def _kinds_at(place: Place) -> frozenset[str]:
    """What is only created, such as a review, has no columns (AllowsMediaTypeTransform without a TableConvertor)."""
    return _OBJECT_KINDS - {TABLE} if _asks_only(place) else _OBJECT_KINDS


def _verb(request: HttpRequest, place: Place) -> str:
    """Kubernetes' verb for a method at a place; 405 when the place knows no such verb."""
    verb = _METHODS.get(request.method or "", "")
    served: tuple[str, ...] = place.resource.verbs
    if place.subresource:
        found = place.resource.subresource(place.subresource)
        served = found.verbs if found else ()
    elif place.name:
        verb = "" if verb == "create" else verb
    elif verb == "get":
        verb = "watch" if place.watch or options.boolean(request.GET, "watch") else "list"
    else:
        verb = {"create": "create", "delete": "deletecollection"}.get(verb, "")
        if verb == "create" and place.resource.namespaced and not place.namespace:
            verb = ""
    if place.watch and verb == "get":
        verb = "watch"
    if verb not in served:
        raise status_errors.method_not_allowed()
    return verb
