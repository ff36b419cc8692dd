"""Events as Kubernetes' components record them. Actors hold one `Recorder` each.

Equal events (same object, field, type, reason, message, source) become one with a count. Ten different messages for one
reason within ten minutes collapse into one event, and a chatty object is slowed down, as client-go does.
Source: client-go/tools/record/{event,events_cache}.go, tools/reference/ref.go.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from podlab.apis import times
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client

NORMAL = "Normal"
WARNING = "Warning"

_CACHED = 4096
_FORGET = timedelta(minutes=10)
_SIMILAR = 10  # from so many different messages on they are combined
_BURST = 25.0
_REFILL = 1 / 300  # events a second for one source and object after a burst
_NOTE_LIMIT = 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CROWD = 1000  # events of one object at one moment; so many nanoseconds are in the microsecond that clocks tell
_log = logging.getLogger(__name__)

Source = tuple[str, str, str]  # uid, namespace and name of the object; the recorder is one source


@dataclass(slots=True)
class _Seen:
    """An Event object that this recorder wrote."""

    name: str
    count: int


@dataclass(slots=True)
class _Similar:
    """The different messages of one reason."""

    messages: set[str] = field(default_factory=set)
    last: datetime | None = None


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime


@dataclass(slots=True)
class _Plan:
    """What to do about an event: raise the count of `seen`, or create a new one."""

    key: tuple[str, ...]
    message: str
    seen: _Seen | None


class Recorder:
    """Thread-safe. `now` is the clock of the cluster; it is also what ages and throttles."""

    def __init__(
        self, client: Client, component: str, host: str = "", now: Callable[[], datetime] | None = None
    ) -> None:
        self._client = client
        self._component = component
        self._host = host
        self._now = now or client.now
        self._lock = threading.Lock()
        self._last = 0  # the nanosecond in the name of the event written last
        self._seen: OrderedDict[tuple[str, ...], _Seen] = OrderedDict()
        self._similar: OrderedDict[tuple[str, ...], _Similar] = OrderedDict()
        self._buckets: OrderedDict[Source, _Bucket] = OrderedDict()

    def event(
        self, obj: Manifest, type: str, reason: str, message: str, *, field_path: str = "", why: str = ""
    ) -> None:
        """Record that something happened to `obj`. Never raises: an event that cannot be written is logged and lost."""
        self._write(obj, type, reason, message, field_path=field_path, why=why)

    def settle(self, seconds: float = 1.0) -> None:
        """Wait until what was told before is written: it is, unless a thread of its own writes (`broadcaster`)."""

    def close(self) -> None:
        """Take no more events; those that wait are written."""

    def _write(
        self,
        obj: Manifest,
        type: str,
        reason: str,
        message: str,
        *,
        field_path: str,
        why: str,
        at: datetime | None = None,
    ) -> None:
        try:
            with self._lock:
                now = at or self._now()
                self._record(obj, type, reason, message[:_NOTE_LIMIT], field_path=field_path, why=why, now=now)
        except ApiError as error:
            # Typical: the namespace is being deleted and takes no new content.
            _log.info("event %s of %s not recorded: %s", reason, _name(obj), error.message)
        except Exception:
            _log.exception("event %s of %s not recorded", reason, _name(obj))

    def _record(
        self, obj: Manifest, type: str, reason: str, message: str, *, field_path: str, why: str, now: datetime
    ) -> None:
        about = reference(obj, field_path)
        if not about.get("kind") or not about.get("name"):
            raise ValueError("an event needs an object with a kind and a name")
        plan = self._plan(about, type, reason, message, now)
        if plan.seen is not None:
            plan.seen.count += 1  # also when the write below is held back: the next one tells the true count
        if not self._allowed(about, now):
            _log.info("event %s of %s dropped: too many in a short time", reason, _name(obj))
            return
        namespace = about.get("namespace") or "default"
        if plan.seen is not None and self._raise_count(namespace, plan, now, why):
            return
        body = self._body("", namespace, about, type, reason, plan.message, times.rfc3339(now))
        name = self._create(body, now, why)
        self._seen[plan.key] = _Seen(name, 1)
        _trim(self._seen)

    def _create(self, body: Manifest, now: datetime, why: str) -> str:
        """Store a new Event under a name that tells its time, as client-go's makeEvent. In lab time, much happens at one
        moment: then the next free nanosecond."""
        about, meta = body["involvedObject"], body["metadata"]
        nanos = (now - _EPOCH) // timedelta(microseconds=1) * 1000
        if nanos <= self._last < nanos + _CROWD:
            nanos = self._last + 1
        for _ in range(_CROWD):
            meta["name"] = f"{about.get('name', '')}.{nanos:x}"
            self._last = nanos
            try:
                self._client.create("events", body, namespace=meta["namespace"], why=why)
                break
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
                nanos += 1
        return str(meta["name"])

    def _plan(self, about: Manifest, type: str, reason: str, message: str, now: datetime) -> _Plan:
        """EventAggregator and eventLogger in one: under which key this event is counted, and what it says."""
        same = (self._component, self._host, *_words(about), type, reason)
        similar = self._similar.setdefault(same, _Similar())
        self._similar.move_to_end(same)
        _trim(self._similar)
        if similar.last is None or now - similar.last > _FORGET:
            similar.messages.clear()
        similar.last = now
        similar.messages.add(message)
        if len(similar.messages) >= _SIMILAR:
            similar.messages.pop()
            message, key = f"(combined from similar events): {message}", same
        else:
            key = (*same, message)
        return _Plan(key, message, self._seen.get(key))

    def _allowed(self, about: Manifest, now: datetime) -> bool:
        """The spam filter: a token bucket for each object."""
        source = (about.get("uid", ""), about.get("namespace", ""), about.get("name", ""))
        bucket = self._buckets.setdefault(source, _Bucket(_BURST, now))
        self._buckets.move_to_end(source)
        _trim(self._buckets)
        gained = max((now - bucket.at).total_seconds(), 0.0) * _REFILL
        bucket.tokens, bucket.at = min(bucket.tokens + gained, _BURST), now
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True

    def _raise_count(self, namespace: str, plan: _Plan, now: datetime, why: str) -> bool:
        """Count one more on the Event written before; False when it is not there any more."""
        seen = plan.seen
        assert seen is not None
        patch = {"count": seen.count, "lastTimestamp": times.rfc3339(now), "message": plan.message}
        try:
            self._client.patch("events", namespace, seen.name, "application/merge-patch+json", patch, why=why)
        except ApiError as error:
            if error.code != 404:
                raise
            del self._seen[plan.key]
            return False
        return True

    def _body(
        self, name: str, namespace: str, about: Manifest, type: str, reason: str, message: str, stamp: str
    ) -> Manifest:
        source = {"component": self._component}
        if self._host:
            source["host"] = self._host
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "source": source,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
            "type": type,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }


def reference(obj: Manifest, field_path: str = "") -> Manifest:
    """involvedObject for `obj`."""
    meta = obj.get("metadata") or {}
    about = {
        "kind": obj.get("kind"),
        "namespace": meta.get("namespace"),
        "name": meta.get("name"),
        "uid": meta.get("uid"),
        "apiVersion": obj.get("apiVersion"),
        "resourceVersion": meta.get("resourceVersion"),
        "fieldPath": field_path,
    }
    return {name: value for name, value in about.items() if value}


def _words(about: Manifest) -> tuple[str, ...]:
    """What tells the objects of events apart; resourceVersion does not."""
    fields = ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")
    return tuple(str(about.get(name, "")) for name in fields)


def _name(obj: Manifest) -> str:
    meta = obj.get("metadata") or {}
    return f"{meta.get('namespace', '')}/{meta.get('name', '')}"


def _trim(cache: OrderedDict[Any, Any]) -> None:
    while len(cache) > _CACHED:
        cache.popitem(last=False)
