"""Splits the engine's multiplexed streams: frames of an 8-byte header (stream, three zeros, length) and a payload."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}
_HEADER = struct.Struct(">BxxxL")


def split(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """(stream, payload) per frame, whatever the chunks' borders are. A frame that is cut off at the end is dropped."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        at = 0
        while len(data) - at >= _HEADER.size:
            kind, length = _HEADER.unpack_from(data, at)
            end = at + _HEADER.size + length
            if end > len(data):
                break
            yield STREAMS.get(kind, "stdout"), data[at + _HEADER.size : end]
            at = end
        rest = data[at:]
