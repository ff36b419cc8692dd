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
# What `dataSource` of a claim could name before there was `dataSourceRef`.
_FORMER_SOURCES = {("PersistentVolumeClaim", ""), ("VolumeSnapshot", "snapshot.storage.k8s.io")}


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
    returns_deleted = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        obj["status"] = {"phase": "Pending"}
        _protect(obj, _CLAIM_PROTECTION)
        _align_sources(obj.get("spec") or {}, {})

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        _align_sources(new.get("spec") or {}, old.get("spec") or {})


class VolumeStrategy(Strategy):
    returns_deleted = True
    has_status = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        obj["status"] = {"phase": "Pending"}
        _protect(obj, _VOLUME_PROTECTION)


def _protect(obj: Manifest, finalizer: str) -> None:
    """A claim and a volume are held as long as somebody uses them (StorageObjectInUseProtection)."""
    meta = metadata.of(obj)
    if finalizer not in (meta.get("finalizers") or []):
        meta["finalizers"] = [*(meta.get("finalizers") or []), finalizer]


_SOURCE_PARTS = ("apiGroup", "kind", "name")


def _align_sources(spec: Manifest, before: Manifest) -> None:
    """The two fields for what a claim is filled from say the same (pkg/api/persistentvolumeclaim/util.go): the newer one
    wins, and a source of another sort than the older field ever knew is forgotten."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if (reference or {}).get("namespace") and before.get("dataSourceRef") is None:  # behind a gate that is off
        del spec["dataSourceRef"]
        reference = None
    if source and reference is None:
        had = before.get("dataSource") is not None or before.get("dataSourceRef") is not None
        if not had and (source.get("kind"), source.get("apiGroup") or "") not in _FORMER_SOURCES:
            del spec["dataSource"]
            return
        spec["dataSourceRef"] = {part: source[part] for part in _SOURCE_PARTS if source.get(part) is not None}
    elif reference and source is None and not reference.get("namespace"):
        spec["dataSource"] = {part: reference[part] for part in _SOURCE_PARTS if reference.get(part) is not None}


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
