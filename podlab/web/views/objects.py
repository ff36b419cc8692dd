"""Lists and pages of every kind but pods: kubectl's own columns, YAML of any revision, and what a kind has of its own."""

from __future__ import annotations

import base64
from collections import Counter
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
    key: str
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
    endpoints = _endpoints(place) if kind.key == "services" else {}
    rows = []
    for item in found.items:
        cells = printers.row(kind, item.obj, now)
        texts = [str(cells[index]) for index in shown]
        extra = [endpoints.get(item.key.name, "<none>")] if kind.key == "services" else []
        rows.append(Row(item.key.name, _url(place, kind, item.obj), texts + extra))
    names = [columns[index].name for index in shown] + (["Endpoints"] if kind.key == "services" else [])
    more = {"kind": kind, "columns": names, "rows": rows}
    if request.headers.get("HX-Request"):
        return render(request, "parts/objects_list.html", context(place, **more))
    remember(request)
    more |= {
        "cut": bool(found.continue_),
        "kinds": kinds.bar(place),
        "namespaces": namespaces_of(place) if namespace else [],
        "command": kubectl.line("get", kind.key, cluster=cluster, namespace=namespace),
    }
    return render(request, "objects.html", context(place, **more))


_SLICES = "endpointslices.discovery.k8s.io"


def _endpoints(place: Place) -> dict[str, str]:
    """By service: the addresses that get requests, and how many do not; nothing where the person may not see them."""
    if not place.may("list", _SLICES):
        return {}
    ready: dict[str, list[str]] = {}
    unready: Counter[str] = Counter()
    for item in place.list(_SLICES, place.namespace).items:
        service = (item.obj["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "")
        for endpoint in item.obj.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is False:
                unready[service] += 1
            else:
                ready.setdefault(service, []).extend(endpoint.get("addresses") or ())
    told = {}
    for service in ready.keys() | unready.keys():
        known = sorted(set(ready.get(service, ())))
        words = [", ".join(known[:3])] if known else []
        words += [_("{count} more").format(count=len(known) - 3)] if len(known) > 3 else []
        words += [_("{count} not ready").format(count=unready[service])] if unready[service] else []
        told[service] = " + ".join(words)
    return told


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
