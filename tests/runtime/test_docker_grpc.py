"""gRPC probes against small HTTP/2 servers on this machine: no engine is needed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import h2.config
import h2.connection
import h2.events
import pytest

from podlab.clock import monotonic
from podlab.runtime.docker import grpc_health

Script = Callable[[h2.connection.H2Connection, int, bytes], None]
HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


@contextmanager
def server(script: Script | None) -> Iterator[tuple[int, list[bytes]]]:
    """Answers each call by `script(connection, stream, body)`; None accepts and never speaks. Yields port and bodies."""
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            with link:
                try:
                    talk(link)
                except OSError:
                    continue

    def talk(link: socket.socket) -> None:
        made = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        made.initiate_connection()
        if script is not None:
            link.sendall(made.data_to_send())
        body = b""
        while data := link.recv(65536):
            for event in made.receive_data(data) if script is not None else ():
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                if isinstance(event, h2.events.StreamEnded) and script is not None:
                    seen.append(body)
                    script(made, event.stream_id, body)
                    link.sendall(made.data_to_send())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], seen
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def says(message: bytes) -> Script:
    def script(link: h2.connection.H2Connection, stream: int, body: bytes) -> None:
        link.send_headers(stream, HEADERS)
        link.send_data(stream, b"\0" + len(message).to_bytes(4, "big") + message)
        link.send_headers(stream, [("grpc-status", "0")], end_stream=True)

    return script


def fails(*headers: tuple[str, str]) -> Script:
    def script(link: h2.connection.H2Connection, stream: int, body: bytes) -> None:
        link.send_headers(stream, list(headers), end_stream=True)

    return script


def resets(link: h2.connection.H2Connection, stream: int, body: bytes) -> None:
    link.reset_stream(stream, error_code=2)


def goes(link: h2.connection.H2Connection, stream: int, body: bytes) -> None:
    link.close_connection()


ANSWERS: dict[str, tuple[Script, str]] = {
    "serving": (says(b"\x08\x01"), "service healthy"),
    "serving, and a field of tomorrow": (says(b"\x12\x02hi\x08\x01"), "service healthy"),
    "not serving": (says(b"\x08\x02"), 'service unhealthy (responded with "NOT_SERVING")'),
    "nothing said is unknown": (says(b""), 'service unhealthy (responded with "UNKNOWN")'),
    "a status of tomorrow": (says(b"\x08\x09"), 'service unhealthy (responded with "9")'),
    "an unknown service": (
        fails(*HEADERS, ("grpc-status", "5"), ("grpc-message", "unknown%20service")),
        "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
    ),
    "no health protocol": (
        fails(*HEADERS, ("grpc-status", "12"), ("grpc-message", "unknown service grpc.health.v1.Health")),
        "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
        "unknown service grpc.health.v1.Health",
    ),
    "an HTTP server": (
        fails((":status", "404"), ("content-type", "text/plain")),
        "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
        "unexpected HTTP status code received from server: 404 (Not Found); "
        'transport: received unexpected content-type "text/plain"',
    ),
    "a reset": (
        resets,
        "error: health rpc probe failed: rpc error: code = Internal desc = "
        "stream terminated by RST_STREAM with error code: 2",
    ),
    "a server that goes": (
        goes,
        "error: health rpc probe failed: rpc error: code = Unavailable desc = the connection is draining",
    ),
    "broken bytes": (
        says(b"\x08"),
        "error: health rpc probe failed: rpc error: code = Internal desc = "
        "grpc: failed to unmarshal the received message",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_answers(case: str) -> None:
    script, message = ANSWERS[case]
    with server(script) as (port, _):
        found = grpc_health.check("127.0.0.1", port, "", 5)
    assert (found.message, found.ok) == (message, message == "service healthy")


def test_the_service_is_named() -> None:
    with server(says(b"\x08\x01")) as (port, seen):
        grpc_health.check("127.0.0.1", port, "my.service", 5)
        grpc_health.check("127.0.0.1", port, "", 5)
    assert seen == [b"\0\0\0\0\x0c\x0a\x0amy.service", b"\0\0\0\0\0"]


def test_a_server_that_says_nothing_is_not_connected_to() -> None:
    with server(None) as (port, _):
        found = grpc_health.check("127.0.0.1", port, "", 0.2)
    assert found.message == (
        f'timeout: failed to connect service "127.0.0.1:{port}" within 200ms: context deadline exceeded'
    )


def test_a_refused_connection_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    began = monotonic()
    found = grpc_health.check("127.0.0.1", port, "", 0.3)
    assert found.message.startswith(f'timeout: failed to connect service "127.0.0.1:{port}" within 300ms: ')
    assert monotonic() - began >= 0.3


def test_a_call_without_an_answer_runs_out_of_time() -> None:
    with server(lambda link, stream, body: None) as (port, _):
        found = grpc_health.check("127.0.0.1", port, "", 0.3)
    assert found.message == "timeout: health rpc did not complete within 300ms"
