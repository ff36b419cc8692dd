"""exec and attach over a websocket: the client's channels on one side, the node's frames on the other."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from podlab.apis import status_errors
from podlab.apis.types import Manifest
from podlab.apiserver import pool
from podlab.apiserver.calls import Call
from podlab.apiserver.streams import channels, targets
from podlab.apiserver.streams.channels import Protocol
from podlab.apiserver.streams.node_connection import NodeConnection, Unreachable
from podlab.apiserver.streams.socket import Gone, WebSocket
from podlab.registry import streams
from podlab.registry.streams import OpenRequest

_DOING = {streams.EXEC: "error executing command in container", streams.ATTACH: "error attaching to container"}
_OUTPUT = {streams.STDOUT: channels.STDOUT, streams.STDERR: channels.STDERR}


async def serve(socket: WebSocket, call: Call) -> None:
    """Raises ApiError before the handshake is answered; from then on errors travel on channel 3."""
    target = await pool.run(lambda: targets.remote_command(call))
    protocol = channels.choose(socket.offered, channels.REMOTE_COMMAND, channels.Protocol("", 1))
    await socket.accept(protocol.name)
    try:
        connection = await NodeConnection.open(target.address, target.request)
    except Unreachable as error:
        await _finish(socket, protocol, status_errors.internal(f"error dialing backend: {error}").to_status())
        return
    async with connection:
        await _relay(socket, protocol, connection, target.request)


async def _relay(socket: WebSocket, protocol: Protocol, connection: NodeConnection, request: OpenRequest) -> None:
    inward = asyncio.create_task(_client_to_node(socket, protocol, connection, request))
    outward = asyncio.create_task(_node_to_client(socket, protocol, connection, request))
    try:
        await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (inward, outward):
            task.cancel()
        results = await asyncio.gather(inward, outward, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, Gone):
            raise result


async def _client_to_node(
    socket: WebSocket, protocol: Protocol, connection: NodeConnection, request: OpenRequest
) -> None:
    """Until the client has closed."""
    while (message := await socket.receive()) is not None:
        found = protocol.decode(message)
        if found is None:
            continue
        channel, data = found
        if channel == channels.STDIN and request.stdin:
            await socket.insist(connection.send_input(data), protocol.encode(channels.STDOUT, b""))
        elif channel == channels.RESIZE and request.tty:
            size = channels.read_size(data)
            if size is not None:
                await connection.send(streams.resize_frame(*size))
        elif channel == channels.CLOSE and protocol.closes_channels and data[:1] == b"\x00":
            await connection.send(streams.close_input_frame())


async def _node_to_client(
    socket: WebSocket, protocol: Protocol, connection: NodeConnection, request: OpenRequest
) -> None:
    async for frame in connection.frames():
        if frame.channel in _OUTPUT:
            await socket.send(protocol.encode(_OUTPUT[frame.channel], frame.payload))
        elif frame.channel == streams.END:
            end = streams.read_end(frame)
            await _finish(socket, protocol, channels.status_of(end, doing=_DOING[request.operation]))


async def _finish(socket: WebSocket, protocol: Protocol, status: Manifest) -> None:
    told = channels.status_bytes(protocol, status)
    with suppress(Gone):
        if told is not None:
            await socket.send(protocol.encode(channels.ERROR, told))
        await socket.close()
