"""A recorder for actors that must not wait for the store: events are written one after the other on a thread of its own.

client-go/tools/record/event.go (EventBroadcaster): recording never blocks, and a queue that is full drops what comes.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connections

from podlab.apis.types import Manifest
from podlab.clock import monotonic
from podlab.registry.client import Client
from podlab.registry.events import Recorder

logger = logging.getLogger(__name__)

_QUEUED = 1000  # maxQueuedEvents
_CLOSING_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    obj: Manifest
    type: str
    reason: str
    message: str
    field_path: str
    why: str
    at: datetime


class Broadcaster(Recorder):
    """Events keep their order and the time at which they were told."""

    def __init__(self, client: Client, component: str, host: str, now: Callable[[], datetime]) -> None:
        super().__init__(client, component, host, now)
        self._waiting: deque[_Told] = deque()
        self._changed = threading.Condition()
        self._taken = self._written = 0  # how many were told, how many are done with
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"events {host}", daemon=True)
        self._thread.start()

    def event(
        self, obj: Manifest, type: str, reason: str, message: str, *, field_path: str = "", why: str = ""
    ) -> None:
        told = _Told(obj=obj, type=type, reason=reason, message=message, field_path=field_path, why=why, at=self._now())
        with self._changed:
            if self._closed or len(self._waiting) >= _QUEUED:
                logger.warning("event %s is lost: %s", reason, message)
                return
            self._waiting.append(told)
            self._taken += 1
            self._changed.notify_all()

    def settle(self, seconds: float = 1.0) -> None:
        """Wait until what was told before this call is written, at most so long: what follows from it comes after it."""
        until = monotonic() + seconds
        with self._changed:
            mine = self._taken
            while self._written < mine and (left := until - monotonic()) > 0:
                self._changed.wait(left)

    def close(self) -> None:
        """Write what waits, within a moment, and stop."""
        self.settle(_CLOSING_SECONDS)
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while (told := self._next()) is not None:
                self._write(
                    told.obj, told.type, told.reason, told.message, field_path=told.field_path, why=told.why, at=told.at
                )
                with self._changed:
                    self._written += 1
                    self._changed.notify_all()
        finally:
            connections.close_all()

    def _next(self) -> _Told | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            return None if self._closed else self._waiting.popleft()
