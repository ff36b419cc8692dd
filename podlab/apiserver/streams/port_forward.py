"""portforward over a websocket: which of its two protocols is spoken."""

from __future__ import annotations

from podlab.apiserver import pool
from podlab.apiserver.calls import Call
from podlab.apiserver.streams import channels, port_channels, targets, tunnel
from podlab.apiserver.streams.channels import Protocol
from podlab.apiserver.streams.socket import WebSocket

_TUNNEL = Protocol(tunnel.PROTOCOL, 0)


async def serve(socket: WebSocket, call: Call) -> None:
    """Raises ApiError before the handshake is answered."""
    target = await pool.run(lambda: targets.port_forward(call))
    protocol = channels.choose(socket.offered, (_TUNNEL, *channels.PORT_FORWARD), channels.PORT_FORWARD[0])
    if protocol is _TUNNEL:
        await socket.accept(protocol.name)
        await tunnel.Tunnel(socket, target).run()
        return
    ports = port_channels.read_ports(call)
    await socket.accept(protocol.name if socket.offered else "")
    await port_channels.run(socket, target, ports, protocol)
