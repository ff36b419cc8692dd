"""Whose bearer token is it? A user's, or a service account's. Called by the API server and by token reviews."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from podlab.registry import account_tokens, identity
from podlab.registry.account_tokens import Holder
from podlab.registry.identity import Identity

NowOf = Callable[[str], datetime]


def by_bearer(raw: str, *, now_of: NowOf) -> Identity | None:
    """None when nobody holds it. `now_of` tells the time of a cluster, on which a service account's token ends."""
    if not account_tokens.is_one(raw):
        return identity.by_token(raw)
    found = account(raw, now_of=now_of)
    return found.identity if found is not None and account_tokens.ISSUER in found.audiences else None


def account(raw: str, *, now_of: NowOf) -> Holder | None:
    """The service account that holds a token, for whatever audience it was made."""
    claims = account_tokens.read(raw) if account_tokens.is_one(raw) else None
    if claims is None:
        return None
    return account_tokens.owner(claims, now=now_of(account_tokens.cluster_of(claims)))
