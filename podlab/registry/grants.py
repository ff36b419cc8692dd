"""What the lab's own roles allow: pure functions of a person's grants. `authorizer` joins them with the roles and bindings
that somebody stored in a cluster (`registry.rbac`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from podlab.apis import scheme

ADMIN = "admin"
INSTRUCTOR = "instructor"
STUDENT = "student"
VIEWER = "viewer"

EVERYTHING = "*"
MASTERS = "system:masters"  # Kubernetes' group that is never refused
AUTHENTICATED = "system:authenticated"
ACCOUNTS = "system:serviceaccounts"

READ = frozenset({"get", "list", "watch"})
WRITE = frozenset({"create", "update", "patch", "delete", "deletecollection"})
IMPERSONATE = "impersonate"

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
    @property
    def home(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """One request as the authorizer sees it. `namespace` "" is the cluster scope (or all namespaces)."""

    verb: str
    resource: str
    cluster: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def permit(identity: Subject, request: Attributes) -> bool:
    """Whether any grant of `identity` covers the request."""
    if MASTERS in identity.groups:
        return True
    if request.resource in _ABOUT_ONESELF and request.verb == "create" and AUTHENTICATED in identity.groups:
        return True
    return any(_grant_permits(grant, request) for grant in identity.grants)


def run_cluster(identity: Subject, cluster: str) -> bool:
    """Whether `identity` may turn the clock of `cluster` or delete it: its admins and instructors."""
    if MASTERS in identity.groups:
        return True
    return any(
        grant.role in (ADMIN, INSTRUCTOR) and grant.namespace == EVERYTHING and grant.cluster in (EVERYTHING, cluster)
        for grant in identity.grants
    )


def enter_cluster(identity: Subject, cluster: str) -> bool:
    return MASTERS in identity.groups or any(grant.cluster in (EVERYTHING, cluster) for grant in identity.grants)


def _grant_permits(grant: Grant, request: Attributes) -> bool:
    if grant.cluster not in (EVERYTHING, request.cluster) or not _in_scope(grant, request):
        return False
    if grant.role in (ADMIN, INSTRUCTOR):
        return grant.namespace == EVERYTHING or not is_cluster_scoped(request.resource) or request.verb in READ
    if grant.role == STUDENT:
        return _student_may(request)
    if grant.role == VIEWER:
        hidden = request.resource in _VIEWER_NEVER_SEES or request.subresource in _VIEWER_NEVER_OPENS
        return request.verb in READ and not hidden
    return False


def is_cluster_scoped(resource: str) -> bool:
    kind = scheme.by_key(resource)
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
    if request.verb == IMPERSONATE:  # whoever makes tokens of the accounts can act as them anyway
        return request.resource == "serviceaccounts" and not request.subresource
    if request.verb not in WRITE or is_cluster_scoped(request.resource) or request.resource in _STUDENT_READS_ONLY:
        return False
    return request.subresource in _STUDENT_SUBRESOURCES


def hold(identity: Subject, cluster: str, namespace: str, wanted: Attributes) -> bool:
    """Whether the grants of `identity` hold a right that a rule gives in a namespace ("" = everywhere): what may be passed
    on to others. `wanted` is one verb on one resource, where "*" stands for every verb, group ("pods.*"), resource or
    subresource. A right on cluster-scoped objects that is given in a namespace gives nothing there but the sight of that
    namespace itself."""
    scopes = (EVERYTHING, namespace) if namespace else (EVERYTHING,)
    return any(
        _grant_holds(grant, wanted)
        for grant in identity.grants
        if grant.cluster in (EVERYTHING, cluster) and grant.namespace in scopes
    )


def _grant_holds(grant: Grant, wanted: Attributes) -> bool:
    if grant.role in (ADMIN, INSTRUCTOR):
        return True
    plural, group = scheme.split_key(wanted.resource)
    open_ended = EVERYTHING in (wanted.verb, plural, group, wanted.subresource)
    if grant.role == STUDENT:
        return wanted.verb in READ or (not open_ended and _student_may(wanted))
    if grant.role == VIEWER:
        return wanted.verb in READ and not open_ended and _grant_permits(_EVERYWHERE_VIEWER, wanted)
    return False


_EVERYWHERE_VIEWER = Grant(VIEWER)
