"""The object graph of a namespace: who owns, selects and mounts what, and where pods run. Any revision can be drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from podlab.apis import pod_summary, scheme
from podlab.apis.status_errors import ApiError
from podlab.glance import kubectl, summary
from podlab.registry import authorizer
from podlab.storage import relations
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.objects import Stored
from podlab.storage.relations import Relation, Relations
from podlab.web import graph, kinds
from podlab.web.graph import Box, Edge
from podlab.web.place import Place, context, namespaces_of, open_place, page, remember

_IN_EVERY_POD = ("configmaps", "kube-root-ca.crt")
_WATCHED = ",".join(relations.RESOURCES)
_MOST = 400  # boxes; more than that nobody reads


@page
@require_GET
def graph_page(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    """The page, or for its script only the drawing."""
    place = open_place(request, cluster, namespace)
    wanted = authorizer.Attributes(verb="list", resource="pods", cluster=cluster, namespace=namespace)
    authorizer.require(place.identity, wanted)
    rev = None if place.moment is None else place.moment.rev
    more = _drawing(place, _relations(place, rev)) | {"graph": True, "watch": _WATCHED if rev is None else ""}
    if request.headers.get("HX-Request"):
        return render(request, "parts/graph.html", context(place, **more))
    remember(request)
    more["kinds"] = kinds.bar(place)
    more["namespaces"] = namespaces_of(place)
    more["command"] = kubectl.line("get", "all", "-o", "wide", cluster=cluster, namespace=namespace)
    return render(request, "graph.html", context(place, **more))


def _relations(place: Place, revision: int | None) -> Relations:
    readable = [key for key in relations.RESOURCES if place.may("list", key)]
    try:
        if revision is None:
            return relations.present(place.cluster, place.namespace, readable)
        return relations.past(place.cluster, place.namespace, revision, readable)
    except Compacted as error:
        raise ApiError(410, "Expired", str(error)) from error
    except FutureRevision as error:
        raise ApiError(400, "BadRequest", str(error)) from error


def _drawing(place: Place, found: Relations) -> dict[str, Any]:
    edges = [Edge(one.type, one.start, one.end) for one in found.edges if one.end != _IN_EVERY_POD]
    tied = {name for edge in edges for name in (edge.start, edge.end)}
    objects = {(item.key.resource, item.key.name): item for item in found.objects}
    names = [name for name in objects if name in tied or name[0] not in graph.MOUNTED]
    shown = dict.fromkeys(names[:_MOST])
    drawing = graph.draw(shown, [edge for edge in edges if edge.start in shown])
    return {
        "drawing": drawing,
        "boxes": [_box(place, box, objects.get(box.name)) for box in drawing.boxes],
        "relations": _sentences(found.edges),
        "left_out": max(len(names) - _MOST, 0),
    }


def _box(place: Place, box: Box, item: Stored | None) -> dict[str, Any]:
    resource, name = box.name
    known = scheme.by_key(resource)
    tone, status = "", ""
    if item is not None and resource == "pods":
        told = pod_summary.summarise(item.obj)
        status = told.status
        tone = summary.tone(told.status, f"{told.ready}/{told.total}")
    return {
        "box": box,
        "kind": known.kind if known is not None else resource,
        "name": name,
        "tone": tone,
        "status": status,
        "href": _href(place, resource, name, item) if not box.missing else "",
    }


def _href(place: Place, resource: str, name: str, item: Stored | None) -> str:
    known = scheme.by_key(resource)
    if known is None:
        return ""
    query: dict[str, object] = {} if place.moment is None else {"rev": place.moment.rev}
    if resource == "pods":
        base = reverse("pod", args=[place.cluster, place.namespace, name])
        query |= {"uid": item.uid} if item is not None else {}
    elif known.namespaced:
        base = reverse("object", args=[place.cluster, place.namespace, resource, name])
    else:
        base = reverse("cluster-object", args=[place.cluster, resource, name])
    return f"{base}?{urlencode(query)}" if query else base


def _sentences(edges: Iterable[Relation]) -> list[str]:
    """The same as a list, for those who do not see the drawing."""
    words = {
        "owner": _("{start} belongs to {end}"),
        "selects": _("{start} selects {end}"),
        "mounts": _("{start} mounts {end}"),
        "scheduled-on": _("{start} runs on {end}"),
    }
    return [words[one.type].format(start="/".join(one.start), end="/".join(one.end)) for one in edges]
