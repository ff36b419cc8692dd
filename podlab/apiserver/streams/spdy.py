"""SPDY/3.1 frames, as far as port-forward needs them: bytes to frames and back. Pure.

kubectl from 1.31 on puts this byte stream into websocket messages. Control frames: 8003, type, flags, length; data
frames: stream id, flags, length. Headers are compressed with one context per direction and the dictionary of the SPDY/3
draft. Windows are not used on either side. Source: the SPDY Protocol draft 3.1; moby/spdystream for what is sent.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 1
PROTOCOL_ERROR, REFUSED_STREAM, CANCEL, INTERNAL_ERROR = 1, 3, 5, 6
MAX_FRAME = 1024 * 1024
MAX_HEADERS = 64 * 1024
CHUNK = 32 * 1024
_CONTROL = 0x8000
_VERSION = 3
_ID = 0x7FFFFFFF

_WORDS = [
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
] + ["200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"]
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in _WORDS) + _TAIL.encode()


class SpdyError(Exception):
    """The bytes are not SPDY, or more than is borne."""


@dataclass(frozen=True, slots=True)
class SynStream:
    id: int
    headers: Mapping[str, str] = field(default_factory=dict)
    fin: bool = False


@dataclass(frozen=True, slots=True)
class SynReply:
    id: int
    headers: Mapping[str, str] = field(default_factory=dict)
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    id: int
    payload: bytes = b""
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    id: int
    status: int


@dataclass(frozen=True, slots=True)
class Ping:
    id: int


@dataclass(frozen=True, slots=True)
class GoAway:
    last: int
    status: int = 0


Frame = SynStream | SynReply | Data | Reset | Ping | GoAway


class Decoder:
    """Frames out of bytes as they come. Raises SpdyError; the connection is then of no more use."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> list[Frame]:
        self._rest += data
        found: list[Frame] = []
        at = 0
        while len(self._rest) - at >= 8:
            head, flags_length = struct.unpack_from(">II", self._rest, at)
            flags, length = flags_length >> 24, flags_length & 0xFFFFFF
            if length > MAX_FRAME:
                raise SpdyError(f"a frame of {length} bytes is too large")
            end = at + 8 + length
            if end > len(self._rest):
                break
            frame = self._frame(head, flags, bytes(self._rest[at + 8 : end]))
            if frame is not None:
                found.append(frame)
            at = end
        del self._rest[:at]
        return found

    @property
    def waiting(self) -> int:
        """Bytes of a frame that is not complete."""
        return len(self._rest)

    def _frame(self, head: int, flags: int, body: bytes) -> Frame | None:
        if not head >> 31:
            return Data(head & _ID, body, bool(flags & FIN))
        if head >> 16 != _CONTROL | _VERSION:
            raise SpdyError(f"version {(head >> 16) & 0x7FFF} is not spoken here")
        kind = head & 0xFFFF
        if kind == SYN_STREAM:
            stream, _, _ = _unpack(">IIH", body)
            return SynStream(stream & _ID, self._headers(body[10:]), bool(flags & FIN))
        if kind == SYN_REPLY:
            (stream,) = _unpack(">I", body)
            return SynReply(stream & _ID, self._headers(body[4:]), bool(flags & FIN))
        if kind == RST_STREAM:
            stream, status = _unpack(">II", body)
            return Reset(stream & _ID, status)
        if kind == PING:
            return Ping(_unpack(">I", body)[0])
        if kind == GOAWAY:
            last, status = _unpack(">II", body)
            return GoAway(last & _ID, status)
        if kind == HEADERS:
            self._headers(body[4:])  # nobody wants them, but they move the context of the compression
            return None
        if kind in {SETTINGS, WINDOW_UPDATE}:
            return None
        raise SpdyError(f"control frame {kind} is not known")

    def _headers(self, block: bytes) -> dict[str, str]:
        if not block:
            return {}
        try:
            plain = self._inflate.decompress(block, MAX_HEADERS)
        except zlib.error as error:
            raise SpdyError(f"the headers cannot be read: {error}") from None
        if self._inflate.unconsumed_tail:
            raise SpdyError("the headers are too large")
        return _parse_headers(plain)


def _unpack(form: str, body: bytes) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, body)
    except struct.error:
        raise SpdyError("a control frame is too short") from None


def _parse_headers(plain: bytes) -> dict[str, str]:
    """Names in lower case."""
    (count,) = _unpack(">I", plain)
    found: dict[str, str] = {}
    at = 4
    texts: list[str] = []
    for _ in range(count * 2):
        (length,) = _unpack(">I", plain[at : at + 4])
        at += 4
        if length > len(plain) - at:
            raise SpdyError("a header is cut off")
        texts.append(plain[at : at + length].decode("latin-1"))
        at += length
    for name, value in zip(texts[::2], texts[1::2], strict=True):
        found[name.lower()] = value
    return found


class Encoder:
    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def encode(self, frame: Frame) -> bytes:
        """A Data frame must not be longer than MAX_FRAME; see `data`."""
        if isinstance(frame, Data):
            if len(frame.payload) > MAX_FRAME:
                raise SpdyError(f"a frame of {len(frame.payload)} bytes is too large")
            length = len(frame.payload) | (FIN << 24 if frame.fin else 0)
            return struct.pack(">II", frame.id, length) + frame.payload
        if isinstance(frame, SynStream):
            body = struct.pack(">IIH", frame.id, 0, 0) + self._headers(frame.headers)
            return _control(SYN_STREAM, body, fin=frame.fin)
        if isinstance(frame, SynReply):
            return _control(SYN_REPLY, struct.pack(">I", frame.id) + self._headers(frame.headers), fin=frame.fin)
        if isinstance(frame, Reset):
            return _control(RST_STREAM, struct.pack(">II", frame.id, frame.status))
        if isinstance(frame, Ping):
            return _control(PING, struct.pack(">I", frame.id))
        return _control(GOAWAY, struct.pack(">II", frame.last, frame.status))

    def _headers(self, headers: Mapping[str, str]) -> bytes:
        parts = [struct.pack(">I", len(headers))]
        for name, value in headers.items():
            for text in (name.lower().encode("latin-1"), value.encode("latin-1")):
                parts.append(struct.pack(">I", len(text)) + text)
        return self._deflate.compress(b"".join(parts)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def _control(kind: int, body: bytes, *, fin: bool = False) -> bytes:
    return struct.pack(">HHI", _CONTROL | _VERSION, kind, len(body) | (FIN << 24 if fin else 0)) + body


def data(stream: int, payload: bytes) -> list[Data]:
    """Data of any length in frames of a usual size."""
    return [Data(stream, payload[at : at + CHUNK]) for at in range(0, len(payload), CHUNK)]
