"""Who is asking: users with their grants, bearer tokens, one-time login links, and the lab's own components.

`apiserver` turns a bearer token into an `Identity`, `web` a Django user; actors take `system(component)`. What an
identity may do is decided in `registry.authorizer`. Of tokens and links only SHA-256 digests are kept.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from podlab import clock
from podlab.registry.authorizer import AUTHENTICATED, EVERYTHING, MASTERS, Grant
from podlab.storage import identities
from podlab.storage.models import ApiToken, LoginLink, RoleGrant

UNAUTHENTICATED = "system:unauthenticated"
TOKEN_PREFIX = "podlab_"  # lets secret scanners and people recognise one
_ENTROPY_BYTES = 32

AnyUser = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True, slots=True)
class Identity:
    """`uid` and `extra` only inform: `kubectl auth whoami` and TokenReview show them. `home` is the cluster of a service
    account, outside of which its name means nothing; people have none."""

    name: str
    groups: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    home: str = ""

    @property
    def actor(self) -> str:
        """How the change log calls the author of a write: "kubelet" rather than "system:kubelet"."""
        return self.name.removeprefix("system:")

    @property
    def is_system(self) -> bool:
        return MASTERS in self.groups


ANONYMOUS = Identity("system:anonymous", (UNAUTHENTICATED,))


def system(component: str) -> Identity:
    """A part of the lab itself ("kubelet", "scheduler"): never refused."""
    return Identity(f"system:{component}", (MASTERS, AUTHENTICATED))


def of_user(user: AnyUser) -> Identity:
    """A person with what the person was granted; a superuser is never refused."""
    if not isinstance(user, User) or not user.is_active:
        return ANONYMOUS
    rows = RoleGrant.objects.filter(user=user).order_by("pk")
    grants = [Grant(row.role, row.cluster, row.namespace) for row in rows]
    return _known(user.get_username(), user.pk, user.is_superuser, grants)


def _known(name: str, user_id: int, is_superuser: bool, grants: Sequence[Grant]) -> Identity:
    groups = (MASTERS, AUTHENTICATED) if is_superuser else (AUTHENTICATED,)
    return Identity(name, groups, tuple(grants), uid=str(user_id))


def by_name(name: str, groups: Sequence[str] = ()) -> Identity:
    """Somebody who is asked about: a user with what was granted, or a name that means nothing here."""
    user = User.objects.filter(username=name).first() if "\0" not in name else None  # PostgreSQL knows no NUL
    known = of_user(user) if user is not None else Identity(name)
    return replace(known, name=name, groups=tuple(dict.fromkeys((*known.groups, *groups))))


def grant(user: User, role: str, *, cluster: str = EVERYTHING, namespace: str = EVERYTHING) -> None:
    """Give a role once; giving it again changes nothing."""
    RoleGrant.objects.get_or_create(user=user, role=role, cluster=cluster, namespace=namespace)


def withdraw(user: User, role: str, *, cluster: str = EVERYTHING, namespace: str = EVERYTHING) -> bool:
    """Whether there was such a grant."""
    return RoleGrant.objects.filter(user=user, role=role, cluster=cluster, namespace=namespace).delete()[0] > 0


def digest_of(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()


def issue_token(user: User, name: str, *, expires_at: datetime | None = None) -> str:
    """A new bearer token. This is the only time that its text exists."""
    raw = TOKEN_PREFIX + secrets.token_urlsafe(_ENTROPY_BYTES)
    now = clock.wall_now()
    ApiToken.objects.create(user=user, digest=digest_of(raw), name=name, created_at=now, expires_at=expires_at)
    return raw


def by_token(raw: str) -> Identity | None:
    """The owner of a bearer token; None when it is unknown, expired, revoked, or its owner is inactive."""
    digest = digest_of(raw)
    owner = identities.owner(digest)
    # The index finds a digest, not the token, so its timing tells nothing about a token; compare in constant time still.
    if owner is None or not hmac.compare_digest(owner.digest, digest):
        return None
    if owner.expires_at is not None and owner.expires_at <= clock.wall_now():
        return None
    return _known(owner.name, owner.user_id, owner.is_superuser, [Grant(*grant) for grant in owner.grants])


def revoke(raw: str) -> bool:
    """Whether there was such a token."""
    return ApiToken.objects.filter(digest=digest_of(raw)).delete()[0] > 0


def revoke_named(user: User, name: str) -> int:
    """Revoke the tokens of that name; how many there were."""
    return ApiToken.objects.filter(user=user, name=name).delete()[0]


def make_login_link(user: User, ttl: timedelta) -> str:
    """The secret part of a link that logs `user` in once. Expired links go on this occasion."""
    now = clock.wall_now()
    LoginLink.objects.filter(expires_at__lte=now).delete()
    raw = secrets.token_urlsafe(_ENTROPY_BYTES)
    LoginLink.objects.create(user=user, digest=digest_of(raw), expires_at=now + ttl)
    return raw


def redeem_login_link(raw: str) -> User | None:
    """The user of a link that is still good. Of two who come at once, one gets it: only one deletes the row."""
    digest = digest_of(raw)
    row = LoginLink.objects.select_related("user").filter(digest=digest).first()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    taken = LoginLink.objects.filter(pk=row.pk).delete()[0] == 1
    if not taken or row.expires_at <= clock.wall_now() or not isinstance(row.user, User):
        return None
    return row.user if row.user.is_active else None
