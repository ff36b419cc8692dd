"""Where a person is: the cluster of the page, the rights there, the registry client that acts in the person's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Key
from podlab.registry import authorizer, clusters, forking, identity
from podlab.registry.client import Client
from podlab.registry.clusters import ClusterRow
from podlab.registry.identity import Identity
from podlab.registry.operations import ListPage
from podlab.registry.rbac import policies
from podlab.storage.objects import Stored
from podlab.web.past import Moment, moment

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

LAST_PLACE = "place"  # session key: where `/` leads
REPLAY_SPEEDS = (1, 2, 5, 10, 50)  # lab time to real time, of a replay that plays


@dataclass(frozen=True)
class Place:
    """The cluster that a page is about. The template context has it as `place`."""

    row: ClusterRow
    identity: Identity
    client: Client
    namespace: str = ""
    moment: Moment | None = None  # of a page about the past; None is now

    @property
    def cluster(self) -> str:
        return self.row.name

    @property
    def simulated(self) -> bool:
        return self.row.runtime == clusters.SIM

    @property
    def recorded(self) -> bool:
        """A run that was imported: everything in it has happened, nothing can be changed."""
        return self.row.runtime == clusters.REPLAY

    @property
    def runs_it(self) -> bool:
        return authorizer.may_run_cluster(self.identity, self.row.name)

    @property
    def forks_it(self) -> bool:
        return forking.may_fork(self.identity, self.row.name)

    @property
    def origin(self) -> ClusterRow | None:
        """The cluster that this one was forked from, as far as it is there still and the person may look into it."""
        found = clusters.find(self.row.origin) if self.row.origin_at is not None else None
        if found is None or found.created_at > self.row.created_at:  # another one of that name
            return None
        return found if authorizer.sees_cluster(self.identity, found.name) else None

    @property
    def replay_speeds(self) -> tuple[int, ...]:
        return REPLAY_SPEEDS

    def now(self) -> datetime:
        """Lab time: of the moment that the page shows."""
        return self.client.now() if self.moment is None else self.moment.at

    def list(
        self,
        resource: str,
        namespace: str | None,
        *,
        field_selector: str = "",
        label_selector: str = "",
        limit: int = 0,
    ) -> ListPage:
        """What is, or was at the moment that the page shows."""
        rev = None if self.moment is None else self.moment.rev
        return self.client.list(
            resource,
            namespace,
            field_selector=field_selector,
            label_selector=label_selector,
            limit=limit,
            exact=rev,
        )

    def find(self, resource: str, namespace: str, name: str) -> Stored | None:
        """The object that has, or had, that name; None if there is none."""
        if self.moment is None:
            return self.client.find(resource, namespace, name)
        found = self.list(resource, namespace or None, field_selector=f"metadata.name={name}")
        return next(iter(found.items), None)

    def may(self, verb: str, resource: str, *, name: str = "", subresource: str = "") -> bool:
        if self.recorded and verb in authorizer.WRITE:
            return False
        return authorizer.allowed(
            self.identity,
            verb,
            resource,
            cluster=self.cluster,
            namespace=self.namespace,
            name=name,
            subresource=subresource,
        )


def open_place(request: HttpRequest, cluster: str, namespace: str = "") -> Place:
    """404 for a cluster that is not there, and just so for one where the person has no business."""
    who = identity.of_user(request.user)
    row = clusters.find(cluster)
    if row is None or not authorizer.sees_cluster(who, cluster):
        raise Http404(_("There is no such cluster."))
    client = clusters.client_for(cluster, who)

    def may_see(key: Key) -> bool:
        return authorizer.allowed(who, "get", key.resource, cluster=cluster, namespace=key.namespace, name=key.name)

    return Place(row, who, client, namespace, moment(request.GET, cluster, namespace, may_see))


def namespaces_of(place: Place) -> list[str]:
    """The namespaces that the person may look into. Without the right to list them: those that were granted, by the lab or
    by a RoleBinding."""
    if place.may("list", "namespaces"):
        return [item.key.name for item in place.list("namespaces", None).items]
    granted = [grant.namespace for grant in place.identity.grants if grant.cluster in ("*", place.cluster)]
    bound = policies.of(place.cluster).namespaces(place.identity)
    return sorted({name for name in granted if name != "*"} | {name for name in bound if _may_list_pods(place, name)})


def _may_list_pods(place: Place, namespace: str) -> bool:
    return authorizer.allowed(place.identity, "list", "pods", cluster=place.cluster, namespace=namespace)


def page(view: View[P]) -> View[P]:
    """A page behind the login. What the registry refuses becomes the page of that refusal."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ApiError as error:
            return refused(request, error)
        except Http404 as error:
            said = error.args[0] if error.args and isinstance(error.args[0], str) else ""
            return render(request, "404.html", {"message": said}, status=404)

    return cast(View[P], login_required(guarded))


def refused(request: HttpRequest, error: ApiError) -> HttpResponse:
    template = {403: "403.html", 404: "404.html"}.get(error.code, "refused.html")
    return render(request, template, {"message": error.message, "error": error}, status=error.code)


def remember(request: HttpRequest) -> None:
    """`/` leads to the last place; written only when it changed, because each write costs a row."""
    if request.session.get(LAST_PLACE) != request.path:
        request.session[LAST_PLACE] = request.path


def context(place: Place, **more: Any) -> dict[str, Any]:
    return {"place": place, **more}
