"""Lists of every kind but pods: the columns that kubectl shows, the cells of an object, and which of them are ages. Pure.

`web` renders them into the page, `timeline.object_feed` sends the same live. Long lists, also of pods, are laid out in groups
of rows, of which the browser draws those near the window only: static/src/lines.js keeps them so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import TypeVar

from podlab.apis import printers
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest
from podlab.glance.sentences import Translate, gettext_noop
from podlab.glance.values import ObjectRow

SLICES = "endpointslices.discovery.k8s.io"
_SERVICE_LABEL = "kubernetes.io/service-name"
_MOST_ADDRESSES = 3
MORE = gettext_noop("{count} more")
UNREADY = gettext_noop("{count} not ready")
T = TypeVar("T")
LONG = 300  # rows: with more a list is long, here as in static/src/lines.js
GROUP = 50  # rows of a long list that are laid out together
_WIDEST = 44  # characters of a cell that are not broken into lines
_PADDING = "1.8rem"  # of a cell, as in static/src/css/tables.css


def with_endpoints(kind: Resource) -> bool:
    """Services have a column more than kubectl shows: where their requests go."""
    return kind.key == "services"


def columns(kind: Resource) -> list[str]:
    names = [column.name for column in printers.columns(kind) if not column.priority]
    return names + (["Endpoints"] if with_endpoints(kind) else [])


def row(kind: Resource, obj: Manifest, now: datetime, endpoints: Mapping[str, str] | None = None) -> ObjectRow:
    """`endpoints`: what `endpoints_of` said, for services."""
    told = zip(printers.columns(kind), printers.row(kind, obj, now), strict=False)
    shown = [(column.name, str(cell)) for column, cell in told if not column.priority]
    meta = obj["metadata"]
    cells, since = [cell for _, cell in shown], [_since(kind, name, obj) for name, _ in shown]
    if with_endpoints(kind):
        cells, since = [*cells, (endpoints or {}).get(meta["name"], "<none>")], [*since, None]
    return {"uid": meta.get("uid", ""), "name": meta["name"], "cells": cells, "since": since}


def facts(kind: Resource, obj: Manifest, now: datetime) -> list[tuple[str, str, str | None]]:
    """Every column but the name, wide ones too, for the head of the object's page: name, cell, from when on it counts."""
    told = zip(printers.columns(kind), printers.row(kind, obj, now), strict=False)
    named = ((column.name, str(cell)) for column, cell in told if column.name != "Name")
    return [(name, cell, _since(kind, name, obj)) for name, cell in named]


def _since(kind: Resource, column: str, obj: Manifest) -> str | None:
    """From when on a cell counts; None if it stands still or there is no such moment."""
    status = obj.get("status") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    moments = {
        "Age": obj["metadata"].get("creationTimestamp"),
        "First Seen": first,
        "Last Seen": (obj.get("series") or {}).get("lastObservedTime") or obj.get("lastTimestamp") or first,
        "Last Schedule": status.get("lastScheduleTime"),
        "Duration": status.get("startTime") if kind.key == "jobs.batch" and not status.get("completionTime") else None,
    }
    found = moments.get(column)
    return str(found) if found else None


def service_of(piece: Manifest) -> str:
    """The service that an EndpointSlice belongs to; "" for none."""
    return str((piece["metadata"].get("labels") or {}).get(_SERVICE_LABEL, ""))


def endpoints_of(slices: Iterable[Manifest], translate: Translate = str) -> dict[str, str]:
    """By service: the addresses that get requests, and how many do not."""
    ready: dict[str, list[str]] = {}
    unready: Counter[str] = Counter()
    for piece in slices:
        service = service_of(piece)
        for endpoint in piece.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is False:
                unready[service] += 1
            else:
                ready.setdefault(service, []).extend(endpoint.get("addresses") or ())
    told = {}
    for service in ready.keys() | unready.keys():
        known = sorted(set(ready.get(service, ())))
        over = len(known) - _MOST_ADDRESSES
        words = [", ".join(known[:_MOST_ADDRESSES])] if known else []
        words += [translate(MORE).format(count=over)] if over > 0 else []
        words += [translate(UNREADY).format(count=unready[service])] if unready[service] else []
        told[service] = " + ".join(words)
    return told


def groups(rows: Sequence[T]) -> list[Sequence[T]]:
    """The rows as they are laid out together: all of a short list (even none), a long one by `GROUP`."""
    if len(rows) <= LONG:
        return [rows]
    return [rows[start : start + GROUP] for start in range(0, len(rows), GROUP)]


def tracks(columns: Sequence[str], rows: Sequence[Sequence[str]], least: Sequence[int] = ()) -> str:
    """The columns of a long list as CSS `grid-template-columns`: every group has the same ones, though most are not laid out.
    Each is as wide as its longest text (at least `least` characters) and gets its share of what is left over."""
    longest = [max(len(name), *(len(row[index]) for row in rows)) for index, name in enumerate(columns)]
    wanted = (max(one, most or 0) for one, most in zip_longest(longest, least))
    return " ".join(f"minmax(calc({size}ch + {_PADDING}), {size}fr)" for size in (min(one, _WIDEST) for one in wanted))
