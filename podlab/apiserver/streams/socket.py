"""A websocket of the ASGI server with the few things that a stream needs: messages as bytes, a refusal as a Status."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from podlab.apis.status_errors import ApiError
from podlab.apiserver import responses

NORMAL = 1000
SERVER_ERROR = 1011
PROBE_SECONDS = 2.0
_REFUSED = 4403  # what a server without the extension for HTTP answers makes of it is a bare 403

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Gone(Exception):
    """The client is not there any more."""


class WebSocket:
    def __init__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive, self._send = receive, send
        self._lock = asyncio.Lock()
        self._closed = False
        self.accepted = False

    @property
    def offered(self) -> list[str]:
        """The subprotocols that the client would speak, the one it likes best first."""
        return list(self.scope.get("subprotocols") or [])

    async def connect(self) -> None:
        message = await self._receive()
        if message["type"] != "websocket.connect":
            raise Gone

    async def accept(self, subprotocol: str) -> None:
        self.accepted = True
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol or None})

    async def refuse(self, error: ApiError) -> None:
        """Answer the handshake with a Status, as a plain request would be."""
        self._closed = True
        if "websocket.http.response" not in (self.scope.get("extensions") or {}):
            await self._send({"type": "websocket.close", "code": _REFUSED})
            return
        body = responses.dump(error.to_status())
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
        ]
        await self._send({"type": "websocket.http.response.start", "status": error.code, "headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": body})

    async def receive(self) -> bytes | None:
        """The next message; None when the client has closed. A text is taken for its UTF-8."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._closed = True
            return None
        data = message.get("bytes")
        return data if data is not None else (message.get("text") or "").encode()

    async def send(self, data: bytes | str) -> None:
        """One message; waits while the client is slow. Raises Gone."""
        kind = "text" if isinstance(data, str) else "bytes"
        async with self._lock:
            await self._deliver({"type": "websocket.send", kind: data})

    async def insist(self, work: Coroutine[Any, Any, None], probe: bytes | str) -> None:
        """Do something that may take long while nobody listens to the client. Its death is noticed only when something
        is sent, so `probe`, a message without content, goes out now and then. Raises Gone."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=PROBE_SECONDS))[0]:
                await self.send(probe)
            await task
        finally:
            task.cancel()

    async def close(self, code: int = NORMAL) -> None:
        async with self._lock:
            if not self._closed:
                self._closed = True
                await self._send({"type": "websocket.close", "code": code})

    async def _deliver(self, message: dict[str, Any]) -> None:
        if self._closed:
            raise Gone
        try:
            await self._send(message)
        except (OSError, RuntimeError) as error:  # servers differ in what they raise after the end
            self._closed = True
            raise Gone from error
