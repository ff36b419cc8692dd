"""Whose digest is it, and what may the owner do: one statement, because every request of the API asks. The rows are written by
`registry.identity`, which is the only caller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from podlab.storage import database, statements


@dataclass(frozen=True, slots=True)
class Owner:
    """An active user with a token. `grants` are (role, cluster, namespace), the oldest first."""

    digest: str
    expires_at: datetime | None
    user_id: int
    name: str
    is_superuser: bool
    grants: tuple[tuple[str, str, str], ...]


def owner(digest: str) -> Owner | None:
    """The owner of the token with this SHA-256; None for an unknown one and for a user who is not active."""
    database.revive()
    rows = statements.rows(
        "SELECT t.digest, t.expires_at, u.id, u.username, u.is_superuser, g.role, g.cluster, g.namespace"
        " FROM storage_apitoken t JOIN auth_user u ON u.id = t.user_id AND u.is_active"
        " LEFT JOIN storage_rolegrant g ON g.user_id = u.id WHERE t.digest = %s ORDER BY g.id",
        [digest],
    )
    if not rows:
        return None
    found, expires_at, user_id, name, is_superuser = rows[0][:5]
    return Owner(
        digest=found,
        expires_at=None if expires_at is None else database.moment(expires_at),
        user_id=user_id,
        name=name,
        is_superuser=bool(is_superuser),
        grants=tuple((role, cluster, namespace) for *_, role, cluster, namespace in rows if role is not None),
    )
