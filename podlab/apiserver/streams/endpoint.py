"""The ASGI application for websockets of the Kubernetes API. `podlab.asgi` sends those of both ports here.

There are no cookies here, so a foreign page in a browser cannot use them: who asks is told by a bearer token, in the
header or, as Kubernetes lets browsers do it, among the subprotocols.
"""

from __future__ import annotations

import base64
import binascii
import io
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.handlers.asgi import ASGIRequest

from podlab.apis import status_errors
from podlab.apis.status_errors import ApiError
from podlab.apiserver import dispatch, health, paths
from podlab.apiserver.calls import Call
from podlab.apiserver.negotiation import Accept
from podlab.apiserver.streams import log_socket, port_forward, remote_command
from podlab.apiserver.streams.socket import SERVER_ERROR, Gone, Receive, Send, WebSocket

logger = logging.getLogger(__name__)

_PATH = re.compile(r"(?:/clusters/(?P<cluster>[^/]+))?(?P<path>/apis?/.*)")
# apiserver/pkg/authentication/request/websocket/protocol.go
_TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io."

_SERVED: dict[str, Callable[[WebSocket, Call], Awaitable[None]]] = {
    "exec": remote_command.serve,
    "attach": remote_command.serve,
    "portforward": port_forward.serve,
    "log": log_socket.serve,
}


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    async def call() -> Call:
        return _call(scope)

    await serve(scope, receive, send, call)


async def serve(scope: dict[str, Any], receive: Receive, send: Send, make_call: Callable[[], Awaitable[Call]]) -> None:
    """One stream from its handshake to its end; what `make_call` refuses is the answer to the handshake."""
    socket = WebSocket(scope, receive, send)
    try:
        await socket.connect()
        call = await make_call()
        await _SERVED[call.place.subresource](socket, call)
    except Gone:
        return
    except Exception as error:
        if not socket.accepted:
            await socket.refuse(dispatch.status_of(error, f"websocket {scope['path']}"))
            return
        logger.exception("the stream %s failed", scope["path"])
        await socket.close(SERVER_ERROR)


def _call(scope: dict[str, Any]) -> Call:
    found = _PATH.fullmatch(scope["path"].rstrip("/"))
    if found is None:
        raise status_errors.no_such_path()
    place = paths.parse(found["path"])
    if place.resource.key != "pods" or place.subresource not in _SERVED:
        raise _refused()
    cluster = found["cluster"] or health.MAIN
    return Call(request=_request(scope), cluster=cluster, path=found["path"], verb="get", place=place, accept=Accept())


def _refused() -> ApiError:
    return status_errors.bad_request(
        "over a websocket the lab serves exec, attach, portforward and log of pods; ask for this without an upgrade"
    )


def _request(scope: dict[str, Any]) -> ASGIRequest:
    """The handshake as a GET, which it is."""
    headers = list(scope["headers"])
    token = _token(list(scope.get("subprotocols") or []))
    if token and not any(name == b"authorization" for name, _ in headers):
        headers.append((b"authorization", b"Bearer " + token))
    return ASGIRequest({**scope, "type": "http", "method": "GET", "headers": headers}, io.BytesIO())


def _token(offered: list[str]) -> bytes:
    for name in offered:
        if name.startswith(_TOKEN_PROTOCOL):
            text = name.removeprefix(_TOKEN_PROTOCOL)
            try:
                return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            except (binascii.Error, ValueError):
                return b""
    return b""
