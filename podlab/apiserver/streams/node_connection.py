"""The API server's end of a stream to a node: opens it, sends input, yields output. See `registry.streams`."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType

from django.conf import settings

from podlab.registry import streams
from podlab.registry.streams import Address, Decoder, End, Frame, OpenRequest, ProtocolError

CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 2.0
_CHUNK = 64 * 1024


class Unreachable(Exception):
    """The node's stream server does not answer; the text is Go's for a failed dial."""


class NodeConnection:
    """An asynchronous context manager: leaving it hangs up, and the node ends what was opened."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, address: Address, request: OpenRequest) -> NodeConnection:
        """Raises Unreachable."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await cls._open(address, request)
        except TimeoutError:
            raise Unreachable(f"dial {_named(address)}: i/o timeout") from None
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            raise Unreachable(f"dial {_named(address)}: connect: {reason}") from None
        except (ProtocolError, asyncio.IncompleteReadError) as error:
            raise Unreachable(f"dial {_named(address)}: {error}") from None

    @classmethod
    async def _open(cls, address: Address, request: OpenRequest) -> NodeConnection:
        if address.path is not None:
            reader, writer = await asyncio.open_unix_connection(os.fspath(address.path))
        else:
            reader, writer = await asyncio.open_connection(address.host, address.port)
        connection = cls(reader, writer)
        try:
            await connection._greet(request)
        except BaseException:
            writer.close()
            raise
        return connection

    async def _greet(self, request: OpenRequest) -> None:
        key, nonce = streams.key_of(settings.SECRET_KEY), secrets.token_bytes(streams.NONCE_BYTES)
        node_nonce = streams.read_hello(await self._reader.readexactly(streams.HELLO_BYTES))
        await self.send(streams.open_frame(key, request, node_nonce=node_nonce, nonce=nonce))
        header = await self._reader.readexactly(5)
        length = int.from_bytes(header[1:], "big")
        if length != streams.MAC_BYTES:
            raise ProtocolError("what answers there is not a node of this lab")
        opened = Decoder().feed(header + await self._reader.readexactly(length))
        streams.check_opened(key, opened[0], node_nonce=node_nonce, nonce=nonce)

    async def __aenter__(self) -> NodeConnection:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.wait_closed()

    def abort(self) -> None:
        """Hang up without waiting: input that a pod does not read must not hold the end back either."""
        sock = self._writer.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def send(self, frame: Frame) -> None:
        self._writer.write(streams.encode(frame))
        await self._drain()

    async def send_input(self, data: bytes) -> None:
        for piece in streams.encode_data(streams.STDIN, data):
            self._writer.write(piece)
            await self._drain()

    async def _drain(self) -> None:
        with suppress(ConnectionError):  # the reader finds out and says so
            await self._writer.drain()

    def frames(self) -> AsyncIterator[Frame]:
        """STDOUT and STDERR as they come, END last: one is made up if the node goes away without."""
        return _Frames(self._reader)


class _Frames:
    """Not a generator: nothing is left to be closed when somebody stops listening."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._decoder = Decoder()
        self._ready: deque[Frame] = deque()
        self._over = False

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        while not self._ready:
            if self._over:
                raise StopAsyncIteration
            self._ready += await self._read()
        frame = self._ready.popleft()
        self._over = self._over or frame.channel == streams.END
        return frame

    async def _read(self) -> list[Frame]:
        try:
            data = await self._reader.read(_CHUNK)
            if data:
                return self._decoder.feed(data)
            lost = "the node's agent went away"
        except (OSError, ProtocolError) as error:
            lost = f"the connection to the node's agent broke off: {error}"
        return [streams.end_frame(End(None, lost))]


def _named(address: Address) -> str:
    return f"unix {address.path}" if address.path is not None else f"tcp {address}"
