"""All websockets of the pages, behind the checks of host and origin and with the session's user in the scope."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier
from django.urls import URLPattern, URLResolver, re_path

from podlab.timeline.consumers import PageConsumer

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^ws/c/(?P<cluster>[a-z0-9][a-z0-9-]{0,62})/$", PageConsumer.as_asgi()),
]


class SameOrigin:
    """Refuses a handshake from a page of another host or port. Cookies know no ports, so without this any other program
    that serves pages on this machine could open our sockets in the person's name."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        origin = urlsplit(headers.get(b"origin", b"").decode("latin-1")).netloc
        if not origin or origin != headers.get(b"host", b"").decode("latin-1"):
            return await WebsocketDenier()(scope, receive, send)
        return await self.inner(scope, receive, send)


websocket_application = SameOrigin(AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))))
