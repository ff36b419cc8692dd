"""A command in a container whose whole output is wanted, within bounds: for pages that look into a pod."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from podlab.apis import status_errors
from podlab.apiserver.streams.node_connection import NodeConnection, Unreachable
from podlab.apiserver.streams.targets import Target
from podlab.registry import streams

_MOST_ERRORS = 16 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` None: not known, or it was not let to its end. `error`: what broke the stream. `cut`: there was more output
    than was wanted. `late`: the time was over."""

    out: bytes
    err: bytes = b""
    code: int | None = None
    error: str = ""
    cut: bool = False
    late: bool = False

    @property
    def told(self) -> str:
        """What it complained of."""
        return (self.error or self.err.decode("utf-8", "replace")).strip()


async def run(target: Target, *, stdin: bytes | None, most: int, seconds: float) -> Answer:
    """`most` bytes of output are kept; with more, or after `seconds`, the command is ended. Raises ApiError when the node
    cannot be reached."""
    try:
        connection = await NodeConnection.open(target.address, target.request)
    except Unreachable as error:
        raise status_errors.internal(f"error dialing backend: {error}") from None
    out, err = bytearray(), bytearray()
    async with connection:
        try:
            async with asyncio.timeout(seconds):
                if stdin is not None:
                    await connection.send_input(stdin)
                    await connection.send(streams.close_input_frame())
                async for frame in connection.frames():
                    if frame.channel == streams.STDOUT:
                        out += frame.payload
                    elif frame.channel == streams.STDERR:
                        err += frame.payload[: _MOST_ERRORS - len(err)]
                    elif frame.channel == streams.END:
                        end = streams.read_end(frame)
                        return Answer(bytes(out[:most]), bytes(err), end.exit_code, end.error, cut=len(out) > most)
                    if len(out) > most:
                        break
        except TimeoutError:
            return Answer(bytes(out), bytes(err), late=True)
    return Answer(bytes(out[:most]), bytes(err), cut=True)
