"""`manage.py kubeconfig USER [--cluster NAME]`: a kubeconfig with a token of the user, on standard output."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from podlab.apis.status_errors import ApiError
from podlab.ops import prepare
from podlab.registry import clusters, user_kubeconfig


class Command(BaseCommand):
    help = "Print a kubeconfig for a user. Every call makes a new token."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--cluster", default=clusters.MAIN)
        parser.add_argument("--renew", action="store_true", help="end the tokens of the user's earlier kubeconfigs")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user {options['user']!r}")
        try:
            text = user_kubeconfig.make(user, options["cluster"], server=prepare.api_url(), renew=options["renew"])
        except (ApiError, user_kubeconfig.NoBusiness) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(text, ending="")
