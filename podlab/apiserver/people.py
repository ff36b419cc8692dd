"""Streams of pods for people in a browser: the terminal (by session), the preview of a port (by a signed link), and
single commands for pages that look into a container.

The same targets, protocols and nodes as for kubectl; only how somebody shows who he is differs. `podlab.routing` and
`podlab.urls` lead here. A previewed page runs in a sandbox of its own: no cookie goes in, none comes out, and its scripts
have no origin, so it can do nothing in the name of the person who looks at it.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, cast
from urllib.parse import quote

from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from podlab.apis import status_errors
from podlab.apis.status_errors import ApiError
from podlab.apiserver import paths, pool
from podlab.apiserver.calls import Call
from podlab.apiserver.negotiation import Accept
from podlab.apiserver.streams import endpoint, one_command, proxy, targets
from podlab.apiserver.streams.one_command import Answer
from podlab.registry import identity, preview_links, streams
from podlab.registry.identity import Identity
from podlab.registry.preview_links import PreviewLink

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# What a pod's server may not say to the browser in the name of the lab.
_HELD_BACK = {
    *("set-cookie", "content-security-policy", "x-frame-options", "service-worker-allowed", "clear-site-data"),
    # These hold for everything at our address, however the page itself is locked in.
    *("alt-svc", "strict-transport-security", "nel", "report-to", "reporting-endpoints", "origin-trial"),
}
_SANDBOX = "sandbox allow-scripts allow-forms allow-modals allow-popups"


async def terminal(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """`/ws/c/<cluster>/ns/<namespace>/pods/<name>/<exec|attach>`, with the query and the protocols of the API's own."""
    told = scope["url_route"]["kwargs"]
    user = scope.get("user")

    async def call() -> Call:
        if user is None or not user.is_authenticated:
            raise status_errors.unauthorized()
        who = await pool.run(lambda: identity.of_user(user))
        return _call(_get(scope), who, told["cluster"], told["namespace"], told["name"], told["operation"], verb="get")

    await endpoint.serve(scope, receive, send, call)


def _get(scope: dict[str, Any]) -> ASGIRequest:
    return ASGIRequest({**scope, "type": "http", "method": "GET"}, io.BytesIO())


def command(
    who: Identity,
    place: tuple[str, str, str],
    argv: tuple[str, ...],
    *,
    uid: str,
    container: str,
    stdin: bytes | None = None,
    most: int,
    seconds: float,
) -> Answer:
    """Run a command in a container of the pod at `place` (cluster, namespace, name) as exec does, and wait for its output:
    no more than `most` bytes and `seconds`. From a synchronous view; raises ApiError, for a namesake of the pod too."""
    cluster, namespace, name = place
    request = HttpRequest()
    request.method = "GET"
    query = QueryDict(mutable=True)
    query.update({"container": container, "stdin": str(stdin is not None).lower(), "stdout": "true", "stderr": "true"})
    query.setlist("command", list(argv))
    request.GET = query
    call = _call(request, who, cluster, namespace, name, streams.EXEC, verb="get")
    target = targets.remote_command(call)
    if target.pod["metadata"]["uid"] != uid:
        raise status_errors.not_found(call.place.resource, name)
    return async_to_sync(one_command.run)(target, stdin=stdin, most=most, seconds=seconds)


def _call(
    request: HttpRequest, who: Identity, cluster: str, namespace: str, name: str, subresource: str, *, verb: str
) -> Call:
    path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(name, safe=':')}/{subresource}"
    place = paths.parse(path)
    return Call(request=request, cluster=cluster, path=path, verb=verb, place=place, accept=Accept(), who=who)


@csrf_exempt  # the link is the right, and no cookie is looked at
async def preview(request: HttpRequest, token: str, path: str = "") -> HttpResponseBase:
    """`/preview/<link>/<path on the pod's server>`."""
    link = preview_links.read(token)
    who = await pool.run(lambda: preview_links.who(link)) if link is not None else None
    if link is None or who is None:
        return _told("This link to a pod's port is no longer valid; open it again on the page of the pod.", 403)
    prefix = f"/preview/{token}"
    if not path:
        return HttpResponse(status=302, headers={"Location": f"{prefix}/"})
    call = _call(
        request,
        who,
        link.cluster,
        link.namespace,
        f"{link.pod}:{link.port}",
        "proxy",
        verb=_verb(request.method or "GET"),
    )
    try:
        await pool.run(lambda: _same_pod(call, link))
        query = request.META.get("QUERY_STRING", "")
        raw = (cast(ASGIRequest, request).scope.get("raw_path") or request.path.encode()).decode("latin-1")
        wanted = raw.partition("?")[0].removeprefix(prefix) or "/"
        response = await proxy.forward(call, f"{wanted}{'?' + query if query else ''}", prefix)
    except ApiError as error:
        return _told(error.message, error.code)
    response.pairs = list(_harmless(response.pairs))
    return response


def _verb(method: str) -> str:
    return {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(
        method, "get"
    )


def _same_pod(call: Call, link: PreviewLink) -> None:
    """A link is for the pod that it was made for, not for a namesake that came later."""
    session = proxy.session_of(call)
    stored = session.client.as_system("apiserver").get("pods", link.namespace, link.pod)
    if stored.uid != link.uid:
        raise status_errors.not_found(call.place.resource, link.pod)


def _harmless(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for name, value in pairs if name.lower() not in _HELD_BACK)
    yield "Content-Security-Policy", _SANDBOX
    yield "Referrer-Policy", "no-referrer"
    yield "X-Content-Type-Options", "nosniff"


def _told(text: str, code: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=code, content_type="text/plain; charset=utf-8")
