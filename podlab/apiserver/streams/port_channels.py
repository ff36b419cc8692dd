"""Port-forward as the Python client speaks it: one websocket, for port number i of the query the channels 2i (data) and
2i+1 (error). Each begins with the port itself, two bytes, little-endian. Source: kubelet's portforward/websocket.go."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from podlab.apis import status_errors
from podlab.apiserver.calls import Call
from podlab.apiserver.streams.channels import Protocol
from podlab.apiserver.streams.node_connection import NodeConnection, Unreachable
from podlab.apiserver.streams.socket import Gone, WebSocket
from podlab.apiserver.streams.targets import Target
from podlab.registry import streams

MAX_PORTS = 64
_BACKLOG = 64


def read_ports(call: Call) -> list[int]:
    """Of the query: `ports=80&ports=443` or `ports=80,443`."""
    texts = [part for value in call.query.getlist("ports") for part in value.split(",")]
    if not texts:
        raise status_errors.bad_request('query parameter "ports" is required')
    ports = []
    for text in texts:
        port = streams.port_number(text)
        if port is None:
            raise status_errors.bad_request(f"unable to parse {text!r} as a port")
        ports.append(port)
    if len(ports) > MAX_PORTS:
        raise status_errors.bad_request(f"at most {MAX_PORTS} ports can be forwarded at once")
    return ports


async def run(socket: WebSocket, target: Target, ports: list[int], protocol: Protocol) -> None:
    """Until all servers have hung up, or the client leaves."""
    inboxes: list[asyncio.Queue[bytes]] = [asyncio.Queue(_BACKLOG) for _ in ports]
    for index, port in enumerate(ports):
        for channel in (2 * index, 2 * index + 1):
            await socket.send(protocol.encode(channel, port.to_bytes(2, "little")))
    tasks = [
        asyncio.create_task(_forward(socket, target, protocol, index, port, inboxes[index]))
        for index, port in enumerate(ports)
    ]
    reading = asyncio.create_task(_read(socket, protocol, inboxes))
    forwarding = asyncio.create_task(_all(tasks))
    try:
        await asyncio.wait({reading, forwarding}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (reading, forwarding, *tasks):
            task.cancel()
        await asyncio.gather(reading, forwarding, *tasks, return_exceptions=True)
    with suppress(Gone):
        await socket.close()


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


async def _read(socket: WebSocket, protocol: Protocol, inboxes: list[asyncio.Queue[bytes]]) -> None:
    while (message := await socket.receive()) is not None:
        found = protocol.decode(message)
        if found is None or found[0] % 2 or not 0 <= found[0] // 2 < len(inboxes):
            continue
        channel, data = found
        if data:
            await socket.insist(inboxes[channel // 2].put(data), protocol.encode(channel, b""))


async def _forward(
    socket: WebSocket, target: Target, protocol: Protocol, index: int, port: int, inbox: asyncio.Queue[bytes]
) -> None:
    problem = ""
    try:
        async with await NodeConnection.open(target.address, target.port(port)) as connection:
            inward = asyncio.create_task(_client_to_pod(connection, inbox))
            try:
                async for frame in connection.frames():
                    if frame.channel == streams.STDOUT:
                        await socket.send(protocol.encode(2 * index, frame.payload))
                    elif frame.channel == streams.END:
                        problem = streams.read_end(frame).error
            finally:
                inward.cancel()
                await asyncio.gather(inward, return_exceptions=True)
    except Unreachable as error:
        problem = f"error dialing backend: {error}"
    if problem:
        metadata = target.pod["metadata"]
        text = f"error forwarding port {port} to pod {metadata['name']}, uid {metadata['uid']}: {problem}"
        await socket.send(protocol.encode(2 * index + 1, text.encode()))


async def _client_to_pod(connection: NodeConnection, inbox: asyncio.Queue[bytes]) -> None:
    while True:
        await connection.send_input(await inbox.get())
