"""A connection to a server of a simulated pod: enough of HTTP/1.1 for curl, browsers and kubectl port-forward.

`runtime.dial` makes one. Who listens is asked anew for every request, because servers come and go. A server that speaks
no HTTP (a database) takes everything and says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from podlab.runtime.sim.network import Listener
from podlab.runtime.streaming import StreamSink

MAX_HEAD = 64 * 1024


class Connection:
    def __init__(self, listening: Callable[[], Listener], sink: StreamSink, gone: Callable[[object], None]) -> None:
        self._listening, self._sink, self._gone = listening, sink, gone
        self._head = b""
        self._body_left = 0
        self._over = False

    def write(self, data: bytes) -> None:
        while data and not self._over:
            listener = self._listening()
            if not listener.open:
                self._end()
            elif listener.site is None:
                return
            else:
                data = self._read(data)

    def close_input(self) -> None:
        """A client that has said all it wanted has got its answers already."""
        self._end()

    def resize(self, width: int, height: int) -> None:
        """A connection has no window."""

    def close(self) -> None:
        self._end()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._gone(self)
            self._sink.ended(None, "")

    def _read(self, data: bytes) -> bytes:
        """One step through a request; returns what was not used."""
        if self._body_left:
            used = min(self._body_left, len(data))
            self._body_left -= used
            return data[used:]
        self._head += data
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if not found:
            if len(self._head) > MAX_HEAD:
                self._answer(431, "", "", keep=False)
            return b""
        self._head = b""
        self._request(head.decode("latin-1"))
        return rest

    def _request(self, head: str) -> None:
        first, *lines = head.lstrip("\r\n").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
            self._answer(400, "", "400 Bad Request\n", keep=False)
            return
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = headers.get("content-length", "0")
        if not length.isdigit() or "transfer-encoding" in headers:
            self._answer(411, words[0], "411 Length Required\n", keep=False)
            return
        self._body_left = int(length)
        if headers.get("expect", "").lower() == "100-continue" and self._body_left:
            self._sink.output("stdout", b"HTTP/1.1 100 Continue\r\n\r\n")
        listener = self._listening()
        assert listener.site is not None
        status, body = listener.site(listener.micros, words[1])
        wish = headers.get("connection", "").lower()
        keep = "close" not in wish and (words[2] == "HTTP/1.1" or "keep-alive" in wish)
        self._answer(status, words[0], body, keep=keep)

    def _answer(self, status: int, method: str, text: str, *, keep: bool) -> None:
        body = text.encode()
        kind = "text/html" if text.lstrip().startswith("<") else "text/plain"
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "Status"
        head = (
            f"HTTP/1.1 {status} {phrase}\r\nServer: podlab-simulator\r\nContent-Type: {kind}; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        )
        self._sink.output("stdout", head.encode() + (b"" if method == "HEAD" else body))
        if not keep:
            self._end()
