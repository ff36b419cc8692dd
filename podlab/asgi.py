"""The ASGI applications of the two ports.

`application` (http, for people) serves pages, websockets and the Kubernetes API; `api_application` (https) the API alone.
Cookies open pages only and tokens the API only, on either port.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

pages: Application = get_asgi_application()

# These need the apps that the line above loads.
from podlab.apiserver.handler import ApiHandler, owns  # noqa: E402
from podlab.apiserver.streams.endpoint import application as stream_application  # noqa: E402
from podlab.registry import run_files  # noqa: E402
from podlab.routing import websocket_application  # noqa: E402

_UPLOAD_PATH = "/runs"  # where run files come in
_FORM_BYTES = 64 * 1024  # of a form around the file
# Above what the pages refuse in words of their own (DATA_UPLOAD_MAX_MEMORY_SIZE).
_MOST_BYTES = 16 * 1024 * 1024

kubernetes: Application = ApiHandler()
kubernetes_alone: Application = ApiHandler(alone=True)


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (kubernetes if owns(scope["path"]) else bounded)(scope, receive, send)


async def bounded(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The pages, for bodies that some page could want: Django keeps a body on the disk, however long it is, before it looks
    at who sends it. Longer ones are refused, or cut off where their length was not told."""
    most = run_files.MAX_FILE + _FORM_BYTES if scope["path"] == _UPLOAD_PATH else _MOST_BYTES
    told = dict(scope["headers"]).get(b"content-length", b"0")
    if not told.isdigit() or len(told) > 18 or int(told) > most:
        await _refuse(413, f"The request is larger than {most // 2**20} MiB, more than this page takes.", send)
        return
    if b"%00" in scope["query_string"]:  # means nothing anywhere, and PostgreSQL fails at it
        await _refuse(400, "The address holds a NUL.", send)
        return
    left = most

    async def counted() -> dict[str, Any]:
        nonlocal left
        message: dict[str, Any] = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    await pages(scope, counted, send)


async def _refuse(status: int, words: str, send: Any) -> None:
    text = f"{words}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(text)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def api_http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (bounded if scope["path"] == "/metrics" else kubernetes_alone)(scope, receive, send)


async def websocket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (stream_application if owns(scope["path"]) else websocket_application)(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": websocket})
api_application = ProtocolTypeRouter({"http": api_http, "websocket": stream_application})
