"""Namespaces: a deleted one stays, Terminating, until `registry.namespaces` has emptied it.

Source: pkg/registry/core/namespace/strategy.go, storage/storage.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis.field_errors import FieldError
from podlab.apis.types import Manifest
from podlab.apis.validation import kinds
from podlab.apis.validation import metadata as rules
from podlab.registry import metadata
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy, keep

FINALIZER = "kubernetes"
NAME_LABEL = "kubernetes.io/metadata.name"


class NamespaceStrategy(Strategy):
    has_status = True
    returns_deleted = True

    def default(self, obj: Manifest) -> None:
        """Defaults speak of a new namespace. An empty list of finalizers is how an old one is let go."""
        given = (obj.get("spec") or {}).get("finalizers")
        super().default(obj)
        obj["spec"] = {"finalizers": given} if given else {}

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        spec = obj.get("spec")
        if not isinstance(spec, dict):
            spec = obj["spec"] = {}
        finalizers = spec.get("finalizers") or []
        spec["finalizers"] = finalizers if FINALIZER in finalizers else [*finalizers, FINALIZER]
        obj["status"] = {"phase": "Active"}

    def canonicalize(self, obj: Manifest) -> None:
        """A name that was generated came after defaulting, and is not looked at as a label."""
        super().canonicalize(obj)
        _label(obj)

    def after_create(self, ctx: Context, obj: Manifest) -> None:
        # Not at the top: namespaces needs the client, and the client its strategies.
        from podlab.registry import namespaces

        namespaces.ensure_furniture(ctx.client.as_system(), metadata.name_of(obj))

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        keep(new, old, "spec")
        _label(new)

    def prepare_for_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        if ctx.subresource == "finalize":
            keep(new, old, "status")
            return
        super().prepare_for_subresource(ctx, new, old)

    def validate_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> Sequence[FieldError]:
        if ctx.subresource == "finalize":
            changed = rules.validate_update(metadata.of(new), metadata.of(old))
            return [*changed, *kinds.namespace_finalize(new)]
        return super().validate_subresource(ctx, new, old)

    def held(self, obj: Manifest) -> bool:
        return super().held(obj) or bool((obj.get("spec") or {}).get("finalizers"))

    def mark_deleted(self, obj: Manifest) -> None:
        """As in Kubernetes a terminating namespace carries no grace period."""
        metadata.of(obj).pop("deletionGracePeriodSeconds", None)
        obj.setdefault("status", {})["phase"] = "Terminating"

    def removable(self, new: Manifest) -> bool:
        return super().removable(new) and not (new.get("spec") or {}).get("finalizers")


def _label(obj: Manifest) -> None:
    """Every namespace can be selected by its name; the label cannot be taken off."""
    meta = metadata.of(obj)
    if meta.get("name"):
        meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}
