"""HTTP and TCP probes from the node to a pod's address, with the standard library and in the words of Go's net package,
which is what a kubelet's events carry (pkg/probe/http, pkg/probe/tcp)."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from podlab.clock import Clock, monotonic
from podlab.runtime.calls import HttpRequest, HttpResult, TcpResult

_BODY_LIMIT = 10 * 1024
_MAX_REDIRECTS = 10
_REDIRECTS = {301, 302, 303, 307, 308}
_DEADLINE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
_USER_AGENT = "kube-probe/1.36"


def tcp_connect(host: str, port: int, timeout: float) -> TcpResult:
    """Never raises."""
    began = monotonic()
    try:
        socket.create_connection((host, port), timeout=timeout).close()
    except OSError as error:
        return TcpResult(ok=False, seconds=monotonic() - began, error=dial_error(host, port, error))
    return TcpResult(ok=True, seconds=monotonic() - began)


def http_get(request: HttpRequest, timeout: float, *, clock: Clock) -> HttpResult:
    """Never raises. Follows redirects to the same host name; the first answer that points elsewhere is the result."""
    began = monotonic()
    url = f"{request.scheme.lower()}://{_join(request.host, request.port)}{_path(request.path)}"
    for _ in range(_MAX_REDIRECTS):
        answer = _ask(url, request.headers, timeout - (monotonic() - began), clock)
        if answer.error:
            return HttpResult(0, "", monotonic() - began, error=f'Get "{url}": {answer.error}')
        if answer.status not in _REDIRECTS or not answer.location:
            return HttpResult(answer.status, answer.body, monotonic() - began)
        target = urljoin(url, answer.location)
        elsewhere = urlsplit(target).hostname or ""
        if elsewhere != (urlsplit(url).hostname or ""):
            return HttpResult(answer.status, answer.body, monotonic() - began, redirect_host=elsewhere)
        url = target
    return HttpResult(0, "", monotonic() - began, error=f'Get "{url}": stopped after {_MAX_REDIRECTS} redirects')


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int = 0
    body: str = ""
    location: str = ""
    error: str = ""


class _Deadline:
    """Cuts a connection at a fixed moment: time-outs of a socket are per operation, and a slow server could stretch
    a probe by answering byte by byte."""

    def __init__(self, connection: http.client.HTTPConnection, seconds: float, clock: Clock) -> None:
        self._connection = connection
        self.passed = seconds <= 0
        self._timer = clock.call_later(seconds, self._cut)

    def _cut(self) -> None:
        self.passed = True
        sock = self._connection.sock
        if sock is not None:
            try:
                # Not the method of an SSL socket: that one would wait for its reader.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return

    def cancel(self) -> None:
        self._timer.cancel()


def _ask(url: str, headers: tuple[tuple[str, str], ...], seconds: float, clock: Clock) -> _Answer:
    if seconds <= 0:
        return _Answer(error=_DEADLINE)
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host = parts.hostname or ""
    port = parts.port or (443 if secure else 80)
    connection = (
        http.client.HTTPSConnection(host, port, timeout=seconds, context=_no_verification())
        if secure
        else http.client.HTTPConnection(host, port, timeout=seconds)
    )
    deadline = _Deadline(connection, seconds, clock)
    try:
        answer = _exchange(
            connection, parts.netloc, f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", headers
        )
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _Answer(
            error=_DEADLINE if deadline.passed else _text(host, port, error, connected=connection.sock is not None)
        )
    finally:
        deadline.cancel()
        connection.close()
    return _Answer(error=_DEADLINE) if deadline.passed else answer


def _exchange(
    connection: http.client.HTTPConnection, netloc: str, target: str, headers: tuple[tuple[str, str], ...]
) -> _Answer:
    connection.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
    given = {name.lower() for name, _ in headers}
    for name, value in (("Host", netloc), ("User-Agent", _USER_AGENT), ("Accept", "*/*"), ("Connection", "close")):
        if name.lower() not in given:
            connection.putheader(name, value)
    for name, value in headers:
        if value or name.lower() not in {"accept", "user-agent"}:  # given empty means "leave it out"
            connection.putheader(name, value.encode("utf-8"))
    connection.endheaders()
    with connection.getresponse() as response:
        body = response.read(_BODY_LIMIT).decode("utf-8", "replace")
        return _Answer(response.status, body, response.getheader("Location") or "")


def _no_verification() -> ssl.SSLContext:
    """The kubelet does not check a probed server's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _text(host: str, port: int, error: Exception, *, connected: bool) -> str:
    if isinstance(error, TimeoutError):
        return _DEADLINE
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead | ssl.SSLEOFError):
        return "EOF"
    if isinstance(error, ssl.SSLError):
        if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
            return "http: server gave HTTP response to HTTPS client"
        return f"remote error: tls: {(error.reason or 'handshake failure').lower().replace('_', ' ')}"
    if isinstance(error, http.client.BadStatusLine):
        return f'net/http: HTTP/1.x transport connection broken: malformed HTTP response "{str(error.args[0]).strip()}"'
    if isinstance(error, OSError):
        return f"read tcp {_join(host, port)}: read: {_reason(error)}" if connected else dial_error(host, port, error)
    return f"net/http: HTTP/1.x transport connection broken: {error}"


def dial_error(host: str, port: int, error: OSError) -> str:
    """Go's sentence for a connection that did not come about."""
    if isinstance(error, TimeoutError):
        return f"dial tcp {_join(host, port)}: i/o timeout"
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {host}: no such host"
    return f"dial tcp {_join(host, port)}: connect: {_reason(error)}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _path(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"
