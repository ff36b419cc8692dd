"""Acting as somebody else: the Impersonate-* headers of `kubectl --as`. For those who may do everything anyway.

Called by `apiserver.calls`. Source: apiserver/pkg/endpoints/filters/impersonation.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from podlab.apis import status_errors
from podlab.apis.types import Key
from podlab.registry import account_grants, account_tokens, identity, rights
from podlab.registry.authorizer import AUTHENTICATED, Grant
from podlab.registry.identity import Identity
from podlab.storage import store

ANONYMOUS = "system:anonymous"


def impersonated(who: Identity, cluster: str, user: str, groups: Sequence[str]) -> Identity:
    """Who the request is to be judged as. 403 unless `who` may impersonate, 400 for groups without a user."""
    if not user:
        raise status_errors.bad_request("requested [{Group}] without impersonating a user")
    if not rights.is_unlimited(who, cluster):
        text = f'User "{who.name}" cannot impersonate resource "users" in API group "" at the cluster scope'
        raise status_errors.forbidden("users", user, text)
    if user.startswith(account_grants.PREFIX):
        return _account(cluster, user, groups)
    found = identity.by_name(user, groups)
    if user == ANONYMOUS:
        return replace(found, groups=(identity.UNAUTHENTICATED,))
    everybody = tuple(dict.fromkeys((*found.groups, AUTHENTICATED)))
    # Whoever enters may ask about himself, though nothing was granted to him.
    return replace(found, groups=everybody, grants=(*found.grants, Grant(account_grants.NO_ROLE, cluster)))


def _account(cluster: str, user: str, groups: Sequence[str]) -> Identity:
    namespace, _, name = user.removeprefix(account_grants.PREFIX).partition(":")
    own = (account_tokens.ACCOUNTS, f"{account_tokens.ACCOUNTS}:{namespace}", AUTHENTICATED)
    stored = store.get(Key(cluster, "serviceaccounts", namespace, name))
    grants = account_grants.of(cluster, namespace, name)
    return Identity(user, tuple(dict.fromkeys((*groups, *own))), grants, uid=stored.uid if stored else "")
