"""Who may do what: one pure function for pages, API and sockets.

`registry.client` asks before every operation, `apiserver` and `timeline` for what goes past the client (log streams,
discovery). A role is a set of verbs on a cluster and a namespace. The texts are those of
apiserver/pkg/endpoints/handlers/responsewriters/errors.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from podlab.apis import scheme, status_errors

ADMIN = "admin"
INSTRUCTOR = "instructor"
STUDENT = "student"
VIEWER = "viewer"

EVERYTHING = "*"
MASTERS = "system:masters"  # Kubernetes' group that is never refused
AUTHENTICATED = "system:authenticated"

READ = frozenset({"get", "list", "watch"})
WRITE = frozenset({"create", "update", "patch", "delete", "deletecollection"})

# What a student changes through: never /status, /binding or /finalize, which belong to the actors.
_STUDENT_SUBRESOURCES = frozenset(
    {"", "attach", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize", "scale", "token"}
)
# Written by the cluster or the instructor; a student only reads them (as in Kubernetes' ClusterRole "edit").
_STUDENT_READS_ONLY = frozenset({"events", "events.events.k8s.io", "limitranges", "resourcequotas"})
_VIEWER_NEVER_SEES = frozenset({"secrets"})  # as in Kubernetes' ClusterRole "view"
_VIEWER_NEVER_OPENS = frozenset({"attach", "exec", "portforward", "proxy"})
# What everybody may ask about oneself (Kubernetes' ClusterRole system:basic-user).
_ABOUT_ONESELF = frozenset(
    {
        "selfsubjectreviews.authentication.k8s.io",
        "selfsubjectaccessreviews.authorization.k8s.io",
        "selfsubjectrulesreviews.authorization.k8s.io",
    }
)
_CLUSTER_SCOPED_FOR_ALL = frozenset(
    {"nodes", "nodes.metrics.k8s.io"}
)  # everybody may look at the nodes that the pods run on


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in a cluster ("*" = all) and a namespace ("*" = all, cluster-scoped objects included)."""

    role: str
    cluster: str = EVERYTHING
    namespace: str = EVERYTHING


class Subject(Protocol):
    """As much of `identity.Identity` as a decision needs."""

    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> Sequence[str]: ...
    @property
    def grants(self) -> Sequence[Grant]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """One request as the authorizer sees it. `namespace` "" is the cluster scope (or all namespaces)."""

    verb: str
    resource: str
    cluster: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def allowed(
    identity: Subject,
    verb: str,
    resource: str,
    *,
    cluster: str,
    subresource: str = "",
    namespace: str = "",
    name: str = "",
) -> bool:
    """Whether any grant of `identity` covers the request."""
    request = Attributes(
        verb=verb, resource=resource, cluster=cluster, namespace=namespace, name=name, subresource=subresource
    )
    return permits(identity, request)


def permits(identity: Subject, request: Attributes) -> bool:
    if MASTERS in identity.groups:
        return True
    if request.resource in _ABOUT_ONESELF and request.verb == "create" and AUTHENTICATED in identity.groups:
        return True
    return any(_grant_permits(grant, request) for grant in identity.grants)


def may_run_cluster(identity: Subject, cluster: str) -> bool:
    """Whether `identity` may turn the clock of `cluster` or delete it: its admins and instructors."""
    if MASTERS in identity.groups:
        return True
    return any(
        grant.role in (ADMIN, INSTRUCTOR) and grant.namespace == EVERYTHING and grant.cluster in (EVERYTHING, cluster)
        for grant in identity.grants
    )


def may_make_clusters(identity: Subject) -> bool:
    return may_run_cluster(identity, EVERYTHING)


def sees_cluster(identity: Subject, cluster: str) -> bool:
    """Whether `identity` has any business in `cluster`."""
    return MASTERS in identity.groups or any(grant.cluster in (EVERYTHING, cluster) for grant in identity.grants)


def _grant_permits(grant: Grant, request: Attributes) -> bool:
    if grant.cluster not in (EVERYTHING, request.cluster) or not _in_scope(grant, request):
        return False
    if grant.role in (ADMIN, INSTRUCTOR):
        return grant.namespace == EVERYTHING or not _is_cluster_scoped(request) or request.verb in READ
    if grant.role == STUDENT:
        return _student_may(request)
    if grant.role == VIEWER:
        hidden = request.resource in _VIEWER_NEVER_SEES or request.subresource in _VIEWER_NEVER_OPENS
        return request.verb in READ and not hidden
    return False


def _is_cluster_scoped(request: Attributes) -> bool:
    kind = scheme.by_key(request.resource)
    return kind is not None and not kind.namespaced


def _in_scope(grant: Grant, request: Attributes) -> bool:
    if grant.namespace == EVERYTHING:
        return True
    if request.resource == "namespaces":
        return request.name == grant.namespace
    if request.resource in _CLUSTER_SCOPED_FOR_ALL:
        return request.subresource != "proxy"  # a node's pages tell of every namespace
    return bool(request.namespace) and request.namespace == grant.namespace


def _student_may(request: Attributes) -> bool:
    if request.verb in READ:
        return True
    if request.verb not in WRITE or _is_cluster_scoped(request) or request.resource in _STUDENT_READS_ONLY:
        return False
    return request.subresource in _STUDENT_SUBRESOURCES


def refusal_text(identity: Subject, request: Attributes) -> str:
    """`User "ada" cannot list resource "pods" in API group "" in the namespace "default"`."""
    plural, group = scheme.split_key(request.resource)
    what = f"{plural}/{request.subresource}" if request.subresource else plural
    # The API server reads /api/v1/namespaces/<name> as a request inside that namespace.
    namespace = request.name if request.resource == "namespaces" else request.namespace
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    return f'User "{identity.name}" cannot {request.verb} resource "{what}" in API group "{group}" {where}'


def require(identity: Subject, request: Attributes) -> None:
    """Raise Kubernetes' 403 unless the request is covered."""
    if not permits(identity, request):
        raise status_errors.forbidden(request.resource, request.name, refusal_text(identity, request))


def refuse_path(identity: Subject, verb: str, path: str) -> status_errors.ApiError:
    """The 403 for a path that is no resource: `forbidden: User "ada" cannot get path "/metrics"`."""
    return status_errors.forbidden("", "", f'User "{identity.name}" cannot {verb} path "{path}"')
