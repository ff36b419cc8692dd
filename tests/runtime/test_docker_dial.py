"""HTTP and TCP probes against servers on this machine: no engine is needed."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from podlab.clock import RealClock
from podlab.runtime.calls import HttpRequest, HttpResult
from podlab.runtime.docker import dial

LATE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
Answer = Callable[[socket.socket, bytes], None]


@pytest.fixture
def clock() -> Iterator[RealClock]:
    made = RealClock()
    yield made
    made.close()


@contextmanager
def server(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Answers one connection after the other; yields its port and the requests it saw."""
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) if context else connection as talk:
                    request = talk.recv(65536)
                    seen.append(request)
                    answer(talk, request)
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], seen
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def says(data: bytes) -> Answer:
    return lambda talk, request: talk.sendall(data)


def get(clock: RealClock, port: int, path: str = "/", *, timeout: float = 5, **more: object) -> HttpResult:
    return dial.http_get(HttpRequest("HTTP", "127.0.0.1", port, path, **more), timeout, clock=clock)  # type: ignore[arg-type]


def test_a_page(clock: RealClock) -> None:
    with server(says(OK)) as (port, seen):
        found = get(clock, port, "/ok?a=b")
    assert (found.status, found.body, found.error) == (200, "yes", "")
    assert seen[0].startswith(b"GET /ok?a=b HTTP/1.1\r\n")


def test_headers_are_the_kubelets_unless_given(clock: RealClock) -> None:
    with server(says(OK)) as (port, seen):
        get(clock, port)
        get(
            clock,
            port,
            headers=(("Host", "web.example"), ("User-Agent", "me"), ("Accept", ""), ("X-A", "1"), ("X-A", "2")),
        )
    plain, given = (set(request.decode().split("\r\n")[1:]) - {""} for request in seen)
    assert plain == {f"Host: 127.0.0.1:{port}", "User-Agent: kube-probe/1.36", "Accept: */*", "Connection: close"}
    assert given == {"Host: web.example", "User-Agent: me", "X-A: 1", "X-A: 2", "Connection: close"}


@pytest.mark.parametrize("status", [204, 399, 404, 500])
def test_the_status_is_reported_as_it_is(clock: RealClock, status: int) -> None:
    with server(says(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)) as (port, _):
        assert get(clock, port).status == status


def test_a_redirect_to_the_same_host_is_followed(clock: RealClock) -> None:
    def answer(talk: socket.socket, request: bytes) -> None:
        talk.sendall(OK if b"/there" in request else b"HTTP/1.1 302 Found\r\nLocation: /there?x=1\r\n\r\n")

    with server(answer) as (port, seen):
        found = get(clock, port)
    assert (found.status, found.body, found.redirect_host) == (200, "yes", "")
    assert seen[1].startswith(b"GET /there?x=1 ")


def test_a_redirect_to_another_host_ends_it(clock: RealClock) -> None:
    with server(says(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/x\r\nContent-Length: 2\r\n\r\ngo")) as (
        port,
        _,
    ):
        found = get(clock, port)
    assert (found.status, found.body, found.redirect_host, found.error) == (302, "go", "elsewhere.invalid", "")


def test_redirects_in_a_circle_end(clock: RealClock) -> None:
    with server(says(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n")) as (port, _):
        assert get(clock, port).error == f'Get "http://127.0.0.1:{port}/": stopped after 10 redirects'


def test_a_long_body_is_cut_at_ten_kib(clock: RealClock) -> None:
    with server(says(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000)) as (port, _):
        assert get(clock, port).body == "x" * 10240


BROKEN = {
    "hangs up": (says(b""), "EOF"),
    "talks nonsense": (
        says(b"hello there\r\n\r\n"),
        'net/http: HTTP/1.x transport connection broken: malformed HTTP response "hello there"',
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_server_that_is_none(clock: RealClock, case: str) -> None:
    answer, text = BROKEN[case]
    with server(answer) as (port, _):
        found = get(clock, port)
    assert (found.status, found.error) == (0, f'Get "http://127.0.0.1:{port}/": {text}')


@pytest.mark.parametrize("kind", ["silence", "drops", "body drops"])
def test_a_slow_server_is_cut_at_the_time_out(clock: RealClock, kind: str) -> None:
    """Also one that sends a byte now and then."""
    over = threading.Event()

    def answer(talk: socket.socket, request: bytes) -> None:
        if kind == "body drops":
            talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not over.wait(0.05):
            if kind != "silence":
                talk.sendall(b"H")

    with server(answer) as (port, _):
        found = get(clock, port, timeout=0.4)
        over.set()
    assert (found.status, found.error) == (0, f'Get "http://127.0.0.1:{port}/": {LATE}')
    assert 0.35 < found.seconds < 3


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_nobody_listens(clock: RealClock) -> None:
    port = closed_port()
    refused = f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    assert get(clock, port).error == f'Get "http://127.0.0.1:{port}/": {refused}'
    assert dial.tcp_connect("127.0.0.1", port, 1).error == refused


def test_a_name_that_nobody_has(clock: RealClock) -> None:
    assert dial.tcp_connect("registry.invalid", 80, 5).error == "dial tcp: lookup registry.invalid: no such host"
    found = dial.http_get(HttpRequest("HTTP", "registry.invalid", 80, "/"), 5, clock=clock)
    assert found.error == 'Get "http://registry.invalid:80/": dial tcp: lookup registry.invalid: no such host'


def test_tcp_connects() -> None:
    with server(says(b"")) as (port, _):
        found = dial.tcp_connect("127.0.0.1", port, 1)
    assert (found.ok, found.error) == (True, "")


def test_tcp_to_a_full_backlog_times_out() -> None:
    """A listener that never accepts: once its queue is full the handshake gets no answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        found = dial.tcp_connect("127.0.0.1", port, 0.3)
        for one in waiting:
            one.close()
    assert found.error == f"dial tcp 127.0.0.1:{port}: i/o timeout"


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody knows it")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_https_asks_for_no_valid_certificate(clock: RealClock, own_certificate: ssl.SSLContext) -> None:
    with server(says(OK), own_certificate) as (port, _):
        found = dial.http_get(HttpRequest("HTTPS", "127.0.0.1", port, "/"), 5, clock=clock)
    assert (found.status, found.body, found.error) == (200, "yes", "")


def test_https_to_a_plain_server(clock: RealClock) -> None:
    with server(says(b"HTTP/1.0 400 Bad Request\r\n\r\n")) as (port, _):
        found = dial.http_get(HttpRequest("HTTPS", "127.0.0.1", port, "/"), 5, clock=clock)
    assert found.error == f'Get "https://127.0.0.1:{port}/": http: server gave HTTP response to HTTPS client'


def test_https_times_out_in_the_handshake(clock: RealClock) -> None:
    over = threading.Event()
    with server(lambda talk, request: over.wait(5) and None) as (port, _):
        found = dial.http_get(HttpRequest("HTTPS", "127.0.0.1", port, "/"), 0.3, clock=clock)
        over.set()
    assert found.error == f'Get "https://127.0.0.1:{port}/": {LATE}'
