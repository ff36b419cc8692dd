"""ServiceAccounts. Source: pkg/registry/core/serviceaccount/strategy.go."""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy


class ServiceAccountStrategy(Strategy):
    returns_deleted = True

    def after_delete(self, ctx: Context, obj: Manifest) -> None:
        """ "default" comes back at once (the service account controller of kube-controller-manager)."""
        from podlab.registry import namespaces  # see strategies.namespace

        namespaces.restore(ctx.client.as_system(), obj)
