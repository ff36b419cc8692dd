"""The Events tab of a pod: what was said about it, of either API's shape, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podlab.apis.types import Manifest
from podlab.glance import kubectl
from podlab.web import ranges
from podlab.web.place import Place

MOST = 1000  # of one pod; more are not shown


def tab(query: Mapping[str, str], place: Place, uid: str) -> dict[str, Any]:
    """Those that the range of the address touches; at the moment that the page shows. `uid`: what its node calls the pod,
    as `kubectl describe` looks for the events of a static pod's mirror."""
    selector = f"involvedObject.uid={uid}"
    chosen = ranges.of(query)
    found = [item.obj for item in place.list("events", place.namespace, field_selector=selector).items]
    wanted = [_event(event) for event in found if chosen is None or chosen.touches(event)]
    told = sorted(wanted, key=lambda event: event["seen"], reverse=True)[:MOST]
    where = {"cluster": place.cluster, "namespace": place.namespace}
    command = kubectl.line("get", "events", "--field-selector", selector, **where)
    return {"events": told, "told_of": uid, "range": chosen, "command": command}


def _event(event: Manifest) -> dict[str, Any]:
    first = event.get("firstTimestamp") or event.get("eventTime") or ""
    return {
        "first": first,
        "seen": event.get("lastTimestamp") or first,
        "type": event.get("type") or "Normal",
        "reason": event.get("reason") or "",
        "source": (event.get("source") or {}).get("component") or event.get("reportingComponent") or "",
        "count": event.get("count") or 1,
        "message": event.get("message") or "",
    }
