"""Which namespaces are being deleted, and when it is worth looking at one again. Fed with the change log, like `queue`;
says names to `dispatch`, which runs `registry.namespaces.finalize_namespace`."""

from __future__ import annotations

from collections.abc import Callable

from podlab.apis.types import Manifest
from podlab.clock import Clock, Timer
from podlab.scheduler.queue import Change

# The net under a lost or failed attempt; progress comes from deletions.
RETRY_SECONDS = 15.0


class TerminatingNamespaces:
    def __init__(self, clock: Clock, dispatch: Callable[[str], None]) -> None:
        self._clock = clock
        self._dispatch = dispatch
        self._timers: dict[str, Timer] = {}

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    @property
    def names(self) -> list[str]:
        return sorted(self._timers)

    def add(self, namespace: Manifest) -> None:
        """A namespace as listed when the owner starts, or as it changed."""
        if namespace["metadata"].get("deletionTimestamp"):
            self._look_at(namespace["metadata"]["name"])

    def on_change(self, change: Change) -> None:
        if change.key.resource != "namespaces":
            if change.type == "DELETED" and change.key.namespace in self._timers:
                self._look_at(change.key.namespace)
        elif change.type != "DELETED":
            self.add(change.obj)
        elif (timer := self._timers.pop(change.key.name, None)) is not None:
            timer.cancel()

    def _look_at(self, name: str) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = self._clock.call_later(RETRY_SECONDS, lambda: self._look_at(name))
        self._dispatch(name)
