"""Acting as somebody else: the Impersonate-* headers of `kubectl --as`. For those who may do everything anyway, for whoever
was given the verb `impersonate`, and for students as the service accounts of their namespaces.

Called by `apiserver.calls`. Source: apiserver/pkg/endpoints/filters/impersonation/impersonation.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from podlab.apis import status_errors
from podlab.apis.types import Key
from podlab.registry import account_grants, authorizer, identity
from podlab.registry.authorizer import AUTHENTICATED, Attributes, Grant
from podlab.registry.grants import ACCOUNTS, IMPERSONATE
from podlab.registry.identity import Identity
from podlab.storage import store

ANONYMOUS = "system:anonymous"


def impersonated(who: Identity, cluster: str, user: str, groups: Sequence[str]) -> Identity:
    """Who the request is to be judged as. 403 unless `who` may impersonate the user and each of the groups, 400 for groups
    without a user."""
    if not user:
        raise status_errors.bad_request("requested [{Group}] without impersonating a user")
    account = account_grants.parse(user)
    _require(who, cluster, user, account)
    for group in groups:
        authorizer.require(who, Attributes(verb=IMPERSONATE, resource="groups", cluster=cluster, name=group))
    if account is not None:
        return _account(cluster, account, groups)
    found = identity.by_name(user, groups)
    if user == ANONYMOUS:
        return replace(found, groups=(identity.UNAUTHENTICATED,))
    everybody = tuple(dict.fromkeys((*found.groups, AUTHENTICATED)))
    # Whoever enters may ask about himself, though nothing was granted to him.
    return replace(found, groups=everybody, grants=(*found.grants, Grant(account_grants.NO_ROLE, cluster)))


def _require(who: Identity, cluster: str, user: str, account: tuple[str, str] | None) -> None:
    if account is None:
        wanted = Attributes(verb=IMPERSONATE, resource="users", cluster=cluster, name=user)
    else:
        namespace, name = account
        wanted = Attributes(
            verb=IMPERSONATE, resource="serviceaccounts", cluster=cluster, namespace=namespace, name=name
        )
    authorizer.require(who, wanted)


def _account(cluster: str, account: tuple[str, str], groups: Sequence[str]) -> Identity:
    namespace, name = account
    user = account_grants.username(namespace, name)
    own = (ACCOUNTS, f"{ACCOUNTS}:{namespace}", AUTHENTICATED)
    stored = store.get(Key(cluster, "serviceaccounts", namespace, name))
    grants = account_grants.of(cluster, namespace, name)
    uid = stored.uid if stored else ""
    return Identity(user, tuple(dict.fromkeys((*groups, *own))), grants, uid=uid, home=cluster)
