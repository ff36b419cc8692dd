"""What a front door and a node say to each other when somebody execs, attaches or forwards a port: pure, no sockets.

The API server dials the address that the node's agent publishes on its Node object, as the real one dials a kubelet.
`kubelet.stream_server` answers there, `apiserver.streams.node_connection` calls; neither knows the other. One connection
carries one stream:

    node   GREETING and a nonce of 32 bytes
    caller OPEN frame: MAC, own nonce, the request as JSON        (the MAC covers both nonces and the request)
    node   OPENED frame: MAC over both nonces                     (so that the caller knows whom it reached)
    both   frames: STDIN, RESIZE and CLOSE one way, STDOUT and STDERR the other; END is the node's last

A frame is a byte for the channel, four for the length, and the payload. The key never travels.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

ADDRESS_ANNOTATION = "podlab.dev/stream-address"
GREETING = b"podlab-stream/1\n"
NONCE_BYTES = 32
MAC_BYTES = 32
HELLO_BYTES = len(GREETING) + NONCE_BYTES

STDIN, STDOUT, STDERR, END, RESIZE, OPEN, OPENED, CLOSE = 0, 1, 2, 3, 4, 16, 17, 255
CHANNELS = frozenset({STDIN, STDOUT, STDERR, END, RESIZE, OPEN, OPENED, CLOSE})

EXEC, ATTACH, DIAL = "exec", "attach", "dial"
OPERATIONS = frozenset({EXEC, ATTACH, DIAL})

MAX_PAYLOAD = 256 * 1024
CHUNK = 32 * 1024
_HEADER = struct.Struct(">BI")
_SIZE = struct.Struct(">HH")


class ProtocolError(Exception):
    """The other end does not speak this protocol."""


@dataclass(frozen=True, slots=True)
class Frame:
    channel: int
    payload: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """`uid` is the pod's. `command` belongs to exec, `port` to dial."""

    operation: str
    cluster: str
    node: str
    namespace: str
    pod: str
    uid: str
    container: str = ""
    command: tuple[str, ...] = ()
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False
    port: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """How a stream ended. `exit_code` None: there was no command, or it is not known. `error`: it could not be opened,
    or broke off."""

    exit_code: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """A Unix socket, or a host and a port."""

    path: Path | None = None
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Of the annotation; raises ProtocolError."""
    if text.startswith("unix:/"):
        return Address(path=Path(text.removeprefix("unix:")))
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ProtocolError(f"{text!r} is not the address of a node's stream server")
    return Address(host=host, port=int(port))


def key_of(secret: str) -> bytes:
    """The key that all processes of a lab derive from its secret."""
    return hmac.digest(secret.encode(), b"podlab node streams", hashlib.sha256)


def port_number(text: str) -> int | None:
    """A port as people write it; None for what is none. `²` is a digit to Python, and no number."""
    return int(text) if text.isdecimal() and len(text) < 6 and 0 < int(text) < 65536 else None


def encode(frame: Frame) -> bytes:
    if len(frame.payload) > MAX_PAYLOAD:
        raise ProtocolError(f"a frame of {len(frame.payload)} bytes is too large")
    return _HEADER.pack(frame.channel, len(frame.payload)) + frame.payload


def encode_data(channel: int, data: bytes) -> Iterator[bytes]:
    """Data of any length in frames; none for no data."""
    for at in range(0, len(data), CHUNK):
        yield encode(Frame(channel, data[at : at + CHUNK]))


class Decoder:
    """Frames out of bytes as they come. Holds at most one frame; raises ProtocolError for what cannot be one."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        self._rest += data
        found: list[Frame] = []
        at = 0
        while len(self._rest) - at >= _HEADER.size:
            channel, length = _HEADER.unpack_from(self._rest, at)
            if channel not in CHANNELS or length > MAX_PAYLOAD:
                raise ProtocolError(f"channel {channel} with {length} bytes is no frame of this protocol")
            end = at + _HEADER.size + length
            if end > len(self._rest):
                break
            found.append(Frame(channel, bytes(self._rest[at + _HEADER.size : end])))
            at = end
        del self._rest[:at]
        return found

    @property
    def waiting(self) -> int:
        """Bytes of a frame that is not complete."""
        return len(self._rest)


# Opening


def open_frame(key: bytes, request: OpenRequest, *, node_nonce: bytes, nonce: bytes) -> Frame:
    body = json.dumps(asdict(request), separators=(",", ":")).encode()
    return Frame(OPEN, _mac(key, b"open", node_nonce, nonce, body) + nonce + body)


def read_open(key: bytes, frame: Frame, *, node_nonce: bytes) -> tuple[OpenRequest, bytes]:
    """The request and the caller's nonce; ProtocolError when the caller does not know the key."""
    payload = frame.payload
    if frame.channel != OPEN or len(payload) < MAC_BYTES + NONCE_BYTES:
        raise ProtocolError("the stream does not begin with a request")
    mac, nonce = payload[:MAC_BYTES], payload[MAC_BYTES : MAC_BYTES + NONCE_BYTES]
    body = payload[MAC_BYTES + NONCE_BYTES :]
    if not hmac.compare_digest(mac, _mac(key, b"open", node_nonce, nonce, body)):
        raise ProtocolError("the caller does not belong to this lab")
    return _request(body), nonce


def _request(body: bytes) -> OpenRequest:
    try:
        found: dict[str, Any] = json.loads(body)
        known = {item.name: found[item.name] for item in fields(OpenRequest)}
        request = OpenRequest(**{**known, "command": tuple(map(str, known["command"]))})
    except (ValueError, KeyError, TypeError) as error:
        raise ProtocolError(f"the request cannot be read: {error}") from None
    if request.operation not in OPERATIONS:
        raise ProtocolError(f"{request.operation!r} is no operation")
    return request


def opened_frame(key: bytes, *, node_nonce: bytes, nonce: bytes) -> Frame:
    return Frame(OPENED, _mac(key, b"opened", node_nonce, nonce))


def check_opened(key: bytes, frame: Frame, *, node_nonce: bytes, nonce: bytes) -> None:
    expected = _mac(key, b"opened", node_nonce, nonce)
    if frame.channel != OPENED or not hmac.compare_digest(frame.payload, expected):
        raise ProtocolError("what answers there is not a node of this lab")


def read_hello(data: bytes) -> bytes:
    """The nonce in a node's first HELLO_BYTES."""
    if len(data) != HELLO_BYTES or not data.startswith(GREETING):
        raise ProtocolError("what answers there is not a node of this lab")
    return data[len(GREETING) :]


def _mac(key: bytes, *parts: bytes) -> bytes:
    whole = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(key, whole, hashlib.sha256)


# Small payloads


def end_frame(end: End) -> Frame:
    return Frame(END, json.dumps({"exitCode": end.exit_code, "error": end.error[:CHUNK]}).encode())


def read_end(frame: Frame) -> End:
    try:
        found = json.loads(frame.payload)
        code = found["exitCode"]
        return End(None if code is None else int(code), str(found["error"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ProtocolError(f"the end of the stream cannot be read: {error}") from None


def resize_frame(width: int, height: int) -> Frame:
    return Frame(RESIZE, _SIZE.pack(min(max(width, 0), 65535), min(max(height, 0), 65535)))


def read_resize(frame: Frame) -> tuple[int, int]:
    if len(frame.payload) != _SIZE.size:
        raise ProtocolError("a window size has four bytes")
    width, height = _SIZE.unpack(frame.payload)
    return int(width), int(height)


def close_input_frame() -> Frame:
    """No more STDIN will come."""
    return Frame(CLOSE, bytes((STDIN,)))
