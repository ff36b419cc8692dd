"""The API's own way from ASGI to the view and back: no middleware, no cookies, no page machinery. `podlab.asgi` routes to it.

A request for the API needs none of what the pages need, and most of its cost would be that: Django's signals, its URL
resolver and a thread context for each request took longer than the view. Bodies above the limit are read and thrown away
instead of being kept on disk.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import IO, Any, cast

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from podlab.apis.decode_errors import MAX_BYTES
from podlab.apiserver import dispatch, urls
from podlab.apiserver.health import MAIN

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_OWN = re.compile(rf"/(?:clusters/(?P<cluster>[^/]+)/)?{urls.PATHS}")
# Views that wait for somebody else end when the client leaves; all others answer at once.
_PATIENT = re.compile(r"/(?:log|proxy)(?:/|$)")
_PART = 2**20  # bytes of an answer that are handed over at a time


def owns(path: str) -> bool:
    """Whether a URL path belongs to the API rather than to the pages."""
    return _OWN.match(path) is not None


class ApiHandler(ASGIHandler):
    """`alone` is for a port of its own, where every other path gets a Kubernetes API server's answer too."""

    def __init__(self, *, alone: bool = False) -> None:
        super().__init__()
        self._alone = alone

    def load_middleware(self, is_async: bool = False) -> None:
        """None: the view turns every error into a Status itself."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"this handler answers http, not {scope['type']}")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        request, refusal = self.create_request(scope, body)
        if request is None:
            await _send(refusal or HttpResponse(status=400), send)
        elif _PATIENT.search(request.path):
            await _unless_client_leaves(self._respond(request, send), receive)
        else:
            await self._answer(request, receive, send)

    async def _respond(self, request: ASGIRequest, send: Send) -> None:
        await _send(await self._view(request), send)

    async def _answer(self, request: ASGIRequest, receive: Receive, send: Send) -> None:
        """A stream goes on until its end or until the client leaves."""
        response = await self._view(request)
        if response.streaming:
            await _unless_client_leaves(_send(response, send), receive)
        else:
            await _send(response, send)

    async def _view(self, request: ASGIRequest) -> HttpResponseBase:
        found = _OWN.match(request.path_info)
        if found is not None:
            return await dispatch.api(request, found["path"], found["cluster"] or MAIN)
        if self._alone and request.path_info == "/":
            return await urls.root(request)
        return await urls.nothing_here(request, request.path_info)

    async def read_body(self, receive: Receive) -> IO[bytes]:
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


async def _unless_client_leaves(work: Any, receive: Receive) -> None:
    """Do `work`, and cancel it when the client is gone."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(response: HttpResponseBase, send: Send) -> None:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    try:
        if isinstance(response, StreamingHttpResponse):
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            async with aclosing(cast("AsyncGenerator[bytes, None]", aiter(response))) as parts:
                async for part in parts:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        elif isinstance(response, HttpResponse):
            if not response.has_header("Content-Length"):
                headers.append((b"content-length", b"%d" % len(response.content)))
            await _send_whole(response.content, response.status_code, headers, send)
    finally:
        for close in response._resource_closers:  # type: ignore[attr-defined]
            close()


async def _send_whole(body: bytes, status: int, headers: list[tuple[bytes, bytes]], send: Send) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for begin in range(0, len(body) - _PART, _PART):
        await send({"type": "http.response.body", "body": body[begin : begin + _PART], "more_body": True})
    last = (len(body) - 1) // _PART * _PART if body else 0
    await send({"type": "http.response.body", "body": body[last:]})
