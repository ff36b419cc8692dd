"""The timeline of a namespace: which pods it has and lately had. The page's script opens the story of each."""

from __future__ import annotations

from typing import TypedDict

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from podlab.apis.types import Manifest
from podlab.storage import log
from podlab.web import kinds, kubectl
from podlab.web.place import Place, context, namespaces_of, open_place, page, remember

MOST = 36  # a page may hold 40 feeds open (timeline/consumers.py)
_BACK = 20_000  # revisions that are searched for deleted pods


class Told(TypedDict):
    name: str
    uid: str
    created: str
    gone: bool


def pods_of(place: Place) -> list[Told]:
    """Living pods and those that the log still knows, the newest first."""
    found = {item.uid: _told(item.obj, gone=False) for item in place.client.list("pods", place.namespace).items}
    after = max(log.floor(), log.head() - _BACK)
    entries = log.read_after(after, limit=_BACK, cluster=place.cluster, resource="pods", namespace=place.namespace)
    for entry in entries:
        if entry.type == "DELETED":
            found.setdefault(entry.uid, _told(entry.obj, gone=True))
    return sorted(found.values(), key=lambda pod: (pod["created"], pod["name"]), reverse=True)


def _told(obj: Manifest, *, gone: bool) -> Told:
    meta = obj["metadata"]
    return {"name": meta["name"], "uid": meta["uid"], "created": meta["creationTimestamp"], "gone": gone}


@page
@require_GET
def timeline(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    place = open_place(request, cluster, namespace)
    found = pods_of(place)
    # Living ones are kept before deleted ones when there is no room for all.
    shown = sorted(sorted(found, key=lambda pod: pod["gone"])[:MOST], key=lambda pod: (pod["created"], pod["name"]))
    remember(request)
    more = {
        "pods": shown,
        "left_out": len(found) - len(shown),
        "most": MOST,
        "kinds": kinds.bar(place),
        "namespaces": namespaces_of(place),
        "command": kubectl.line("get", "pods", "--watch", cluster=cluster, namespace=namespace),
    }
    return render(request, "space.html", context(place, **more))
