from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db import transaction
from django.db.models.signals import post_delete, post_save


class OpsConfig(AppConfig):
    name = "podlab.ops"
    label = "ops"

    def ready(self) -> None:
        for signal in (post_save, post_delete):
            signal.connect(_cluster_came_or_went, sender=apps.get_model("storage", "Cluster"))


def _cluster_came_or_went(*, created: bool = True, **_rest: Any) -> None:
    """Most saves only turn a clock."""
    if created:
        transaction.on_commit(_renew)


def _renew() -> None:
    from podlab.ops import prepare  # most processes never need it

    prepare.renew_kubeconfig()
