"""One request as the verbs see it: who asks what, in which cluster, wanting which representation.

`dispatch` makes a Call before the thread hop and `open_session` turns it into an authorised Session on the pool thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.http import HttpRequest, QueryDict
from django.http.request import HttpHeaders

from podlab.apis import status_errors
from podlab.apiserver.negotiation import Accept
from podlab.apiserver.paths import Place
from podlab.registry import authentication, authorizer, clusters, impersonation
from podlab.registry.client import Client
from podlab.registry.clusters import ClusterRow
from podlab.registry.identity import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`path` is below the cluster's prefix, with a leading slash; `verb` is Kubernetes' (get, list, watch, create …)."""

    request: HttpRequest
    cluster: str
    path: str
    verb: str
    place: Place
    accept: Accept
    who: Identity | None = None  # a person whose session or link was looked at already

    @property
    def query(self) -> QueryDict:
        return self.request.GET

    def header(self, name: str) -> str:
        return header(self.request, name)


@dataclass(frozen=True, slots=True)
class Session:
    identity: Identity
    client: Client
    now: Callable[[], datetime]


def header(request: HttpRequest, name: str) -> str:
    """A header of the request, "" for none. Django's `headers` first makes a mapping of all of them."""
    text: str = request.META.get(_meta_name(name), "")
    return text


@cache
def _meta_name(name: str) -> str:
    found = HttpHeaders.to_wsgi_name(name)
    return str(found)


def authenticate(request: HttpRequest) -> Identity:
    """Who holds the bearer token. There are no cookies and no anonymous access here; 401 otherwise."""
    scheme, _, token = header(request, "Authorization").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise status_errors.unauthorized()
    found = authentication.by_bearer(token.strip(), now_of=clusters.now_of)
    if found is None:
        raise status_errors.unauthorized()
    return found


def enter(request: HttpRequest, cluster: str, path: str) -> tuple[Identity, ClusterRow]:
    """Let an identity into a cluster: 401, 403 for the path, or 404 for a cluster that does not exist."""
    who = identify(request, cluster)
    if not authorizer.sees_cluster(who, cluster):
        raise authorizer.refuse_path(who, _path_verb(request), path)
    return who, clusters.get(cluster)


def identify(request: HttpRequest, cluster: str) -> Identity:
    """Who asks, or as whom somebody asks who may. 401, 403."""
    who = authenticate(request)
    user, groups = header(request, "Impersonate-User"), header(request, "Impersonate-Group")
    if user or groups:
        # Several headers of one name arrive joined by commas, which no group of ours contains.
        named = [group.strip() for group in groups.split(",") if group.strip()]
        who = impersonation.impersonated(who, cluster, user, named)
    return who


def _let_in(call: Call, who: Identity) -> tuple[Identity, ClusterRow]:
    if not authorizer.sees_cluster(who, call.cluster):
        raise authorizer.refuse_path(who, call.verb, call.path)
    return who, clusters.get(call.cluster)


def _path_verb(request: HttpRequest) -> str:
    return {"POST": "create", "PUT": "update"}.get(request.method or "GET", (request.method or "GET").lower())


def open_session(call: Call) -> Session:
    who, row = enter(call.request, call.cluster, call.path) if call.who is None else _let_in(call, call.who)
    lasts = call.verb == "watch"
    client = clusters.client_for(call.cluster, who) if lasts else clusters.client_in(row, who)
    return Session(who, client, client.now)
