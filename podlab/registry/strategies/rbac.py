"""Roles and bindings. Source: pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/strategy.go."""

from __future__ import annotations

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.operations import Context
from podlab.registry.rbac import escalation
from podlab.registry.strategy import Strategy


class PolicyStrategy(Strategy):
    creates_on_update = True

    def guard(self, ctx: Context, obj: Manifest, old: Manifest | None) -> None:
        escalation.check(ctx, obj, old)

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        escalation.refuse_managed(ctx, metadata.name_of(obj))

    def missing(self, ctx: Context) -> ApiError:
        """Of what podlab shows without storing it, it is said who manages it."""
        escalation.refuse_managed(ctx, ctx.name)
        return super().missing(ctx)
