"""A range of time that is selected on a pod's timeline, as it stands in the address (`range=<moment>/<moment>`): the tabs
Logs and Events show only that. static/src/address.js writes it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from podlab.apis import times
from podlab.apis.types import Manifest

_SECOND = timedelta(seconds=1)  # the times of an Event are no finer


@dataclass(frozen=True, slots=True)
class Range:
    begin: datetime
    end: datetime
    text: str  # as in the address

    def touches(self, event: Manifest) -> bool:
        """Whether an Event was seen within it, or before and after it."""
        series = event.get("series") or {}
        first = event.get("firstTimestamp") or event.get("eventTime")
        last = series.get("lastObservedTime") or event.get("lastTimestamp") or first
        if not first or not last:
            return False
        return times.parse(first) <= self.end and times.parse(last) + _SECOND > self.begin


def of(query: Mapping[str, str]) -> Range | None:
    """None if there is none, or nothing that can be read as one."""
    text = query.get("range", "")
    begin, _, end = text.partition("/")
    try:
        found = Range(times.parse(begin), times.parse(end), text)
    except ValueError:
        return None
    return found if found.begin <= found.end else None
