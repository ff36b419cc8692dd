"""What a simulated container has written: lines with strictly rising times, and who follows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from podlab.apis.types import LogLine

KEPT_LINES = 5000
MICRO = timedelta(microseconds=1)


@dataclass(slots=True)
class Follower:
    """`close` may be called at any time."""

    on_line: Callable[[LogLine], None]
    on_end: Callable[[], None]
    closed: bool = False

    def close(self) -> None:
        self.closed = True


class Output:
    """Turns written text into lines with strictly rising times, and hands them to followers."""

    def __init__(self) -> None:
        self.lines: deque[LogLine] = deque(maxlen=KEPT_LINES)
        self.followers: list[Follower] = []
        self._open: dict[str, str] = {}
        self._last: datetime | None = None

    def write(self, at: datetime, stream: str, text: str) -> None:
        *whole, rest = (self._open.pop(stream, "") + text).split("\n")
        for line in whole:
            self._line(at, stream, line, partial=False)
        if rest:
            self._open[stream] = rest

    def tail(self, lines: int) -> str:
        """The last lines as one text."""
        return "".join(line.text + ("" if line.partial else "\n") for line in list(self.lines)[-lines:])

    def finish(self, at: datetime) -> None:
        for stream, rest in sorted(self._open.items()):
            self._line(at, stream, rest, partial=True)
        self._open.clear()
        followers, self.followers = self.followers, []
        for follower in followers:
            if not follower.closed:
                follower.on_end()

    def _line(self, at: datetime, stream: str, text: str, *, partial: bool) -> None:
        if self._last is not None and at <= self._last:
            at = self._last + MICRO
        self._last = at
        line = LogLine(at, stream, text, partial)
        self.lines.append(line)
        self.followers = [follower for follower in self.followers if not follower.closed]
        for follower in list(self.followers):
            follower.on_line(line)
