"""All websockets of the pages, behind the checks of host and origin and with the session's user in the scope."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.urls import URLPattern, URLResolver, re_path

from podlab.apiserver.people import terminal
from podlab.timeline.consumers import PageConsumer

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^ws/c/(?P<cluster>[a-z0-9][a-z0-9-]{0,62})/$", PageConsumer.as_asgi()),
    re_path(
        r"^ws/c/(?P<cluster>[a-z0-9][a-z0-9-]{0,62})/ns/(?P<namespace>[a-z0-9][a-z0-9-]{0,62})"
        r"/pods/(?P<name>[a-z0-9][a-z0-9.-]{0,252})/(?P<operation>exec|attach)$",
        cast(Any, terminal),  # the annotation knows views only
    ),
]


class SameOrigin:
    """Refuses a handshake from a page of another host or port, and one for a host that is not ours. Cookies know no
    ports, so without this any other program that serves pages on this machine could open our sockets in the person's
    name. (The validator of Channels compares hosts only, and its refusal needs a channel layer.)"""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        origin = urlsplit(headers.get(b"origin", b"").decode("latin-1")).netloc
        host = headers.get(b"host", b"").decode("latin-1")
        domain, _ = split_domain_port(host)
        if not origin or origin != host or not validate_host(domain, settings.ALLOWED_HOSTS):
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return None
        return await self.inner(scope, receive, send)


websocket_application = SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
