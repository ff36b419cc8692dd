"""Cordon, uncordon and drain a node from its page; forms, so that they work without scripts."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from podlab.apis.status_errors import ApiError, bad_request
from podlab.registry import patch
from podlab.web import nodes
from podlab.web.place import Place, open_place, page

_TOLD = 6  # refusals that are told one by one


@page
@require_POST
def act(request: HttpRequest, cluster: str, name: str) -> HttpResponse:
    place = open_place(request, cluster)
    do = request.POST.get("do", "")
    if do not in {"cordon", "uncordon", "drain"}:
        raise bad_request(_("A node can be cordoned, uncordoned and drained."))
    command = nodes.command(do, name, cluster=cluster)
    _cordon(place, name, wanted=do != "uncordon")
    text = {
        "cordon": _("Node {name} takes no more pods."),
        "uncordon": _("Node {name} takes pods again."),
        "drain": _("Node {name} takes no more pods; {count} are being evicted, {stay} stay."),
    }[do]
    evicted, stay, refused = _drain(place, name) if do == "drain" else (0, 0, [])
    messages.success(request, f"{text.format(name=name, count=evicted, stay=stay)} {command}")
    for words in refused[:_TOLD]:
        messages.error(request, words)
    return redirect("cluster-object", cluster=cluster, resource="nodes", name=name)


def _cordon(place: Place, name: str, *, wanted: bool) -> None:
    why = f"{place.identity.actor} {'cordoned' if wanted else 'uncordoned'} the node on its page."
    change = {"spec": {"unschedulable": True if wanted else None}}
    place.client.patch("nodes", "", name, patch.MERGE_PATCH, change, why=why)


def _drain(place: Place, name: str) -> tuple[int, int, list[str]]:
    """How many are being evicted, how many stay, and what the registry said against an eviction."""
    evicted, stay, refused = 0, 0, []
    for item in place.list("pods", None, field_selector=f"spec.nodeName={name}").items:
        if nodes.stays(item.obj):
            stay += 1
            continue
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": item.key.name, "namespace": item.key.namespace},
        }
        try:
            place.client.evict(item.key.namespace, item.key.name, eviction, why=f"Node {name} is being drained.")
            evicted += 1
        except ApiError as error:
            if error.code != 404:
                stay += 1
                refused.append(f"{item.key.namespace}/{item.key.name}: {error.message}")
    return evicted, stay, refused
