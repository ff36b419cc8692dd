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
from podlab.routing import websocket_application  # noqa: E402

kubernetes: Application = ApiHandler()
kubernetes_alone: Application = ApiHandler(alone=True)


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (kubernetes if owns(scope["path"]) else pages)(scope, receive, send)


async def api_http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (pages if scope["path"] == "/metrics" else kubernetes_alone)(scope, receive, send)


async def websocket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (stream_application if owns(scope["path"]) else websocket_application)(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": websocket})
api_application = ProtocolTypeRouter({"http": api_http, "websocket": stream_application})
