"""rbac.authorization.k8s.io as a view: the lab's roles and grants in the form in which Kubernetes shows such things.

Called through `registry.computed`. Nothing here decides anything: the authorizer does, and the rules are read off it.
"""

from __future__ import annotations

from collections.abc import Iterator

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.registry import account_grants, authorizer, rights
from podlab.registry.authorizer import ADMIN, EVERYTHING, INSTRUCTOR, STUDENT, VIEWER, Grant
from podlab.registry.identity import Identity
from podlab.storage import clusters
from podlab.storage.models import AccountGrant, RoleGrant

GROUP = "rbac.authorization.k8s.io"
API_VERSION = f"{GROUP}/v1"
PREFIX = "podlab:"
_ROLES = (ADMIN, INSTRUCTOR, STUDENT, VIEWER)
_BASIC = "system:basic-user"
_SOMEWHERE = "default"  # rules are the same in every namespace


def cluster_roles(cluster: str) -> Iterator[Manifest]:
    for role in _ROLES:
        who = Identity(role, grants=(Grant(role, cluster),))
        found = rights.rules(who, cluster, _SOMEWHERE)
        rules = [*found["resourceRules"], *found["nonResourceRules"]]
        yield {**_head(cluster, "ClusterRole", PREFIX + role), "rules": rules}
    everybody = Identity("", (authorizer.AUTHENTICATED,))
    basic = rights.rules(everybody, cluster, _SOMEWHERE)["resourceRules"]
    yield {**_head(cluster, "ClusterRole", _BASIC), "rules": basic}


def cluster_role_bindings(cluster: str) -> Iterator[Manifest]:
    for grant in _grants(cluster):
        if grant.namespace == EVERYTHING:
            yield _binding(cluster, "ClusterRoleBinding", grant)
    for given in _account_grants(cluster):
        if given.namespace == EVERYTHING:
            yield _account_binding(cluster, "ClusterRoleBinding", given)
    subject = {"kind": "Group", "apiGroup": GROUP, "name": authorizer.AUTHENTICATED}
    yield {**_head(cluster, "ClusterRoleBinding", _BASIC), "subjects": [subject], "roleRef": _reference(_BASIC)}


def role_bindings(cluster: str, namespace: str | None) -> Iterator[Manifest]:
    for grant in _grants(cluster):
        if grant.namespace != EVERYTHING and namespace in (None, grant.namespace):
            yield _binding(cluster, "RoleBinding", grant)
    for given in _account_grants(cluster):
        if given.namespace != EVERYTHING and namespace in (None, given.namespace):
            yield _account_binding(cluster, "RoleBinding", given)


def _grants(cluster: str) -> Iterator[RoleGrant]:
    yield from (
        RoleGrant.objects.filter(cluster__in=(EVERYTHING, cluster))
        .select_related("user")
        .order_by("namespace", "user__username", "role")
    )


def _account_grants(cluster: str) -> Iterator[AccountGrant]:
    yield from AccountGrant.objects.filter(cluster=cluster).order_by(
        "namespace", "account_namespace", "account", "role"
    )


def _account_binding(cluster: str, kind: str, grant: AccountGrant) -> Manifest:
    user = account_grants.username(grant.account_namespace, grant.account)
    head = _head(cluster, kind, f"{PREFIX}{grant.role}:{user}")
    if kind == "RoleBinding":
        head["metadata"]["namespace"] = grant.namespace
    subject = {"kind": "ServiceAccount", "name": grant.account, "namespace": grant.account_namespace}
    return {**head, "subjects": [subject], "roleRef": _reference(PREFIX + grant.role)}


def _binding(cluster: str, kind: str, grant: RoleGrant) -> Manifest:
    user = grant.user.get_username()
    head = _head(cluster, kind, f"{PREFIX}{grant.role}:{user}")
    if kind == "RoleBinding":
        head["metadata"]["namespace"] = grant.namespace
    subject = {"kind": "User", "apiGroup": GROUP, "name": user}
    return {**head, "subjects": [subject], "roleRef": _reference(PREFIX + grant.role)}


def _reference(role: str) -> Manifest:
    return {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}


def _head(cluster: str, kind: str, name: str) -> Manifest:
    meta = {"name": name, "creationTimestamp": times.rfc3339(clusters.get(cluster).created_at)}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": meta}
