"""ServiceAccounts. Source: pkg/registry/core/serviceaccount/strategy.go."""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy


class ServiceAccountStrategy(Strategy):
    returns_deleted = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        _only_names(obj)

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        _only_names(new)

    def after_delete(self, ctx: Context, obj: Manifest) -> None:
        """ "default" comes back at once (the service account controller of kube-controller-manager)."""
        from podlab.registry import namespaces  # see strategies.namespace

        namespaces.restore(ctx.client.as_system(), obj)


def _only_names(obj: Manifest) -> None:
    """Of a reference to a secret nothing but the name is kept (cleanSecretReferences)."""
    if obj.get("secrets"):
        obj["secrets"] = [{"name": item["name"]} if item.get("name") else {} for item in obj["secrets"]]
