"""What service accounts may do: the lab's roles, given to an account by its name, as a RoleBinding names its subjects.

`manage.py grant` writes them; `account_tokens`, `impersonation` and `reviews` ask `of`, `roles` shows them as bindings. Like
a RoleBinding, a grant need not find the account there, and goes with the namespace in which it was given. Source:
pkg/registry/rbac/validation/rule.go, appliesToUser.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.registry.authorizer import EVERYTHING, Grant
from podlab.registry.identity import Identity
from podlab.storage.models import AccountGrant

PREFIX = "system:serviceaccount:"
NO_ROLE = "serviceaccount"  # lets an account into its own cluster and permits nothing there


def username(namespace: str, name: str) -> str:
    return f"{PREFIX}{namespace}:{name}"


def parse(user: str) -> tuple[str, str] | None:
    """Namespace and name of an account; None for every other user."""
    namespace, _, name = user.removeprefix(PREFIX).partition(":")
    return (namespace, name) if user.startswith(PREFIX) and namespace and name else None


def give(user: str, role: str, *, cluster: str, namespace: str = EVERYTHING) -> None:
    """Give an account a role once; giving it again changes nothing. ValueError for a user that is no account."""
    row = _row(user, role, cluster, namespace)
    if not AccountGrant.objects.filter(**row).exists():
        AccountGrant.objects.create(**row)


def take(user: str, role: str, *, cluster: str, namespace: str = EVERYTHING) -> bool:
    """Whether the account had it."""
    return AccountGrant.objects.filter(**_row(user, role, cluster, namespace)).delete()[0] > 0


def _row(user: str, role: str, cluster: str, namespace: str) -> dict[str, str]:
    account = parse(user)
    if account is None:
        raise ValueError(f"{user!r} is not the name of a service account")
    home, name = account
    return {"cluster": cluster, "account_namespace": home, "account": name, "role": role, "namespace": namespace}


def forget_namespace(cluster: str, namespace: str) -> None:
    """What was granted in a namespace goes with it."""
    AccountGrant.objects.filter(cluster=cluster, namespace=namespace).delete()


def of(cluster: str, namespace: str, name: str) -> tuple[Grant, ...]:
    """Everything that an account has in its cluster."""
    rows = AccountGrant.objects.filter(cluster=cluster, account_namespace=namespace, account=name).order_by("pk")
    return (Grant(NO_ROLE, cluster, namespace), *(Grant(row.role, cluster, row.namespace) for row in rows))


def asked_about(cluster: str, user: str, groups: Sequence[str]) -> Identity | None:
    """The account that an access review names, with the groups that it names; None for every other user."""
    account = parse(user)
    return Identity(user, tuple(groups), of(cluster, *account), home=cluster) if account else None
