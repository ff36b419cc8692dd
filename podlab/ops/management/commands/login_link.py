"""`manage.py login_link [user]`: a link that logs a user in once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from podlab.ops import prepare


class Command(BaseCommand):
    help = "Print a link that logs a user in once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", nargs="?", default=prepare.ADMIN)

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user {options['user']!r}")
        self.stdout.write(prepare.login_url(user))
