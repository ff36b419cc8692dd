"""Carries container output from the runtime into the log files, one follower per container run.

Started for every container that is seen, running or ended: a writer finds the place where the last agent stopped, so
nothing is lost or written twice. `drained` tells when the end of a container's output has been written.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Set
from dataclasses import dataclass
from pathlib import Path

from podlab.apis.types import LogLine
from podlab.logs import layout
from podlab.logs.writer import LogWriter
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import ContainerState, ContainerStatus, Runtime, Subscription

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Stream:
    uid: str
    writer: LogWriter
    lock: threading.Lock
    subscription: Subscription | None = None
    ended: bool = False


class LogPump:
    def __init__(self, runtime: Runtime, root: Path, on_drained: Callable[[str], None]) -> None:
        """`on_drained(uid)` is called when a container's output has come to its end."""
        self._runtime = runtime
        self._root = root
        self._on_drained = on_drained
        self._streams: dict[str, _Stream] = {}
        self._lock = threading.Lock()
        self._closed = False

    def ensure(self, status: ContainerStatus) -> None:
        """Follow this container unless that was begun before; quick when it was."""
        if status.state is ContainerState.CREATED or status.started_at is None:
            return
        with self._lock:
            if status.id in self._streams or self._closed:
                return
            path = layout.container_log(self._root, status.pod, status.name, status.attempt)
            stream = _Stream(status.pod.uid, LogWriter(path), threading.Lock())
            self._streams[status.id] = stream
        try:
            stream.subscription = self._runtime.follow_logs(
                status.id,
                lambda line: self._write(stream, line),
                lambda: self._end(stream),
                stream.writer.resume_since,
            )
        except RuntimeFailure as error:
            logger.warning("cannot follow the log of container %s: %s", status.id, error)
            self._end(stream)

    def drained(self, container_id: str) -> bool:
        """Its output is complete in the file, or it was never followed."""
        stream = self._streams.get(container_id)
        return stream is None or stream.ended

    def drop(self, container_id: str) -> None:
        """The container is about to be removed."""
        with self._lock:
            stream = self._streams.pop(container_id, None)
        if stream is not None:
            self._close(stream)

    def keep_only(self, present: Set[str]) -> None:
        """Forget streams that have come to their end and whose containers were taken away by somebody else."""
        with self._lock:
            for gone in [one for one, stream in self._streams.items() if stream.ended and one not in present]:
                del self._streams[gone]

    def close(self) -> None:
        with self._lock:
            self._closed = True
            streams = list(self._streams.values())
        for stream in streams:
            self._close(stream)

    def _write(self, stream: _Stream, line: LogLine) -> None:
        with stream.lock:
            if not stream.ended:
                stream.writer.write(line)

    def _end(self, stream: _Stream) -> None:
        with stream.lock:
            if stream.ended:
                return
            stream.ended = True
            stream.writer.close()
        self._on_drained(stream.uid)

    def _close(self, stream: _Stream) -> None:
        if stream.subscription is not None:
            stream.subscription.close()
        with stream.lock:
            if not stream.ended:
                stream.ended = True
                stream.writer.close()
