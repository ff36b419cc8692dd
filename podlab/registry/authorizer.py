"""Who may do what: one answer for pages, API and sockets.

`registry.client` asks before every operation, `apiserver` and `timeline` for what goes past the client (log streams,
discovery). What somebody may is the union of the lab's grants (`registry.grants`, pure) and of the roles that bindings in
the cluster give (`registry.rbac`). Those are read only where the grants do not allow, so ask from a thread, not from an
event loop. The texts are those of apiserver/pkg/endpoints/handlers/responsewriters/errors.go.
"""

from __future__ import annotations

from podlab.apis import scheme, status_errors
from podlab.registry import grants
from podlab.registry.grants import (
    ADMIN,
    AUTHENTICATED,
    EVERYTHING,
    INSTRUCTOR,
    MASTERS,
    READ,
    STUDENT,
    VIEWER,
    WRITE,
    Attributes,
    Grant,
    Subject,
)
from podlab.registry.rbac import policies

__all__ = [
    "ADMIN", "AUTHENTICATED", "EVERYTHING", "INSTRUCTOR", "MASTERS", "READ", "STUDENT", "VIEWER", "WRITE", "Attributes",
    "Grant", "Subject", "allowed", "may_make_clusters", "may_run_cluster", "permits", "refusal_text", "refuse_path",
    "require", "sees_cluster",
]  # fmt: skip

_OF_MANY = frozenset({"list", "watch", "deletecollection"})


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
    """Whether a grant of `identity` or a binding in the cluster covers the request."""
    request = Attributes(
        verb=verb, resource=resource, cluster=cluster, namespace=namespace, name=name, subresource=subresource
    )
    return permits(identity, request)


def permits(identity: Subject, request: Attributes) -> bool:
    return grants.permit(identity, request) or policies.of(request.cluster).allows(identity, request)


def may_run_cluster(identity: Subject, cluster: str) -> bool:
    """Whether `identity` may turn the clock of `cluster` or delete it: its admins and instructors. Bindings do not count:
    Kubernetes knows no such thing, so nobody means it by them."""
    return grants.run_cluster(identity, cluster)


def may_make_clusters(identity: Subject) -> bool:
    return may_run_cluster(identity, EVERYTHING)


def sees_cluster(identity: Subject, cluster: str) -> bool:
    """Whether `identity` has any business in `cluster`: a grant, or a binding that names the person or a group."""
    return grants.enter_cluster(identity, cluster) or policies.of(cluster).concerns(identity)


def refusal_text(identity: Subject, request: Attributes) -> str:
    """`User "ada" cannot list resource "pods" in API group "" in the namespace "default"`, and which bindings of the
    person lead nowhere."""
    plural, group = scheme.split_key(request.resource)
    what = f"{plural}/{request.subresource}" if request.subresource else plural
    # The API server reads /api/v1/namespaces/<name> as a request inside that namespace; a list of one name is none.
    one = request.resource == "namespaces" and request.verb not in _OF_MANY
    namespace = request.name if one else request.namespace
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    text = f'User "{identity.name}" cannot {request.verb} resource "{what}" in API group "{group}" {where}'
    reason = policies.of(request.cluster).reason(identity, request)
    return f"{text}: {reason}" if reason else text


def require(identity: Subject, request: Attributes) -> None:
    """Raise Kubernetes' 403 unless the request is covered."""
    if not permits(identity, request):
        raise status_errors.forbidden(request.resource, request.name, refusal_text(identity, request))


def refuse_path(identity: Subject, verb: str, path: str) -> status_errors.ApiError:
    """The 403 for a path that is no resource: `forbidden: User "ada" cannot get path "/metrics"`."""
    return status_errors.forbidden("", "", f'User "{identity.name}" cannot {verb} path "{path}"')
