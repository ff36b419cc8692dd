"""The roles and bindings that nobody stores: Kubernetes' own and the lab's, in the form in which Kubernetes shows such things.

Called through `registry.computed`. Nothing here decides anything: the authorizer does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podlab.apis import times
from podlab.apis.kinds_rbac import RBAC
from podlab.apis.types import Manifest
from podlab.registry import account_grants
from podlab.registry.grants import EVERYTHING
from podlab.registry.rbac import bootstrap, lab, policies
from podlab.storage import clusters
from podlab.storage.models import AccountGrant, RoleGrant

API_VERSION = f"{RBAC}/v1"
_BOOTSTRAPPING = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_UPDATED = {"rbac.authorization.kubernetes.io/autoupdate": "true"}


def cluster_roles(cluster: str) -> Iterator[Manifest]:
    policy = policies.of(cluster)
    for role in bootstrap.ROLES:
        shown = _head(cluster, "ClusterRole", role.name, {**_BOOTSTRAPPING, **role.labels})
        if role.gathers:
            shown["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {role.gathers: "true"}}]}
        yield {**shown, "rules": [rule.manifest() for rule in policy.gathered(role)]}
    for name in lab.ROLES:
        rules = [rule.manifest() for rule in lab.rules_of(name)]
        yield {**_head(cluster, "ClusterRole", lab.PREFIX + name), "rules": rules}


def cluster_role_bindings(cluster: str) -> Iterator[Manifest]:
    for name, groups in bootstrap.BINDINGS:
        subjects = [{"kind": "Group", "apiGroup": RBAC, "name": group} for group in groups]
        head = _head(cluster, "ClusterRoleBinding", name, _BOOTSTRAPPING)
        yield {**head, "subjects": subjects, "roleRef": _reference(name)}
    for grant in _grants(cluster):
        if grant.namespace == EVERYTHING:
            yield _of_user(cluster, "ClusterRoleBinding", grant)
    for given in _account_grants(cluster):
        if given.namespace == EVERYTHING:
            yield _of_account(cluster, "ClusterRoleBinding", given)


def role_bindings(cluster: str, namespace: str | None) -> Iterator[Manifest]:
    for grant in _grants(cluster):
        if grant.namespace != EVERYTHING and namespace in (None, grant.namespace):
            yield _of_user(cluster, "RoleBinding", grant)
    for given in _account_grants(cluster):
        if given.namespace != EVERYTHING and namespace in (None, given.namespace):
            yield _of_account(cluster, "RoleBinding", given)


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


def _of_account(cluster: str, kind: str, grant: AccountGrant) -> Manifest:
    subject = {"kind": "ServiceAccount", "name": grant.account, "namespace": grant.account_namespace}
    return _binding(cluster, kind, grant, account_grants.username(grant.account_namespace, grant.account), subject)


def _of_user(cluster: str, kind: str, grant: RoleGrant) -> Manifest:
    user = grant.user.get_username()
    return _binding(cluster, kind, grant, user, {"kind": "User", "apiGroup": RBAC, "name": user})


def _binding(cluster: str, kind: str, grant: AccountGrant | RoleGrant, user: str, subject: Manifest) -> Manifest:
    head = _head(cluster, kind, f"{lab.PREFIX}{grant.role}:{user}")
    if kind == "RoleBinding":
        head["metadata"]["namespace"] = grant.namespace
    return {**head, "subjects": [subject], "roleRef": _reference(lab.PREFIX + grant.role)}


def _reference(role: str) -> Manifest:
    return {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}


def _head(cluster: str, kind: str, name: str, labels: Mapping[str, str] | None = None) -> Manifest:
    meta: Manifest = {"name": name, "creationTimestamp": times.rfc3339(clusters.get(cluster).created_at)}
    if labels:
        meta |= {"labels": dict(labels), "annotations": _UPDATED}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": meta}
