"""ConfigMaps. Source: pkg/registry/core/configmap/strategy.go."""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy


class ConfigMapStrategy(Strategy):
    def after_delete(self, ctx: Context, obj: Manifest) -> None:
        """kube-root-ca.crt comes back at once (the root CA publisher of kube-controller-manager)."""
        from podlab.registry import namespaces  # see strategies.namespace

        namespaces.restore(ctx.client.as_system(), obj)
