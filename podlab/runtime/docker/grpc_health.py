"""gRPC probes: one call of grpc.health.v1.Health/Check over plain HTTP/2, in the words of the kubelet and of grpc-go.

pkg/probe/grpc/grpc.go. The two messages of the health protocol are a string and an enumeration, written out here; HTTP/2
is the `h2` library's. As grpc-go does it, a connection counts only when the server has said its first SETTINGS, and one
that is refused is tried again until the time is over.
"""

from __future__ import annotations

import http
import socket
from dataclasses import dataclass, field
from urllib.parse import unquote

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from podlab.apis.times import go_duration
from podlab.clock import monotonic, pause
from podlab.runtime.calls import GrpcResult

_PATH = "/grpc.health.v1.Health/Check"
_USER_AGENT = "kube-probe/1.36"
_RECONNECT = 1.0  # grpc-go's first back-off
_CHUNK = 64 * 1024
_LIMIT = 1024 * 1024  # of an answer
_SERVING = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_CODES = (
    "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied",
    "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable",
    "DataLoss", "Unauthenticated",
)  # fmt: skip
_BY_HTTP = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
_DEADLINE_EXCEEDED, _UNIMPLEMENTED, _UNKNOWN, _INTERNAL, _UNAVAILABLE = 4, 12, 2, 13, 14


@dataclass(slots=True)
class _Answer:
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Failed(Exception):
    """The call ended with this gRPC status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def check(host: str, port: int, service: str, timeout: float) -> GrpcResult:
    """Never raises."""
    began = monotonic()
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    until = began + timeout
    try:
        link = _connect(host, port, until)
    except TimeoutError:
        text = f'failed to connect service "{address}" within {go_duration(timeout)}: context deadline exceeded'
        return GrpcResult(False, f"timeout: {text}", monotonic() - began)
    try:
        status = _call(link, address, service, until)
    except TimeoutError:
        return _rpc_failed(_Failed(_DEADLINE_EXCEEDED, ""), timeout, began)
    except _Failed as failed:
        return _rpc_failed(failed, timeout, began)
    finally:
        link.socket.close()
    if status != "SERVING":
        return GrpcResult(False, f'service unhealthy (responded with "{status}")', monotonic() - began)
    return GrpcResult(True, "service healthy", monotonic() - began)


def _rpc_failed(failed: _Failed, timeout: float, began: float) -> GrpcResult:
    if failed.code == _DEADLINE_EXCEEDED:
        text = f"timeout: health rpc did not complete within {go_duration(timeout)}"
    elif failed.code == _UNIMPLEMENTED:
        text = (
            f"error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {failed.message}"
        )
    else:
        name = _CODES[failed.code] if failed.code < len(_CODES) else f"Code({failed.code})"
        text = f"error: health rpc probe failed: rpc error: code = {name} desc = {failed.message}"
    return GrpcResult(False, text, monotonic() - began)


@dataclass(slots=True)
class _Link:
    socket: socket.socket
    http2: h2.connection.H2Connection

    def flush(self) -> None:
        self.socket.sendall(self.http2.data_to_send())

    def receive(self, until: float) -> list[h2.events.Event]:
        """What the server has said next. Raises TimeoutError, and OSError when it is gone."""
        self.socket.settimeout(_left(until))
        data = self.socket.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("error reading from server: EOF")
        events = list(self.http2.receive_data(data))
        self.flush()
        return events


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect(host: str, port: int, until: float) -> _Link:
    while True:
        try:
            return _open(host, port, until)
        except TimeoutError:
            raise
        except (OSError, h2.exceptions.ProtocolError):
            pause(min(_RECONNECT, _left(until)))


def _open(host: str, port: int, until: float) -> _Link:
    made = socket.create_connection((host, port), timeout=_left(until))
    try:
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        link = _Link(made, h2.connection.H2Connection(config=config))
        link.http2.initiate_connection()
        link.flush()
        while not any(isinstance(event, h2.events.RemoteSettingsChanged) for event in link.receive(until)):
            continue
    except BaseException:
        made.close()
        raise
    return link


def _call(link: _Link, address: str, service: str, until: float) -> str:
    headers = [
        (":method", "POST"), (":scheme", "http"), (":path", _PATH), (":authority", address),
        ("content-type", "application/grpc"), ("user-agent", f"{_USER_AGENT} grpc-go"), ("te", "trailers"),
    ]  # fmt: skip
    try:
        stream = link.http2.get_next_available_stream_id()
        link.http2.send_headers(stream, headers)
        link.http2.send_data(stream, _request(service), end_stream=True)
        link.flush()
        answer = _answer(link, stream, until)
    except TimeoutError:
        raise
    except (OSError, h2.exceptions.ProtocolError, UnicodeDecodeError) as error:
        raise _Failed(_UNAVAILABLE, str(error)) from None
    return _read(answer)


def _answer(link: _Link, stream: int, until: float) -> _Answer:
    answer = _Answer()
    while True:
        for event in link.receive(until):
            if isinstance(event, h2.events.ConnectionTerminated):
                raise _Failed(_UNAVAILABLE, "the connection is draining")
            if getattr(event, "stream_id", None) != stream:
                continue
            if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                answer.headers |= {str(name): str(value) for name, value in event.headers}
            elif isinstance(event, h2.events.DataReceived):
                answer.body += event.data
                link.http2.acknowledge_received_data(event.flow_controlled_length, stream)
                if len(answer.body) > _LIMIT:
                    raise _Failed(8, f"grpc: received message larger than max ({len(answer.body)} vs. {_LIMIT})")
            elif isinstance(event, h2.events.StreamReset):
                raise _Failed(_INTERNAL, f"stream terminated by RST_STREAM with error code: {int(event.error_code)}")
            elif isinstance(event, h2.events.StreamEnded):
                return answer
        link.flush()


def _read(answer: _Answer) -> str:
    """The health status of an answer that is complete."""
    status, kind = answer.headers.get(":status", ""), answer.headers.get("content-type", "")
    if status != "200" or not kind.startswith("application/grpc"):
        raise _no_grpc(status, kind)
    code = answer.headers.get("grpc-status", "")
    if code != "0":
        message = unquote(answer.headers.get("grpc-message", ""))
        raise _Failed(int(code) if code.isdigit() else _UNKNOWN, message)
    number = _health(answer.body)
    return _SERVING.get(number, str(number))


def _no_grpc(status: str, kind: str) -> _Failed:
    """transport/http2_client.go: what an HTTP server that knows no gRPC has answered."""
    number = int(status) if status.isdigit() else 0
    parts = []
    if number != 200:
        reason = http.HTTPStatus(number).phrase if number in set(http.HTTPStatus) else ""
        parts.append(f"unexpected HTTP status code received from server: {number} ({reason})")
    if not kind:
        parts.append("malformed header: missing HTTP content-type")
    elif not kind.startswith("application/grpc"):
        parts.append(f'transport: received unexpected content-type "{kind}"')
    return _Failed(_BY_HTTP.get(number, _UNKNOWN), "; ".join(parts))


def _request(service: str) -> bytes:
    """HealthCheckRequest {string service = 1}, behind its five bytes of gRPC."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return b"\x00" + len(message).to_bytes(4, "big") + message


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _health(body: bytes) -> int:
    """HealthCheckResponse {ServingStatus status = 1}; what is not there is 0, other fields are skipped."""
    if len(body) < 5 or body[0] != 0:
        raise _Failed(_INTERNAL, "grpc: the answer cannot be read")
    message, found, at = body[5 : 5 + int.from_bytes(body[1:5], "big")], 0, 0
    try:
        while at < len(message):
            key, at = _number(message, at)
            value, at = _number(message, at)
            if key == 0x08:
                found = value
            elif key & 7 == 2:
                at += value
            elif key & 7:
                raise ValueError
    except (IndexError, ValueError):
        raise _Failed(_INTERNAL, "grpc: failed to unmarshal the received message") from None
    return found


def _number(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
