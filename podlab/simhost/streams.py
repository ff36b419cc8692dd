"""Streams into simulated pods: the door of the sim worker's stream server.

A world does one thing at a time, so everything that a caller sends is handed in between its turns (`Host.call`), and what
comes out is queued: a world never waits for a slow reader, who is cut off when the queue is full.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from podlab.registry.streams import OpenRequest
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.streaming import StreamSession, StreamSink
from podlab.simhost.host import Host
from podlab.simhost.world import World

logger = logging.getLogger(__name__)

MAX_WAITING = 8 * 2**20  # bytes that a reader may be behind


class Door:
    """What `kubelet.stream_server` calls."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def __call__(self, request: OpenRequest, sink: StreamSink) -> StreamSession:
        behind = QueuedSink(sink)
        try:
            inner = self._host.call(
                request.cluster, lambda world: world.kubelet(request.node).open_stream(request, behind)
            )
        except BaseException:
            behind.drop()
            raise
        return _Session(self._host, request.cluster, inner, behind)


class _Session:
    """Passes everything on between the turns of the world."""

    def __init__(self, host: Host, cluster: str, inner: StreamSession, sink: QueuedSink) -> None:
        self._host, self._cluster, self._inner, self._sink = host, cluster, inner, sink
        self._closed = False

    def write(self, data: bytes) -> None:
        self._between_turns(lambda world: self._inner.write(data))

    def close_input(self) -> None:
        self._between_turns(lambda world: self._inner.close_input())

    def resize(self, width: int, height: int) -> None:
        self._between_turns(lambda world: self._inner.resize(width, height))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            with suppress(RuntimeFailure):
                self._host.call(self._cluster, lambda world: self._inner.close())
            self._sink.drop()

    def _between_turns(self, work: Callable[[World], None]) -> None:
        if self._sink.over:
            return
        try:
            self._host.call(self._cluster, work)
        except RuntimeFailure as gone:
            self._sink.ended(None, str(gone))


class QueuedSink:
    """Takes output without waiting; a thread of its own passes it on in order."""

    def __init__(self, sink: StreamSink) -> None:
        self._sink = sink
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self.over = False
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    def output(self, stream: str, data: bytes) -> None:
        with self._lock:
            if self.over:
                return
            self._waiting += len(data)
            full = self._waiting > MAX_WAITING
        if full:
            self.ended(None, "the reader of this stream is too slow")
            return
        self._queue.put(lambda: self._pass_on(stream, data))

    def ended(self, exit_code: int | None, error: str) -> None:
        with self._lock:
            if self.over:
                return
            self.over = True
        self._queue.put(lambda: self._sink.ended(exit_code, error))
        self._queue.put(None)

    def drop(self) -> None:
        """Nobody is interested any more."""
        with self._lock:
            self.over = True
        self._queue.put(None)

    def _pass_on(self, stream: str, data: bytes) -> None:
        self._sink.output(stream, data)
        with self._lock:
            self._waiting -= len(data)

    def _run(self) -> None:
        try:
            while (work := self._queue.get()) is not None:
                work()
        except OSError as gone:
            logger.debug("a stream's reader is gone: %s", gone)
            self.drop()
