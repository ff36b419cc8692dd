"""Port-forward as kubectl from 1.31 on speaks it: a SPDY connection inside a websocket.

Every local connection comes as two streams with one request id, `error` and `data`. Both get a connection of their own
to the node. Errors go as text on the error stream. Source: kubelet's cri/streaming/portforward/httpstream.go.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from podlab.apiserver.streams import spdy
from podlab.apiserver.streams.node_connection import NodeConnection, Unreachable
from podlab.apiserver.streams.socket import PROBE_SECONDS, Gone, WebSocket
from podlab.apiserver.streams.spdy import Data, Frame, GoAway, Ping, Reset, SpdyError, SynReply, SynStream
from podlab.apiserver.streams.targets import Target
from podlab.registry import streams

logger = logging.getLogger(__name__)

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
MAX_CONNECTIONS = 256
# Messages that wait for a pod that does not read; then the whole tunnel waits, for SPDY has no windows here.
_BACKLOG = 64
_OWN_PING = 2  # a server's have even numbers; the client sends them back


@dataclass(slots=True)
class _Forward:
    """One local connection. The queue holds what the client sent; None is its end."""

    port: int = 0
    error_id: int = 0
    data_id: int = 0
    inbox: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_BACKLOG))
    task: asyncio.Task[None] | None = None


class Tunnel:
    def __init__(self, socket: WebSocket, target: Target) -> None:
        self._socket, self._target = socket, target
        self._decoder, self._encoder = spdy.Decoder(), spdy.Encoder()
        self._by_request: dict[str, _Forward] = {}
        self._by_data: dict[int, _Forward] = {}

    async def run(self) -> None:
        """Until the client leaves."""
        try:
            while (message := await self._socket.receive()) is not None:
                for frame in self._decoder.feed(message):
                    await self._handle(frame)
        except Gone:
            logger.debug("the client of a port-forward is gone")
        except SpdyError as error:
            logger.info("a port-forward ended: %s", error)
            await self._send(GoAway(0, spdy.PROTOCOL_ERROR))
        finally:
            tasks = [one.task for one in self._by_request.values() if one.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._socket.close()

    async def _handle(self, frame: Frame) -> None:
        if isinstance(frame, SynStream):
            await self._open(frame)
        elif isinstance(frame, Data):
            await self._take(frame)
        elif isinstance(frame, Ping):
            if frame.id % 2:
                await self._send(frame)
        elif isinstance(frame, Reset):
            self._drop(frame.id)

    async def _open(self, frame: SynStream) -> None:
        """A stream of a pair; with the second one the forwarding begins."""
        headers = frame.headers
        request, kind, port = headers.get("requestid", ""), headers.get("streamtype", ""), headers.get("port", "")
        full = len(self._by_request) >= MAX_CONNECTIONS and request not in self._by_request
        number = streams.port_number(port)
        if full or kind not in {"error", "data"} or number is None:
            await self._send(Reset(frame.id, spdy.REFUSED_STREAM))
            return
        forward = self._by_request.setdefault(request, _Forward())
        forward.port = number
        if kind == "error":
            forward.error_id = frame.id
        else:
            forward.data_id = frame.id
            self._by_data[frame.id] = forward
        await self._send(SynReply(frame.id))
        if forward.error_id and forward.data_id and forward.task is None:
            forward.task = asyncio.create_task(self._forward(request, forward))

    async def _take(self, frame: Data) -> None:
        forward = self._by_data.get(frame.id)
        if forward is None:
            return
        if frame.payload:
            await self._put(forward, frame.payload)
        if frame.fin:
            await self._put(forward, None)

    async def _put(self, forward: _Forward, item: bytes | None) -> None:
        """Wait for room, unless the connection ends meanwhile."""
        while forward.task is None or not forward.task.done():
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await forward.inbox.put(item)
                return
            except TimeoutError:
                await self._send(Ping(_OWN_PING))  # finds out whether the client is still there

    def _drop(self, stream: int) -> None:
        forward = self._by_data.get(stream)
        if forward is not None and forward.task is not None:
            forward.task.cancel()

    async def _forward(self, request: str, forward: _Forward) -> None:
        problem = ""
        try:
            async with await NodeConnection.open(self._target.address, self._target.port(forward.port)) as connection:
                problem = await self._relay(forward, connection)
        except Unreachable as error:
            problem = f"error dialing backend: {error}"
        except Gone:
            return
        finally:
            self._by_request.pop(request, None)
            self._by_data.pop(forward.data_id, None)
        await self._end(forward, problem)

    async def _relay(self, forward: _Forward, connection: NodeConnection) -> str:
        """Both ways until the pod's side has ended; what went wrong."""
        inward = asyncio.create_task(self._client_to_pod(forward, connection))
        try:
            async for frame in connection.frames():
                if frame.channel == streams.STDOUT:
                    for piece in spdy.data(forward.data_id, frame.payload):
                        await self._send(piece)
                elif frame.channel == streams.END:
                    return streams.read_end(frame).error
        finally:
            inward.cancel()
            await asyncio.gather(inward, return_exceptions=True)
        return ""

    @staticmethod
    async def _client_to_pod(forward: _Forward, connection: NodeConnection) -> None:
        while (data := await forward.inbox.get()) is not None:
            await connection.send_input(data)
        await connection.send(streams.close_input_frame())

    async def _end(self, forward: _Forward, problem: str) -> None:
        try:
            if problem:
                uid = self._target.pod["metadata"]["uid"]
                name = self._target.pod["metadata"]["name"]
                text = f"error forwarding port {forward.port} to pod {name}, uid {uid}: {problem}"
                await self._send(Data(forward.error_id, text.encode()))
            await self._send(Data(forward.error_id, fin=True))
            await self._send(Data(forward.data_id, fin=True))
        except Gone:
            return

    async def _send(self, frame: Frame) -> None:
        await self._socket.send(self._encoder.encode(frame))
