"""The timeline of a namespace. The page's script opens the stories of its pods over the websocket."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from podlab.glance import kubectl
from podlab.registry import authorizer
from podlab.web import kinds
from podlab.web.place import context, namespaces_of, open_place, page, remember

MOST = 2000  # as podlab/timeline/space_past.py


@page
@require_GET
def timeline(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    place = open_place(request, cluster, namespace)
    wanted = authorizer.Attributes(verb="watch", resource="pods", cluster=cluster, namespace=namespace)
    authorizer.require(place.identity, wanted)
    remember(request)
    more = {
        "most": MOST,
        "kinds": kinds.bar(place),
        "namespaces": namespaces_of(place),
        "command": kubectl.line("get", "pods", "--watch", cluster=cluster, namespace=namespace),
    }
    return render(request, "space.html", context(place, **more))
