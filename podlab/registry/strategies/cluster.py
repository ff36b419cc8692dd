"""The kinds around pods whose strategies say little: claims, quotas, templates, budgets, classes, slices.

Sources: pkg/registry/{core,policy,autoscaling,scheduling,node,discovery}/…/strategy.go.
"""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy

_CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
_VOLUME_PROTECTION = "kubernetes.io/pv-protection"


class StatusStrategy(Strategy):
    """A kind with a status that a controller writes."""

    has_status = True


class CountedStrategy(StatusStrategy):
    """A status, and a generation that counts the changes of spec."""

    has_generation = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        self.default(obj)  # the zeroes of a new status


class GenerationStrategy(Strategy):
    """A generation that counts the changes of spec, and no status."""

    has_generation = True


class AutoscalerStrategy(StatusStrategy):
    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        self.default(obj)


class QuotaStrategy(StatusStrategy):
    returns_deleted = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        obj["status"] = {}


class ClaimStrategy(StatusStrategy):
    """A claim and a volume are held by a finalizer as long as somebody uses them (StorageObjectInUseProtection)."""

    returns_deleted = True
    finalizer = _CLAIM_PROTECTION

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        obj["status"] = {"phase": "Pending"}
        meta = metadata.of(obj)
        if self.finalizer not in (meta.get("finalizers") or []):
            meta["finalizers"] = [*(meta.get("finalizers") or []), self.finalizer]


class VolumeStrategy(ClaimStrategy):
    finalizer = _VOLUME_PROTECTION


class TopCountedStrategy(Strategy):
    """A generation for kinds without spec: it counts the changes of everything but metadata."""

    has_generation = True
    returns_deleted = False

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        if _content(new) != _content(old):
            metadata.of(new)["generation"] = int(metadata.of(old).get("generation") or 0) + 1


class PodTemplateStrategy(TopCountedStrategy):
    returns_deleted = True


class SliceStrategy(TopCountedStrategy):
    """Labels count too: consumers select slices by them."""

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        labels = (metadata.of(new).get("labels") or {}) != (metadata.of(old).get("labels") or {})
        if labels and _content(new) == _content(old):
            metadata.of(new)["generation"] = int(metadata.of(old).get("generation") or 0) + 1


def _content(obj: Manifest) -> Manifest:
    return {field: value for field, value in obj.items() if field not in ("apiVersion", "kind", "metadata")}
