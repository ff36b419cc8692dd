"""Lists and pages of every kind but pods: kubectl's own columns, YAML of any revision, and what a kind has of its own."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from podlab.apis import printers, scheme
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest
from podlab.storage.objects import Stored
from podlab.web import kinds, kubectl, nodes, past
from podlab.web.place import Place, context, namespaces_of, open_place, page, remember

_SHOWN = 500  # rows of a list
_LONGEST_VALUE = 20_000
HIDDEN = "••••••••"


def _resource(key: str, *, namespaced: bool) -> Resource:
    found = scheme.by_key(key)
    if found is None or found.namespaced != namespaced or "list" not in found.verbs:
        raise Http404(_("This lab serves no such kind."))
    return found


@dataclass(frozen=True, slots=True)
class Row:
    url: str
    cells: list[str]


@page
@require_GET
def listing(request: HttpRequest, cluster: str, resource: str, namespace: str = "") -> HttpResponse:
    place = open_place(request, cluster, namespace)
    kind = _resource(resource, namespaced=bool(namespace))
    now, columns = place.now(), printers.columns(kind)
    found = place.list(kind.key, namespace or None, limit=_SHOWN)
    shown = [index for index, column in enumerate(columns) if not column.priority]
    rows = []
    for item in found.items:
        cells = printers.row(kind, item.obj, now)
        rows.append(Row(_url(place, kind, item.obj), [str(cells[index]) for index in shown]))
    remember(request)
    more = {
        "kind": kind,
        "columns": [columns[index].name for index in shown],
        "rows": rows,
        "cut": bool(found.continue_),
        "kinds": kinds.bar(place),
        "namespaces": namespaces_of(place) if namespace else [],
        "command": kubectl.line("get", kind.key, cluster=cluster, namespace=namespace),
    }
    return render(request, "objects.html", context(place, **more))


def _url(place: Place, kind: Resource, obj: Manifest) -> str:
    name = obj["metadata"]["name"]
    then = "" if place.moment is None else f"?rev={place.moment.rev}"
    if kind.namespaced:
        return reverse("object", args=[place.cluster, place.namespace, kind.key, name]) + then
    return reverse("cluster-object", args=[place.cluster, kind.key, name]) + then


@page
@require_GET
def one(request: HttpRequest, cluster: str, resource: str, name: str, namespace: str = "") -> HttpResponse:
    place = open_place(request, cluster, namespace)
    kind = _resource(resource, namespaced=bool(namespace))
    stored = place.client.get(kind.key, namespace, name) if place.moment is None else _earlier(place, kind, name)
    now, columns = place.now(), printers.columns(kind)
    cells = zip(columns, printers.row(kind, stored.obj, now), strict=False)
    obj = stored.obj
    more: dict[str, Any] = {
        "kind": kind,
        "name": name,
        "editable": place.moment is None and "update" in kind.verbs and place.may("update", kind.key, name=name),
        "facts": [(column.name, str(cell)) for column, cell in cells if column.name != "Name"],
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
    return render(request, "object.html", context(place, **more))


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
        "command": kubectl.line("describe", "node", name, cluster=place.cluster),
    }
