"""The way to a pod: last place, clusters, the overview of one cluster, its clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from podlab import clock
from podlab.apis import static_pods
from podlab.apis.status_errors import ApiError, bad_request
from podlab.glance import kubectl, summary
from podlab.glance.values import Row
from podlab.registry import authorizer, clusters, forking, identity
from podlab.registry.identity import Identity
from podlab.storage import history, moments
from podlab.web import kinds, strips
from podlab.web.place import LAST_PLACE, Place, context, namespaces_of, open_place, page, remember
from podlab.web.strips import Strip

_STRIPS = 5  # pods of a namespace whose last minutes are drawn
_URGENT = {"failed": 0, "waiting": 0, "terminating": 1}
_MOST_NODES = 20
_LARGEST_SEED = 2**63 - 1  # what the column holds
SPEEDS = (0.5, 1.0, 2.0, 5.0, 10.0, 50.0, 100.0)


@page
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where one was last; else the pods of the first namespace that one may see."""
    last, who = request.session.get(LAST_PLACE), identity.of_user(request.user)
    if isinstance(last, str) and last.startswith("/c/") and _leads_somewhere(last, who):
        return redirect(last)
    found = clusters.list_for(who)
    if not found:
        return render(request, "nowhere.html")
    names = [row.name for row in found]
    return redirect("overview", cluster=clusters.MAIN if clusters.MAIN in names else names[0])


def _leads_somewhere(path: str, who: Identity) -> bool:
    """Whether the place is there still, and the person may still look into its namespace."""
    try:
        where = resolve(path).kwargs
    except Resolver404:
        return False
    cluster, namespace = where.get("cluster", ""), where.get("namespace", "")
    if clusters.find(cluster) is None or not authorizer.sees_cluster(who, cluster):
        return False
    return not namespace or authorizer.allowed(who, "list", "pods", cluster=cluster, namespace=namespace)


@dataclass
class Space:
    """One namespace on the overview."""

    name: str
    tally: Counter[str] = field(default_factory=Counter)
    troubled: int = 0
    strips: list[tuple[Row, Strip]] = field(default_factory=list)  # those that need attention first
    minutes: int = 0  # that the strips show
    more: int = 0  # pods that are not among them

    @property
    def tones(self) -> list[tuple[str, int]]:
        order = ("failed", "waiting", "terminating", "running", "done", "unknown")
        return [(tone, self.tally[tone]) for tone in order if self.tally[tone]]


@page
@require_GET
def overview(request: HttpRequest, cluster: str) -> HttpResponse:
    place = open_place(request, cluster)
    spaces = [_space(place, name) for name in namespaces_of(place)]
    # What needs attention first, then what is used, then the empty ones.
    spaces.sort(key=lambda space: (-space.troubled, -space.tally.total(), space.name))
    if request.headers.get("HX-Request"):
        return render(request, "parts/overview_cards.html", context(place, spaces=spaces))
    remember(request)
    command = kubectl.line("get", "pods", "--all-namespaces", cluster=cluster)
    return render(request, "overview.html", context(place, spaces=spaces, command=command, kinds=kinds.bar(place)))


def _space(place: Place, name: str) -> Space:
    now, space = place.now(), Space(name)
    found = [(summary.row(item.obj, now), item.obj) for item in place.list("pods", name).items]
    space.tally.update(row["tone"] for row, _pod in found)
    space.troubled = space.tally["failed"] + space.tally["waiting"]
    # sorted() keeps the order of equals: the newest of each sort first.
    found.sort(key=lambda one: one[0]["created"], reverse=True)
    found.sort(key=lambda one: _URGENT.get(one[0]["tone"], 2))
    span = strips.window((pod for _row, pod in found[:_STRIPS]), now)
    space.minutes = span // timedelta(minutes=1)
    for row, pod in found[:_STRIPS]:
        runs = history.runs_of(place.cluster, static_pods.runtime_uid(pod))
        known = runs if place.moment is None else moments.known_at(runs, now)
        space.strips.append((row, strips.strip(pod, known, now, status=row["cells"][2], span=span, translate=gettext)))
    space.more = len(found) - len(space.strips)
    return space


@page
@require_http_methods(["GET", "POST"])
def cluster_list(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _make(request)
    who, wall = identity.of_user(request.user), clock.wall_now()
    rows = [
        {
            "row": row,
            "now": row.time.at(wall),
            "runs_it": authorizer.may_run_cluster(who, row.name),
            "forks": forking.may_fork(who, row.name),
        }
        for row in clusters.list_for(who)
    ]
    makes = authorizer.may_make_clusters(who)
    return render(request, "clusters.html", {"rows": rows, "makes": makes, "main": clusters.MAIN})


def _make(request: HttpRequest) -> HttpResponse:
    name, count = request.POST.get("name", "").strip(), request.POST.get("nodes", "2")
    seed = request.POST.get("seed", "").strip()
    try:
        number = _number(count, _MOST_NODES)
        if not number or (seed and _number(seed, _LARGEST_SEED) is None):
            raise bad_request(_("Give 1 to {most} nodes, and a whole number as seed.").format(most=_MOST_NODES))
        nodes = [f"node-{chr(ord('a') + index)}" for index in range(number)]
        who = identity.of_user(request.user)
        clusters.create_sim(name, nodes=nodes, seed=_number(seed, _LARGEST_SEED), identity=who)
    except ApiError as error:
        messages.error(request, error.message)
        return redirect("clusters")
    return redirect("overview", cluster=name)


def _number(text: str, most: int) -> int | None:
    """Python does not even read numbers of thousands of digits."""
    return int(text) if text.isdecimal() and len(text) < 20 and int(text) <= most else None


@page
@require_POST
def cluster_delete(request: HttpRequest, cluster: str) -> HttpResponse:
    place = open_place(request, cluster)
    if request.POST.get("confirm") != cluster:
        messages.error(request, _("To delete a cluster, write its name."))
        return redirect("clusters")
    clusters.delete(cluster, identity=place.identity)
    messages.success(request, _("Cluster {name} is deleted.").format(name=cluster))
    return redirect("clusters")


@page
@require_http_methods(["GET", "POST"])
def clock_page(request: HttpRequest, cluster: str) -> HttpResponse:
    """Full page, or after a button only its panel (htmx)."""
    place = open_place(request, cluster)
    if request.method == "POST":
        _turn(place, request.POST.get("do", ""), request.POST.get("speed", ""))
        if not request.headers.get("HX-Request"):
            return redirect("clock", cluster=cluster)
        place = open_place(request, cluster)
    template = "parts/clock_panel.html" if request.headers.get("HX-Request") else "clock.html"
    return render(request, template, context(place, lab=place.now(), speeds=SPEEDS))


def _turn(place: Place, action: str, speed: str) -> None:
    if action == "pause":
        clusters.pause(place.cluster, identity=place.identity)
    elif action == "resume":
        clusters.resume(place.cluster, identity=place.identity)
    elif action == "step":
        clusters.step(place.cluster, identity=place.identity)
    elif action == "speed":
        try:
            clusters.set_speed(place.cluster, float(speed), identity=place.identity)
        except ValueError:
            raise bad_request(_("The speed must be a number.")) from None
    else:
        raise bad_request(_("The clock can be paused, resumed, stepped or sped up."))
