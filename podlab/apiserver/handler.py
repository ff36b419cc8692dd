"""The API's own way through Django: no middleware, no cookies, no page machinery. `podlab.asgi` routes to it.

A request for the API needs none of what the pages need, and most of its cost would be middleware. Bodies above the limit
are read and thrown away instead of being kept on disk.
"""

from __future__ import annotations

import io
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from podlab.apis.decode_errors import MAX_BYTES
from podlab.apiserver.urls import PATHS, server_urlpatterns, urlpatterns

_OWN = re.compile(rf"/(?:clusters/[^/]+/)?{PATHS}")


def owns(path: str) -> bool:
    """Whether a URL path belongs to the API rather than to the pages."""
    return _OWN.match(path) is not None


class ApiHandler(ASGIHandler):
    """`alone` is for a port of its own, where every other path gets a Kubernetes API server's answer too."""

    def __init__(self, *, alone: bool = False) -> None:
        super().__init__()
        self._urlconf = tuple(server_urlpatterns if alone else urlpatterns)

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Straight to the view, which turns every error into a Status itself; an error status is nothing to log."""
        request.urlconf = self._urlconf  # type: ignore[attr-defined]
        response: HttpResponseBase = await self._get_response_async(request)  # type: ignore[attr-defined]
        response._resource_closers.append(request.close)  # type: ignore[attr-defined]
        return response

    async def read_body(self, receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> IO[bytes]:
        """The body up to one byte more than is allowed, which `bodies.raw` then refuses."""
        kept = io.BytesIO()
        left = MAX_BYTES + 1
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            chunk = message.get("body", b"")[:left]
            left -= len(chunk)
            kept.write(chunk)
            if not message.get("more_body", False):
                break
        kept.seek(0)
        return kept
