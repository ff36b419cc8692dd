"""The handshake of a websocket whose URL is long."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import uvicorn
from uvicorn.server import ServerState

from podlab.ops.websockets import WebSocketProtocol


async def _shaken(url: str) -> tuple[list[dict[str, Any]], Mock]:
    """The scopes that the application was called with, and the transport."""
    scopes: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await send({"type": "websocket.close"})

    config = uvicorn.Config(application, ws=WebSocketProtocol, lifespan="off", log_config=None)
    config.load()
    transport = Mock(spec=asyncio.Transport)
    transport.is_closing.return_value = False
    transport.get_extra_info.return_value = None
    protocol = WebSocketProtocol(config, ServerState(), {})
    protocol.connection_made(transport)
    head = (
        f"GET {url} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    protocol.data_received(head.encode())
    for _ in range(10):
        await asyncio.sleep(0)
    return scopes, transport


async def test_the_command_of_an_exec_may_be_long() -> None:
    scopes, _ = await _shaken("/exec?command=" + "a" * 60_000)
    assert len(scopes[0]["query_string"]) == 60_008


async def test_what_is_too_long_is_refused_instead_of_kept_waiting() -> None:
    scopes, transport = await _shaken("/" + "a" * 2**20)
    assert scopes == []
    assert b"".join(call.args[0] for call in transport.write.call_args_list).startswith(b"HTTP/1.1 414 ")
    transport.close.assert_called_once()
