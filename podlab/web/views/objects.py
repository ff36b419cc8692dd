"""Lists and pages of every kind but pods: kubectl's own columns, YAML of any revision, and what a kind has of its own."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from podlab.apis import scheme
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest
from podlab.glance import kubectl
from podlab.glance import listing as rows
from podlab.glance.values import ObjectRow
from podlab.registry import computed
from podlab.registry.rbac import escalation
from podlab.storage.objects import Stored
from podlab.web import kinds, nodes, past
from podlab.web.place import Place, context, namespaces_of, open_place, page, remember

_SHOWN = 500  # rows of a list
_LONGEST_VALUE = 20_000
_AGE = 9  # characters that no age is longer than
HIDDEN = "••••••••"


def _resource(key: str, *, namespaced: bool) -> Resource:
    found = scheme.by_key(key)
    if found is None or found.namespaced != namespaced or "list" not in found.verbs:
        raise Http404(_("This lab serves no such kind."))
    return found


@page
@require_GET
def listing(request: HttpRequest, cluster: str, resource: str, namespace: str = "") -> HttpResponse:
    place = open_place(request, cluster, namespace)
    kind = _resource(resource, namespaced=bool(namespace))
    now = place.now()
    found = place.list(kind.key, namespace or None, limit=_SHOWN)
    endpoints = _endpoints(place) if rows.with_endpoints(kind) else None
    told = [rows.row(kind, item.obj, now, endpoints) for item in found.items]
    shown = [_shown(row, _url(place, kind, row["name"])) for row in told]
    more = {
        "kind": kind,
        "columns": rows.columns(kind),
        "rows": shown,
        "groups": rows.groups(shown),
        "tracks": _tracks(kind, told) if len(told) > rows.LONG else "",
        "blank": {"cells": [("", None)] * len(rows.columns(kind))},
        "base": _base(place, kind),
        "live": place.moment is None and "watch" in kind.verbs,
    }
    if request.headers.get("HX-Request"):
        return render(request, "parts/objects_list.html", context(place, **more))
    remember(request)
    more |= {
        "cut": bool(found.continue_),
        "creatable": place.moment is None and kind.key != "events" and place.may("create", kind.key),
        "kinds": kinds.bar(place),
        "namespaces": namespaces_of(place) if namespace else [],
        "command": kubectl.line("get", kind.key, cluster=cluster, namespace=namespace),
    }
    return render(request, "objects.html", context(place, **more))


def _tracks(kind: Resource, told: list[ObjectRow]) -> str:
    columns, cells = rows.columns(kind), [row["cells"] for row in told]
    if kind.key == "events":  # a link to the YAML, in a column of its own
        columns, cells = [*columns, "YAML"], [[*one, ""] for one in cells]
    ages = [_AGE if since else 0 for since in told[0]["since"]]
    return rows.tracks(columns, cells, ages)


def _shown(row: ObjectRow, url: str) -> dict[str, Any]:
    return {**row, "cells": list(zip(row["cells"], row["since"], strict=True)), "url": url}


def _endpoints(place: Place) -> dict[str, str]:
    """Nothing where the person may not see them."""
    if not place.may("list", rows.SLICES):
        return {}
    return rows.endpoints_of((item.obj for item in place.list(rows.SLICES, place.namespace).items), gettext)


def _base(place: Place, kind: Resource) -> str:
    """The address of the list, and of what stands below it."""
    if kind.namespaced:
        return reverse("objects", args=[place.cluster, place.namespace, kind.key])
    return reverse("cluster-objects", args=[place.cluster, kind.key])


def _url(place: Place, kind: Resource, name: str) -> str:
    return f"{_base(place, kind)}/{quote(name)}" + ("" if place.moment is None else f"?rev={place.moment.rev}")


@page
@require_GET
def one(request: HttpRequest, cluster: str, resource: str, name: str, namespace: str = "") -> HttpResponse:
    place = open_place(request, cluster, namespace)
    kind = _resource(resource, namespaced=bool(namespace))
    stored = place.client.get(kind.key, namespace, name) if place.moment is None else _earlier(place, kind, name)
    obj = stored.obj
    more: dict[str, Any] = {
        "kind": kind,
        "name": name,
        "editable": place.moment is None and _is_editable(place, kind, name),
        "facts": rows.facts(kind, obj, place.now()),
        "created": obj["metadata"].get("creationTimestamp") or "",
        "conditions": (obj.get("status") or {}).get("conditions") or [],
        "command": kubectl.line("get", kind.key, name, "-o", "yaml", cluster=cluster, namespace=namespace),
    }
    if kind.key == "secrets":
        more |= _secret(obj, reveal="reveal" in request.GET)
    else:
        more |= past.yaml_tab(request.GET, cluster, stored.uid, obj)
        more |= _data(obj) if kind.key == "configmaps" else {}
    if kind.key == "nodes":
        more |= _node(place, obj)
    more["watch"] = _watched(kind, name) if place.moment is None else None
    if request.headers.get("HX-Request"):
        return render(request, "parts/object.html", context(place, **more))
    return render(request, "object.html", context(place, **more))


def _is_editable(place: Place, kind: Resource, name: str) -> bool:
    if "update" not in kind.verbs or (computed.adds(kind.key) and escalation.is_managed(kind.key, name)):
        return False
    return place.may("update", kind.key, name=name)


def _watched(kind: Resource, name: str) -> dict[str, str]:
    """What the page shows, for its script, which asks for it again when that changes. A node's pods are on its page."""
    if kind.key == "nodes":
        return {"resources": "nodes,pods", "node": name}
    return {"resources": scheme.stored(kind).key, "name": name}


def _earlier(place: Place, kind: Resource, name: str) -> Stored:
    found = place.find(kind.key, place.namespace, name)
    if found is None:
        raise Http404(_("There was no {kind} {name} at that moment.").format(kind=kind.kind, name=name))
    return found


def _data(obj: Manifest) -> dict[str, Any]:
    data = [(key, str(value)[:_LONGEST_VALUE]) for key, value in sorted((obj.get("data") or {}).items())]
    binary = [(key, _("binary, {size} characters of base64").format(size=len(value))) for key, value in sorted((obj.get("binaryData") or {}).items())]  # fmt: skip
    return {"data": data + binary}


def _secret(obj: Manifest, *, reveal: bool) -> dict[str, Any]:
    """Neither the page nor its YAML has the values until somebody asks; then decoded."""
    data = sorted((obj.get("data") or {}).items())
    return {
        "secret": True,
        "reveal": reveal,
        "data": [(key, _decoded(value) if reveal else HIDDEN) for key, value in data],
    }


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode()[:_LONGEST_VALUE]
    except ValueError:
        return _("binary, {size} characters of base64").format(size=len(value))


def _node(place: Place, node: Manifest) -> dict[str, Any]:
    """The pods on it as blocks by their requests: those that the person may see."""
    name = node["metadata"]["name"]
    on_it = []
    for namespace in namespaces_of(place):
        on_it += [item.obj for item in place.list("pods", namespace, field_selector=f"spec.nodeName={name}").items]
    return {
        "node": node,
        "blocks": nodes.blocks(node, on_it),
        "room": nodes.room(node, on_it),
        "taints": (node.get("spec") or {}).get("taints") or [],
        "more_room": _other_room(node),
        "unschedulable": bool((node.get("spec") or {}).get("unschedulable")),
        "acts": _acts(place, name),
        "stay": sum(nodes.stays(pod) for pod in on_it),
        "go": sum(not nodes.stays(pod) for pod in on_it),
        "command": kubectl.line("describe", "node", name, cluster=place.cluster),
    }


def _other_room(node: Manifest) -> list[tuple[str, str]]:
    """What can be allocated of resources that the bars do not show."""
    has = (node.get("status") or {}).get("allocatable") or {}
    return [(key, str(value)) for key, value in sorted(has.items()) if key not in {"cpu", "memory", "pods"}]


def _acts(place: Place, name: str) -> list[tuple[str, str]]:
    """What the person may do with the node, each with its kubectl line."""
    if place.moment is not None or not place.may("patch", "nodes", name=name):
        return []
    drains = place.may("list", "pods") and place.may("create", "pods", subresource="eviction")
    return [
        (do, nodes.command(do, name, cluster=place.cluster))
        for do in ("cordon", "uncordon", "drain")
        if do != "drain" or drains
    ]
