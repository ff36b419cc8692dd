"""Follows the log of one container on a thread of its own and survives restarts of the engine.

The engine is asked for its time stamps, so that after a broken connection the stream goes on at the last line: the
engine's `since` includes that moment, and as many lines of it as were delivered are skipped.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from podlab.apis.types import LogLine
from podlab.runtime.docker.client import Engine, Stream, engine_errors
from podlab.runtime.docker.frames import split
from podlab.runtime.errors import NotFound, RuntimeFailure

log = logging.getLogger(__name__)
_BACKOFF_FIRST, _BACKOFF_LAST = 0.1, 5.0
_BACKOFF_NOT_STARTED = 0.5  # the engine answers, only there is nothing to follow yet
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LogFollower:
    """One subscription. `on_end` comes once, after the last line of an ended container, and not after `close`."""

    def __init__(
        self,
        engine: Engine,
        container_id: str,
        on_line: Callable[[LogLine], None],
        on_end: Callable[[], None],
        *,
        since: datetime | None,
    ) -> None:
        self._engine = engine
        self._id = container_id
        self._on_line = on_line
        self._on_end = on_end
        self._after = since
        self._last = b""  # the stamp of the newest line
        self._repeats = 0  # how many lines had it
        self._closed = threading.Event()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._run, name=f"logs {container_id[:12]}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._stream is not None:
            self._stream.close()

    def _run(self) -> None:
        try:
            self._follow()
        except Exception:
            log.exception("following the log of %s failed", self._id)
        if not self._closed.is_set():
            self._on_end()

    def _follow(self) -> None:
        wait = _BACKOFF_FIRST
        while not self._closed.is_set():
            longest = _BACKOFF_LAST
            try:
                before = (self._last, self._repeats)
                tty, ended = self._inspect()
                clean = self._read_once(tty=tty)
                if ended and clean:
                    return
                if clean and self._inspect()[1]:
                    continue  # it ended while we read: once more from the last line, then we are sure
                if clean:
                    longest = _BACKOFF_NOT_STARTED
                if (self._last, self._repeats) != before:
                    wait = _BACKOFF_FIRST
            except NotFound:
                return
            except RuntimeFailure as error:
                log.debug("the log of %s is interrupted: %s", self._id, error)
            self._closed.wait(min(wait, longest))
            wait = min(wait * 2, longest)

    def _inspect(self) -> tuple[bool, bool]:
        """Has it a terminal (then the stream is not multiplexed), and has it ended?"""
        with engine_errors():
            found = self._engine.api.inspect_container(self._id)
        state = found["State"]
        waiting = state["Status"] == "created" and not state["Error"]
        return bool(found["Config"]["Tty"]), not state["Running"] and not waiting

    def _read_once(self, *, tty: bool) -> bool:
        """Deliver until the engine ends the stream properly (True) or `close` (False)."""
        params = {"follow": 1, "stdout": 1, "stderr": 1, "timestamps": 1, "tail": "all", "since": self._since()}
        with engine_errors():
            stream = self._stream = self._engine.get_stream(f"/containers/{self._id}/logs", params)
        if self._closed.is_set():  # closed before there was anything to close
            stream.close()
        skip, skip_stamp = self._repeats, self._last
        for name, payload in _terminal(stream) if tty else split(stream.chunks()):
            stamp, _, text = payload.partition(b" ")
            if skip and stamp == skip_stamp:
                skip -= 1
                continue
            self._repeats = self._repeats + 1 if stamp == self._last else 1
            self._last = stamp
            self._deliver(name, stamp, text)
        return not stream.closed

    def _since(self) -> str:
        if self._last:
            at, nanos = _time(self._last)
        elif self._after is not None:
            at, nanos = self._after, 0
        else:
            return "0"
        whole = at - _EPOCH
        return f"{whole.days * 86400 + whole.seconds}.{whole.microseconds:06d}{nanos:03d}"

    def _deliver(self, name: str, stamp: bytes, text: bytes) -> None:
        at, nanos = _time(stamp)
        if self._after is not None and at <= self._after:
            return
        partial = not text.endswith(b"\n")
        decoded = text.removesuffix(b"\n").decode("utf-8", "surrogateescape")
        self._on_line(LogLine(at, name, decoded, partial=partial, nanos=nanos))


def _terminal(stream: Stream) -> Iterator[tuple[str, bytes]]:
    """A terminal has one stream and no frames."""
    rest = b""
    for chunk in stream.chunks():
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (("stdout", line + b"\n") for line in lines)
    if rest:
        yield "stdout", rest


def _time(stamp: bytes) -> tuple[datetime, int]:
    """The engine writes nine digits and Z."""
    text = stamp.decode("ascii")
    return datetime.fromisoformat(text), int(text[26:29])
