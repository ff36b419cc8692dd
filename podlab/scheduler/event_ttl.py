"""Events live for an hour after their last update (kube-apiserver --event-ttl=1h; the etcd lease starts anew on update).

Fed with the change log of one cluster, like `queue`. One timer per cluster, for the oldest event; none without events.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.clock import Clock, Timer
from podlab.scheduler.queue import Change

TTL = timedelta(hours=1)
# So that a burst of events is not a timer each.
GRAIN = timedelta(seconds=30)

Forget = Callable[[str, str, str], None]  # namespace, name, uid


class EventTtl:
    def __init__(self, clock: Clock, forget: Forget) -> None:
        self._clock = clock
        self._forget = forget
        # In order of last update: an update moves its event to the end.
        self._seen: dict[tuple[str, str], tuple[datetime, str]] = {}
        self._timer: Timer | None = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._seen.clear()

    def add(self, event: Manifest) -> None:
        """An event as listed when the owner starts; list in order of age."""
        self._note(event, _last_seen(event) or self._clock.now())

    def on_change(self, change: Change) -> None:
        if change.key.resource != "events":
            return
        if change.type == "DELETED":
            self._seen.pop((change.key.namespace, change.key.name), None)
        else:
            self._note(change.obj, self._clock.now())

    def _note(self, event: Manifest, at: datetime) -> None:
        place = (event["metadata"].get("namespace", ""), event["metadata"]["name"])
        self._seen.pop(place, None)
        self._seen[place] = (at, event["metadata"]["uid"])
        if self._timer is None:
            self._timer = self._clock.call_at(at + TTL + GRAIN, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self._clock.now()
        while self._seen:
            place, (at, uid) = next(iter(self._seen.items()))
            if at + TTL > now:
                self._timer = self._clock.call_at(at + TTL + GRAIN, self._expire)
                return
            del self._seen[place]
            self._forget(place[0], place[1], uid)


def _last_seen(event: Manifest) -> datetime | None:
    series = event.get("series") or {}
    for text in (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    ):
        if text:
            return times.parse(text)
    return None
