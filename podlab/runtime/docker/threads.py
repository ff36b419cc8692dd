"""Threads for work that takes cluster time: one for each piece of work under way, as a kubelet gives each probe, hook and pull
a goroutine of its own. A slow one holds up nobody, and threads that have had nothing to do for a while end."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

logger = logging.getLogger(__name__)

_MOST = 512  # only a bound for the machine's sake; beyond it work waits for its turn
_IDLE_SECONDS = 10.0

Work = Callable[[], None]


class Threads:
    def __init__(self, name: str, *, most: int = _MOST, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._name, self._most, self._idle_seconds = name, most, idle_seconds
        self._waiting: deque[Work] = deque()
        self._wake = threading.Condition()
        self._idle = 0
        self._count = 0
        self._closed = False

    def submit(self, work: Work) -> None:
        """Returns at once. After `close` the work is dropped."""
        with self._wake:
            if self._closed:
                return
            self._waiting.append(work)
            if len(self._waiting) <= self._idle or self._count >= self._most:
                self._wake.notify()
                return
            self._count += 1
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def close(self) -> None:
        """Take no more work and drop what waits; what is under way goes on to its end."""
        with self._wake:
            self._closed = True
            self._waiting.clear()
            self._wake.notify_all()

    def __len__(self) -> int:
        """How many threads there are."""
        return self._count

    def idle(self) -> int:
        """How many of them wait for work."""
        return self._idle

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except Exception:
                logger.exception("work of %s failed", self._name)
            del work  # a thread that waits keeps nothing alive

    def _next(self) -> Work | None:
        with self._wake:
            if not self._waiting and not self._closed:
                self._idle += 1
                self._wake.wait(self._idle_seconds)
                self._idle -= 1
            if self._waiting:
                return self._waiting.popleft()
            self._count -= 1
            return None
