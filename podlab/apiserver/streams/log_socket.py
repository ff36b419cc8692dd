"""pods/<name>/log over a websocket: the bytes of the log as messages, nothing the other way."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress

from podlab.apiserver import log
from podlab.apiserver.calls import Call
from podlab.apiserver.streams import channels
from podlab.apiserver.streams.channels import Protocol
from podlab.apiserver.streams.socket import Gone, WebSocket


async def serve(socket: WebSocket, call: Call) -> None:
    """Raises ApiError before the handshake is answered. A client without a protocol gets binary messages."""
    lines = await log.stream(call)
    protocol = channels.choose(socket.offered, channels.LOG, Protocol("", 1))
    await socket.accept(protocol.name)
    sending = asyncio.create_task(_send(socket, protocol, lines))
    listening = asyncio.create_task(_until_closed(socket))
    try:
        await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, listening):
            task.cancel()
        await asyncio.gather(sending, listening, return_exceptions=True)
    with suppress(Gone):
        await socket.close()


async def _send(socket: WebSocket, protocol: Protocol, lines: AsyncIterator[bytes]) -> None:
    async for chunk in lines:
        await socket.send(base64.b64encode(chunk).decode() if protocol.base64 else chunk)


async def _until_closed(socket: WebSocket) -> None:
    while await socket.receive() is not None:
        continue
