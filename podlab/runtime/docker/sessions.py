"""Open streams into pods: a command with its streams (exec), a container's own (attach), a connection to a server (dial).

`runtime` makes them, one thread each, which reads and hands on until the other side ends. `close` may come from any
thread at any time and ends that thread too: a caller that went away leaves neither a thread nor its command behind.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from podlab.runtime.docker import dial, exec, loopback
from podlab.runtime.docker.client import Engine, Stream, engine_errors
from podlab.runtime.docker.frames import split
from podlab.runtime.errors import NotFound, RuntimeFailure
from podlab.runtime.streaming import StreamOptions, StreamSession, StreamSink

log = logging.getLogger(__name__)

# The engine leaves a stream on keys that people type in shells unless it is given others: these nobody types in a row.
_DETACH_KEYS = "ctrl-@,ctrl-^,ctrl-@,ctrl-^,ctrl-@"
_RESIZE_TRIES, _RESIZE_PAUSE = 40, 0.025
_DIAL_SECONDS = 10.0
_CHUNK = 64 * 1024


class _EngineSession:
    """A stream of the engine, with a terminal or multiplexed."""

    def __init__(
        self,
        stream: Stream,
        sink: StreamSink,
        *,
        options: StreamOptions,
        finish: Callable[[], int | None],
        abandon: Callable[[], None],
        resize: Callable[[int, int], None],
    ) -> None:
        """`finish` learns the exit code when the stream has ended by itself, `abandon` follows a `close`."""
        self._stream, self._sink, self._options = stream, sink, options
        self._finish, self._abandon, self._resize = finish, abandon, resize
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        with suppress(OSError):  # a command that has closed its input does not take any more
            self._stream.write(data)

    def close_input(self) -> None:
        self._stream.close_write()

    def resize(self, width: int, height: int) -> None:
        """The first size comes before the engine has started the command; until then it refuses."""
        if not self._options.tty or not width or not height:
            return
        for _ in range(_RESIZE_TRIES):
            try:
                return self._resize(width, height)
            except RuntimeFailure as error:
                log.debug("cannot resize yet: %s", error)
            if self._ended.wait(_RESIZE_PAUSE):
                return

    def close(self) -> None:
        self._stream.close()

    def _run(self) -> None:
        code: int | None = None
        error = ""
        try:
            self._pass_on()
            if not self._stream.closed:
                code = self._finish()
        except OSError as gone:
            self._stream.close()
            error = f"nobody reads: {gone}"
        except RuntimeFailure as failure:
            error = str(failure)
        except Exception as bug:
            log.exception("a stream failed")
            error = f"{type(bug).__name__}"
        self._ended.set()
        if self._stream.closed:
            self._abandon()
            error = error or "the stream was closed"
        self._sink.ended(code, error)

    def _pass_on(self) -> None:
        chunks = self._stream.chunks()
        pieces = _terminal(chunks) if self._options.tty else split(chunks)
        for name, payload in pieces:
            if getattr(self._options, name):
                self._sink.output(name, payload)


def _terminal(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    return (("stdout", chunk) for chunk in chunks)


def run_command(
    engine: Engine, container_id: str, argv: tuple[str, ...], options: StreamOptions, sink: StreamSink
) -> StreamSession:
    """As `kubectl exec`. A command that cannot be run ends with the engine's text on stdout and code 126 or 127."""
    with engine_errors():
        exec_id = engine.api.exec_create(
            container_id,
            list(argv),
            stdin=options.stdin,
            stdout=options.stdout,
            stderr=options.stderr and not options.tty,
            tty=options.tty,
            detach_keys=_DETACH_KEYS if options.tty else None,
        )["Id"]
        stream = engine.post_stream(f"/exec/{exec_id}/start", body={"Detach": False, "Tty": options.tty})

    def resize(width: int, height: int) -> None:
        with engine_errors():
            engine.api.exec_resize(exec_id, height=height, width=width)

    return _EngineSession(
        stream,
        sink,
        options=options,
        finish=lambda: exec.exit_code(engine, exec_id),
        abandon=lambda: exec.kill(engine, container_id, exec_id),
        resize=resize,
    )


def attach(engine: Engine, container_id: str, options: StreamOptions, sink: StreamSink) -> StreamSession:
    """What the container's process writes from now on; it knows nothing of who comes and goes. NotFound when it has ended
    meanwhile: the engine would wait for its next start."""
    with engine_errors():
        found: dict[str, Any] = engine.api.inspect_container(container_id)
    tty = bool(found["Config"]["Tty"])
    wanted = StreamOptions(stdin=options.stdin, stdout=options.stdout, stderr=options.stderr, tty=tty)
    params = {"stream": 1, "stdin": int(wanted.stdin), "stdout": int(wanted.stdout), "stderr": int(wanted.stderr)}
    with engine_errors():
        stream = engine.post_stream(
            f"/containers/{container_id}/attach", params={**params, "detachKeys": _DETACH_KEYS} if tty else params
        )
    with engine_errors():
        state: dict[str, Any] = engine.api.inspect_container(container_id)["State"]
    if not state["Running"]:
        stream.discard()
        raise NotFound("container is in CONTAINER_EXITED state")

    def resize(width: int, height: int) -> None:
        with engine_errors():
            engine.api.resize(container_id, height=height, width=width)

    return _EngineSession(stream, sink, options=wanted, finish=lambda: None, abandon=lambda: None, resize=resize)


def dial_pod(engine: Engine, sandbox_id: str, host: str, port: int, sink: StreamSink) -> StreamSession:
    """A connection to a server in the pod: at its address, or else on its loopback. Raises RuntimeFailure with the words
    of Go's net package."""
    try:
        return Connection(socket.create_connection((host, port), timeout=_DIAL_SECONDS), sink)
    except OSError as error:
        inside = loopback.connect(engine, sandbox_id, port, _DIAL_SECONDS)
        if inside is None:
            raise RuntimeFailure(dial.dial_error(host, port, error)) from error
        return Connection(inside, sink)


class Connection:
    """A TCP connection into a pod. Ends when the server hangs up."""

    def __init__(self, made: socket.socket, sink: StreamSink) -> None:
        self._socket = made
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sink = sink
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        with suppress(OSError):
            self._socket.sendall(data)

    def close_input(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def resize(self, width: int, height: int) -> None:
        """A connection has no window."""

    def close(self) -> None:
        self._closed = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        error = ""
        try:
            while data := self._socket.recv(_CHUNK):
                self._sink.output("stdout", data)
        except OSError as problem:
            error = "" if self._closed else str(problem)
        finally:
            self._socket.close()
        self._sink.ended(None, error)
