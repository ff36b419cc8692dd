"""The kinds around pods whose strategies say little: claims, quotas, templates, budgets, classes, slices.

Sources: pkg/registry/{core,policy,autoscaling,scheduling,node,discovery}/…/strategy.go.
"""

from __future__ import annotations

import uuid

from podlab.apis import feature_gates, times
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


class ControllerStrategy(CountedStrategy):
    """ReplicationControllers: a pod template between spec and status."""

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        feature_gates.drop_disabled((obj.get("spec") or {}).get("template") or {})
        super().prepare_for_create(ctx, obj)

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        feature_gates.drop_disabled((new.get("spec") or {}).get("template") or {})
        super().prepare_for_update(ctx, new, old)


class BudgetStrategy(CountedStrategy):
    unconditional_update = False


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
        obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": times.rfc3339(ctx.now)}
        _protect(obj, _VOLUME_PROTECTION)

    def prepare_for_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        """Whoever changes the phase need not say when."""
        super().prepare_for_subresource(ctx, new, old)
        status, before = new.setdefault("status", {}), old.get("status") or {}
        said, had = status.get("lastPhaseTransitionTime"), before.get("lastPhaseTransitionTime")
        if status.get("phase") == before.get("phase"):
            if said is None and had is not None:
                status["lastPhaseTransitionTime"] = had
        elif said in (None, had):
            status["lastPhaseTransitionTime"] = times.rfc3339(ctx.now)


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
    if source is not None and reference is None:
        had = before.get("dataSource") is not None or before.get("dataSourceRef") is not None
        if not had and (source.get("kind"), source.get("apiGroup") or "") not in _FORMER_SOURCES:
            del spec["dataSource"]
            return
        spec["dataSourceRef"] = {part: source[part] for part in _SOURCE_PARTS if source.get(part) is not None}
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = {part: reference[part] for part in _SOURCE_PARTS if reference.get(part) is not None}


class TopCountedStrategy(Strategy):
    """A generation for kinds without spec: it counts the changes of everything but metadata."""

    has_generation = True
    returns_deleted = False

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        if _content(new) != _content(old):
            metadata.of(new)["generation"] = int(metadata.of(old).get("generation") or 0) + 1


class FixedStrategy(TopCountedStrategy):
    """A generation that never moves: PriorityClasses."""

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        """Nothing is done."""


class PodTemplateStrategy(TopCountedStrategy):
    returns_deleted = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        feature_gates.drop_disabled(obj.get("template") or {})
        super().prepare_for_create(ctx, obj)

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        feature_gates.drop_disabled(new.get("template") or {})
        super().prepare_for_update(ctx, new, old)


class SliceStrategy(TopCountedStrategy):
    """Labels count too: consumers select slices by them. What was `topology` in old versions is not taken any more."""

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        _drop_topology(obj)

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        labels = (metadata.of(new).get("labels") or {}) != (metadata.of(old).get("labels") or {})
        if labels and _content(new) == _content(old):
            metadata.of(new)["generation"] = int(metadata.of(old).get("generation") or 0) + 1
        if new.get("endpoints") != old.get("endpoints"):
            _drop_topology(new)


def _drop_topology(obj: Manifest) -> None:
    for endpoint in obj.get("endpoints") or []:
        endpoint.pop("deprecatedTopology", None)


class EndpointsStrategy(Strategy):
    creates_on_update = True


class LeaseStrategy(Strategy):
    """Coordinated leader election stands behind a gate that is off."""

    creates_on_update = True
    unconditional_update = False

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        _drop_election(obj)

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        _drop_election(new)


def _drop_election(lease: Manifest) -> None:
    for field in ("strategy", "preferredHolder"):
        (lease.get("spec") or {}).pop(field, None)


class LimitRangeStrategy(Strategy):
    creates_on_update = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        if not metadata.name_of(obj):
            metadata.of(obj)["name"] = str(uuid.uuid4())


class RuntimeClassStrategy(Strategy):
    creates_on_update = True
    unconditional_update = False


class StorageClassStrategy(Strategy):
    returns_deleted = True


def _content(obj: Manifest) -> Manifest:
    return {field: value for field, value in obj.items() if field not in ("apiVersion", "kind", "metadata")}
