"""`manage.py grant ROLE USER --namespace NAME`: give a role of the lab to a user or a service account, or take it back."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from podlab.apis.status_errors import ApiError
from podlab.registry import account_grants, clusters, identity
from podlab.registry.authorizer import EVERYTHING
from podlab.storage.models import RoleGrant


class Command(BaseCommand):
    help = "Give a role to a user, or to a service account by the name system:serviceaccount:NAMESPACE:NAME."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", choices=RoleGrant.Role.values)
        parser.add_argument("user")
        parser.add_argument("--cluster", default=clusters.MAIN)
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--namespace")
        where.add_argument(
            "--everywhere", action="store_true", help="in all namespaces and for what lies outside of them"
        )
        parser.add_argument("--revoke", action="store_true", help="take it back")

    def handle(self, *args: Any, **options: Any) -> None:
        role, user, cluster = options["role"], options["user"], options["cluster"]
        namespace = EVERYTHING if options["everywhere"] else options["namespace"]
        try:
            clusters.get(cluster)
        except ApiError as error:
            raise CommandError(str(error)) from None
        if user.startswith(account_grants.PREFIX):
            done = self._account(user, role, cluster, namespace, revoke=options["revoke"])
        else:
            done = self._person(user, role, cluster, namespace, revoke=options["revoke"])
        where = f"in cluster {cluster}, " + ("everywhere" if namespace == EVERYTHING else f"namespace {namespace}")
        self.stdout.write(f"{user} {done} the role {role} {where}")

    def _account(self, user: str, role: str, cluster: str, namespace: str, *, revoke: bool) -> str:
        try:
            if not revoke:
                account_grants.give(user, role, cluster=cluster, namespace=namespace)
                return "has"
            had = account_grants.take(user, role, cluster=cluster, namespace=namespace)
        except ValueError as error:
            raise CommandError(str(error)) from None
        return "had" if had else "never had"

    def _person(self, name: str, role: str, cluster: str, namespace: str, *, revoke: bool) -> str:
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user {name!r}")
        if not revoke:
            identity.grant(user, role, cluster=cluster, namespace=namespace)
            return "has"
        return "had" if identity.withdraw(user, role, cluster=cluster, namespace=namespace) else "never had"
