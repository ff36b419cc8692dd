"""Fork a cluster: a form, and then the same page of the new cluster."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from podlab.apis import times
from podlab.apis.status_errors import ApiError, bad_request
from podlab.registry import clusters, forking
from podlab.storage import moments
from podlab.web.place import Place, context, open_place, page

_LONGEST = 63  # a cluster's name is a label


@page
@require_http_methods(["GET", "POST"])
def fork(request: HttpRequest, cluster: str) -> HttpResponse:
    """`rev` (and `at`) of the address say the moment, `next` the page from which somebody comes."""
    place = open_place(request, cluster)
    if request.method == "POST":
        return _fork(request, place)
    if not forking.may_fork(place.identity, cluster):
        forking.refuse(place.identity, cluster)
    given = request.GET
    moment = place.moment
    came_from = given.get("next") or reverse("overview", args=[cluster])
    told = {
        "rev": moment.rev if moment else "",
        "at": given.get("at", ""),
        "moment_at": moments.later_of(moment.at, given.get("at")) if moment else None,
        "forking": True,
        "next": came_from,
        "back": _safe(came_from, cluster) + (f"?rev={moment.rev}" if moment else ""),
        "name": given.get("name") or _free_name(cluster),
        "clock": given.get("clock", ""),
        "seed": given.get("seed", ""),
    }
    return render(request, "fork.html", context(place, **told))


def _fork(request: HttpRequest, place: Place) -> HttpResponse:
    given = request.POST
    name = given.get("name", "").strip()
    try:
        made = forking.fork(
            forking.Wish(
                source=place.cluster,
                name=name,
                revision=_revision(given.get("rev", "")),
                at=_instant(given.get("at", "")),
                paused=given.get("clock") == "paused",
                own_seed=given.get("seed") == "own",
            ),
            identity=place.identity,
            logs=Path(settings.PODLAB_DATA) / "logs",
        )
    except ApiError as error:
        if error.code not in (400, 409):
            raise
        messages.error(request, error.message)
        kept = {one: given[one] for one in ("rev", "at", "next", "name", "clock", "seed") if given.get(one)}
        return redirect(f"{reverse('fork', args=[place.cluster])}?{urlencode(kept)}")
    messages.success(request, _("Cluster {name} goes on from here.").format(name=made.name))
    where = _safe(given.get("next", ""), place.cluster)
    return redirect(f"/c/{made.name}/" + where.removeprefix(f"/c/{place.cluster}/"))


def _revision(text: str) -> int | None:
    if not text:
        return None
    if not (text.isdecimal() and len(text) < 19):
        raise bad_request(_("A revision is a whole number."))
    return int(text)


def _instant(text: str) -> datetime | None:
    try:
        return times.parse(text) if text else None
    except ValueError:
        return None


def _safe(path: str, cluster: str) -> str:
    """The path of a page of this cluster; everything else is its overview."""
    overview = reverse("overview", args=[cluster])
    try:
        found = resolve(path)
    except Resolver404:
        return overview
    return path if path.startswith(overview) and found.kwargs.get("cluster") == cluster else overview


def _free_name(cluster: str) -> str:
    taken = {row.name for row in clusters.list_all()}
    for number in range(1, len(taken) + 2):
        end = "-fork" if number == 1 else f"-fork-{number}"
        if (name := cluster[: _LONGEST - len(end)] + end) not in taken:
            return name
    return ""
