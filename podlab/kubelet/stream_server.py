"""The door of a worker that plays nodes: takes connections of the lab's own API server and opens streams for them.

`bootstep` (Docker nodes) and `simhost.bootstep` start one per worker; what is said on a connection is in
`registry.streams`. Each connection has a thread that reads what the caller sends; what the pod says is written by the
runtime's own thread. One more thread looks for callers that went away while somebody waited to write to a pod.
"""

from __future__ import annotations

import logging
import os
import secrets
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from django.db import connections

from podlab.registry import streams
from podlab.registry.streams import Address, Decoder, End, Frame, OpenRequest, ProtocolError
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.streaming import StreamSession, StreamSink

logger = logging.getLogger(__name__)

# Opens the stream that is asked for; raises RuntimeFailure.
Door = Callable[[OpenRequest, StreamSink], StreamSession]

MAX_CONNECTIONS = 256
HANDSHAKE_SECONDS = 10.0
LOOK_SECONDS = 0.5
_HUNG_UP = getattr(select, "POLLRDHUP", select.POLLHUP)
_CHUNK = 64 * 1024


class StreamServer:
    """Listens from `start` to `close`, which ends all streams too."""

    def __init__(self, *, listen: Address, key: bytes, door: Door) -> None:
        self._listen, self._key, self._door = listen, key, door
        self._socket: socket.socket | None = None
        self._connections: set[_Connection] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> Address:
        """Where it listens; the port that the system chose, if it was asked to."""
        assert self._socket is not None
        if self._listen.path is not None:
            return self._listen
        host, port = self._socket.getsockname()[:2]
        return Address(host=str(host), port=int(port))

    def start(self) -> None:
        self._socket = _bound(self._listen)
        for name, work in (("stream-server", self._accept), ("stream-watch", self._look)):
            thread = threading.Thread(target=work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
        with self._lock:
            still_open = list(self._connections)
        for connection in still_open:
            connection.abort()
        if self._listen.path is not None:
            self._listen.path.unlink(missing_ok=True)
        for thread in self._threads:
            thread.join(2)

    def _accept(self) -> None:
        assert self._socket is not None
        while not self._closing.is_set():
            try:
                accepted, _ = self._socket.accept()
            except OSError as error:
                if self._closing.is_set():
                    return
                logger.warning("the stream server cannot take a connection: %s", error)
                self._closing.wait(LOOK_SECONDS)
                continue
            connection = _Connection(accepted, self._key, self._door)
            with self._lock:
                full = len(self._connections) >= MAX_CONNECTIONS
                if not full:
                    self._connections.add(connection)
            if full:
                logger.warning("%d streams are open: one more is refused", MAX_CONNECTIONS)
                accepted.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), name="stream-caller", daemon=True).start()

    def _serve(self, connection: _Connection) -> None:
        try:
            connection.serve()
        except (OSError, ProtocolError) as error:
            logger.info("a stream's caller is gone: %s", error)
        except Exception:
            logger.exception("a stream failed")
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()
            connections.close_all()  # of the database, which a simulated node may have asked on this thread

    def _look(self) -> None:
        """End the streams of callers that hung up: their reader may be waiting for a pod that takes no input."""
        while not self._closing.wait(LOOK_SECONDS):
            with self._lock:
                watched = {connection.number: connection for connection in self._connections}
            poll = select.poll()
            for number in watched:
                if number >= 0:
                    poll.register(number, _HUNG_UP)
            for number, happened in poll.poll(0):
                if happened & (_HUNG_UP | select.POLLHUP | select.POLLERR):
                    watched[number].abort()


class _Connection:
    def __init__(self, accepted: socket.socket, key: bytes, door: Door) -> None:
        self._socket, self._key, self._door = accepted, key, door
        self._decoder = Decoder()
        self._session: StreamSession | None = None
        self._aborted = False

    @property
    def number(self) -> int:
        return self._socket.fileno()

    def serve(self) -> None:
        """Until the caller hangs up."""
        if self._socket.family != socket.AF_UNIX:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(HANDSHAKE_SECONDS)
        frames = self._frames()
        request = self._handshake(frames)
        self._socket.settimeout(None)
        sink = _Sink(self._socket)
        try:
            self._session = session = self._door(request, sink)
        except RuntimeFailure as failure:
            sink.ended(None, str(failure))
        else:
            if self._aborted:
                session.close()
            for frame in frames:
                _obey(session, frame)
            return
        for _ in frames:  # let the caller read why
            continue

    def _handshake(self, frames: Iterator[Frame]) -> OpenRequest:
        node_nonce = secrets.token_bytes(streams.NONCE_BYTES)
        self._socket.sendall(streams.GREETING + node_nonce)
        first = next(frames, None)
        if first is None:
            raise ProtocolError("it never said what it wanted")
        request, nonce = streams.read_open(self._key, first, node_nonce=node_nonce)
        self._socket.sendall(streams.encode(streams.opened_frame(self._key, node_nonce=node_nonce, nonce=nonce)))
        return request

    def _frames(self) -> Iterator[Frame]:
        while data := self._socket.recv(_CHUNK):
            yield from self._decoder.feed(data)

    def abort(self) -> None:
        """The caller is gone, or the worker stops. From any thread."""
        self._aborted = True
        if self._session is not None:
            self._session.close()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _obey(session: StreamSession, frame: Frame) -> None:
    if frame.channel == streams.STDIN:
        session.write(frame.payload)
    elif frame.channel == streams.CLOSE:
        session.close_input()
    elif frame.channel == streams.RESIZE:
        session.resize(*streams.read_resize(frame))
    else:
        raise ProtocolError(f"a caller has nothing to say on channel {frame.channel}")


class _Sink:
    """Writes what a pod says to the caller, at the caller's pace."""

    def __init__(self, accepted: socket.socket) -> None:
        self._socket = accepted

    def output(self, stream: str, data: bytes) -> None:
        channel = streams.STDERR if stream == "stderr" else streams.STDOUT
        for piece in streams.encode_data(channel, data):
            self._socket.sendall(piece)

    def ended(self, exit_code: int | None, error: str) -> None:
        with suppress(OSError):
            self._socket.sendall(streams.encode(streams.end_frame(End(exit_code, error))))
            self._socket.shutdown(socket.SHUT_WR)  # the caller hangs up next


def _bound(listen: Address) -> socket.socket:
    if listen.path is None:
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        made = socket.create_server((listen.host, listen.port), family=family, backlog=64)
        return made
    path: Path = listen.path
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)  # of a worker that was killed: there is one worker of a name in a lab
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(os.fspath(path))
        path.chmod(0o600)
        made.listen(64)
    except BaseException:
        made.close()
        raise
    return made
