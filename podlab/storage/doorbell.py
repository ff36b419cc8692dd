"""Tells every process of the lab that something new lies in SQL. It carries numbers and names, never content.

`ring` is called after commit. Listeners of this process hear it at once; a thread of its own passes it to Redis for the
others, so a slow or dead Redis never holds up a write. Any ring may be lost: who listens also polls once a second.
Start at `ring` and `Listener`; `hub` is the one that listens.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from contextlib import closing
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from redis.client import PubSub

from podlab import clock
from podlab.clock import monotonic

logger = logging.getLogger(__name__)

# What rang: "r <revision>", "h <seq>" (probe results), "c <cluster>" (a cluster row).
REVISION = "r"
HISTORY = "h"
CLUSTER = "c"

_TIMEOUT = 0.5  # seconds for one call to Redis
_APART = 0.01  # seconds from one publication to the next: writes that come thick and fast share a ring
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds between attempts while Redis is away
_AFTER_IDLE = 30.0  # seconds without work after which the publishing thread ends

Heard = Callable[[str], None]


def ring(bell: str, number: int | str) -> None:
    """Say that `bell` is at `number`. Never fails, never waits."""
    for heard in tuple(_listeners):
        heard(bell)
    _publisher.post(bell, f"{bell} {number}")


def listen_here(heard: Heard) -> None:
    """Call `heard` with the bell for each ring of this process, in the thread that rings: it must only set a flag."""
    _listeners.append(heard)


def unlisten_here(heard: Heard) -> None:
    if heard in _listeners:
        _listeners.remove(heard)


def channel() -> str:
    """One per lab: the name comes from the database, which all processes of a lab share."""
    settings_of = connection.settings_dict
    return _channel(str(settings_of["NAME"]), str(settings_of["HOST"]), str(settings_of["PORT"]))


@cache
def _channel(*where: str) -> str:
    return f"podlab:doorbell:{hashlib.sha256('|'.join(where).encode()).hexdigest()[:16]}"


def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=_TIMEOUT, socket_timeout=_TIMEOUT, protocol=2
    )


def _pubsub(client: redis.Redis) -> Any:  # redis ships its methods untyped
    return PubSub(client.connection_pool, ignore_subscribe_messages=True)


class _Publisher:
    """Passes rings to Redis. Rings of one bell that wait together become one: only the newest number counts."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._waiting: dict[str, str] = {}
        self._thread: threading.Thread | None = None
        self._quiet_until = 0.0

    def post(self, bell: str, message: str) -> None:
        # Names of clusters must all get through; numbers only grow.
        place = message if bell == CLUSTER else bell
        with self._wake:
            if monotonic() < self._quiet_until:
                return  # Redis is away; the pollers will find it.
            self._waiting[place] = message
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="doorbell-out", daemon=True)
                self._thread.start()
            self._wake.notify()

    def _run(self) -> None:
        # One connection of its own instead of a client: at a hundred rings a second taking one from the pool, looking whether
        # it is still good and trying again cost more than the message, and this thread tries again by itself.
        line: Any = _client().connection_pool.make_connection()  # redis ships its methods untyped
        pause = _FIRST_PAUSE
        while messages := self._take():
            try:
                name = channel()
                for message in messages:
                    line.send_command("PUBLISH", name, message, check_health=False)
                    line.read_response()
                pause = _FIRST_PAUSE
                clock.pause(_APART)
            except (redis.RedisError, OSError) as error:
                logger.debug("doorbell: Redis does not answer: %s", error)
                line.disconnect()
                with self._wake:
                    self._quiet_until = monotonic() + pause
                pause = min(pause * 2, _LONGEST_PAUSE)
        line.disconnect()

    def _take(self) -> list[str]:
        """The next messages; empty after a long idle time, when the thread ends."""
        with self._wake:
            if not self._waiting:
                self._wake.wait(_AFTER_IDLE)
            messages = list(self._waiting.values())
            self._waiting.clear()
            if not messages:
                self._thread = None
            return messages


class Listener:
    """Hears the rings of other processes through Redis, on a thread of its own, until closed. After each (re)connection
    it reports every bell once, because rings may have been missed."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="doorbell-in", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask the thread to end; it holds nothing that anybody waits for."""
        self._stop.set()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            began = monotonic()
            try:
                self._hear()
            except (redis.RedisError, OSError) as error:
                logger.debug("doorbell: no rings for now: %s", error)
            if monotonic() - began > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE  # it worked for a while
            self._stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _hear(self) -> None:
        """Report rings until the connection breaks or the listener is closed."""
        with closing(_client()) as client, closing(_pubsub(client)) as pubsub:
            pubsub.subscribe(channel())
            # Redis confirms the subscription before this returns; what comes from now on is heard.
            pubsub.get_message(timeout=_TIMEOUT)
            for bell in (REVISION, HISTORY, CLUSTER):
                self._heard(bell)
            while not self._stop.is_set():
                message = pubsub.get_message(timeout=_TIMEOUT)
                if message is not None:
                    self._heard(message["data"].decode("utf-8", "replace").partition(" ")[0])


_listeners: list[Heard] = []
_publisher = _Publisher()


def _after_fork() -> None:
    """Threads do not survive a fork."""
    global _publisher
    _publisher = _Publisher()
    _listeners.clear()


os.register_at_fork(after_in_child=_after_fork)
