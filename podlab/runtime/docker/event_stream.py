"""Follows the engine's events for one node on a thread of its own.

An event is a wake-up call, never the truth: after a reconnect some may come twice and some not at all, and the kubelet
relists anyway.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from podlab.runtime.docker import labels
from podlab.runtime.docker.client import Engine, Stream, engine_errors
from podlab.runtime.docker.labels import Scope
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import RuntimeEvent

log = logging.getLogger(__name__)
_KINDS = {"create": "created", "start": "started", "die": "died", "oom": "oom", "destroy": "removed"}
_BACKOFF_FIRST, _BACKOFF_LAST = 0.2, 5.0


class EventFollower:
    def __init__(self, engine: Engine, scope: Scope, on_event: Callable[[RuntimeEvent], None]) -> None:
        self._engine = engine
        self._filters = {"type": ["container"], "event": list(_KINDS), **scope.filters()}
        self._on_event = on_event
        self._since = ""  # of the newest event, as the engine wants it
        self._closed = threading.Event()
        self._connected = threading.Event()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._run, name=f"docker events {scope.node}", daemon=True)
        self._thread.start()
        # So that whoever subscribes and then acts hears of it. An engine that is down must not hold him up.
        self._connected.wait(2.0)

    def close(self) -> None:
        self._closed.set()
        if self._stream is not None:
            self._stream.close()

    def _run(self) -> None:
        wait = _BACKOFF_FIRST
        while not self._closed.is_set():
            try:
                self._read_once()
                wait = _BACKOFF_FIRST
            except RuntimeFailure as error:
                log.warning("Docker events are interrupted, next try in %.1f s: %s", wait, error)
            except Exception:
                log.exception("a Docker event could not be handled")
            self._closed.wait(wait)
            wait = min(wait * 2, _BACKOFF_LAST)

    def _read_once(self) -> None:
        params = {"filters": json.dumps(self._filters)} | ({"since": self._since} if self._since else {})
        with engine_errors():
            stream = self._stream = self._engine.get_stream("/events", params)
        self._connected.set()
        if self._closed.is_set():
            stream.close()
        for line in stream.lines():
            self._handle(json.loads(line))

    def _handle(self, event: Mapping[str, Any]) -> None:
        nanos = int(event["timeNano"])
        self._since = f"{nanos // 10**9}.{nanos % 10**9:09d}"
        kind = _KINDS.get(event["Action"])
        actor = event["Actor"]
        uid = actor["Attributes"].get(labels.POD_UID)
        if kind and uid:
            self._on_event(RuntimeEvent(pod_uid=uid, container_id=actor["ID"], kind=kind))
