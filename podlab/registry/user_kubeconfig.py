"""A kubeconfig of one's own: a new token of the user, and the cluster that it opens. Called by `manage.py kubeconfig`.

The text itself is `registry.kubeconfig`'s.
"""

from __future__ import annotations

from django.contrib.auth.models import User

from podlab.registry import authorizer, clusters, identity
from podlab.registry.authorizer import EVERYTHING
from podlab.registry.identity import Identity
from podlab.registry.kubeconfig import kubeconfig
from podlab.registry.namespaces import ca_pem
from podlab.registry.rbac import policies

DEFAULT_NAMESPACE = "default"


class NoBusiness(Exception):
    """The user was granted nothing in the cluster: a kubeconfig would open nothing."""


def make(user: User, cluster: str, *, server: str, renew: bool = False) -> str:
    """The text, with a token that exists nowhere else. `renew` ends the tokens of earlier ones for this cluster. ApiError
    404 for a cluster that does not exist."""
    clusters.get(cluster)
    who = identity.of_user(user)
    if not authorizer.sees_cluster(who, cluster):
        raise NoBusiness(f"user {user.get_username()!r} was granted nothing in cluster {cluster!r}")
    name = f"kubeconfig {cluster}"
    if renew:
        identity.revoke_named(user, name)
    return kubeconfig(
        cluster,
        user=user.get_username(),
        token=identity.issue_token(user, name),
        server=server,
        ca_pem=ca_pem(),
        namespace=home(who, cluster),
    )


def home(who: Identity, cluster: str) -> str:
    """The namespace in which kubectl begins: "default" where the user may be, else the first that was granted."""
    granted = [grant.namespace for grant in who.grants if grant.cluster in (EVERYTHING, cluster)]
    granted += sorted(policies.of(cluster).namespaces(who))
    if not granted or EVERYTHING in granted or DEFAULT_NAMESPACE in granted:
        return DEFAULT_NAMESPACE
    return granted[0]
