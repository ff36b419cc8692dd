"""What is particular about a kind: one subclass each in `registry.strategies`, the rest is this.

`registry.creating`, `updating` and `deleting` call the methods in Kubernetes' order: decode → default → admission →
prepare → validate → canonicalize → store. A strategy changes the object that it is given and never writes.
Source of the shape: apiserver/pkg/registry/rest/{create,update,delete}.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis import defaults, status_errors, validation
from podlab.apis.field_errors import FieldError
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.operations import Context


class Strategy:
    has_generation = False  # metadata.generation counts the changes of spec
    has_status = False  # status is written through /status only
    returns_deleted = False  # DELETE answers with the object instead of a Status
    creates_on_update = False  # PUT may create
    unconditional_update = True  # PUT without resourceVersion overwrites
    exclusive = False  # objects are given what no other has (addresses): they are prepared under the write lock

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    def guard(self, ctx: Context, obj: Manifest, old: Manifest | None) -> None:
        """Called after admission, before a name is generated and anything is validated: refuse (ApiError) what this caller may
        not write. `old` is None for a new object."""

    def missing(self, ctx: Context) -> status_errors.ApiError:
        """What is answered to a write of an object that is not stored."""
        return status_errors.not_found(ctx.served, ctx.name)

    # Create

    def default(self, obj: Manifest) -> None:
        defaults.apply(self.resource, obj)

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        if self.has_status:
            obj.pop("status", None)
        if self.has_generation:
            metadata.of(obj)["generation"] = 1

    def validate(self, obj: Manifest) -> Sequence[FieldError]:
        return validation.validate_create(self.resource, obj)

    def warnings_on_create(self, obj: Manifest) -> Sequence[str]:
        return validation.warnings_on_create(self.resource, obj)

    def canonicalize(self, obj: Manifest) -> None:
        """Bring a valid object into the form that is stored."""

    def after_create(self, ctx: Context, obj: Manifest) -> None:
        """Called once the object is stored; may create what belongs to it."""

    # Update

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        """Main endpoint: status is not the client's; the generation counts changes of spec."""
        if self.has_status:
            keep(new, old, "status")
        if self.has_generation and new.get("spec") != old.get("spec"):
            metadata.of(new)["generation"] = int(metadata.of(old).get("generation") or 0) + 1

    def validate_update(self, new: Manifest, old: Manifest) -> Sequence[FieldError]:
        return validation.validate_update(self.resource, new, old)

    def warnings_on_update(self, ctx: Context, new: Manifest, old: Manifest) -> Sequence[str]:
        """For the Warning headers of an accepted update; at /status there is nothing to say."""
        if ctx.subresource not in ("", "scale"):
            return ()
        return validation.warnings_on_update(self.resource, new, old)

    def prepare_for_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        """/status (or another subresource that a subclass knows): everything but status and metadata stays. A scale has
        become the object again (`registry.scaling`) and is an update of it."""
        if ctx.subresource == "scale":
            self.prepare_for_update(ctx, new, old)
            return
        for field in set(new) | set(old):
            if field not in ("status", "metadata", "apiVersion", "kind"):
                keep(new, old, field)

    def validate_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> Sequence[FieldError]:
        if ctx.subresource == "scale":
            return self.validate_update(new, old)
        return validation.validate_status_update(self.resource, new, old)

    def removable(self, new: Manifest) -> bool:
        """Whether an update just took away the last thing that held a deleted object (ShouldDeleteDuringUpdate)."""
        meta = metadata.of(new)
        if not meta.get("deletionTimestamp") or meta.get("finalizers"):
            return False
        return not meta.get("deletionGracePeriodSeconds")

    # Delete

    def grace_of(self, obj: Manifest, requested: int | None) -> int | None:
        """CheckGracefulDelete: the seconds to give, or None when this kind knows no grace."""
        return None

    def mark_deleted(self, obj: Manifest) -> None:
        """Called when deletionTimestamp is set for the first time."""

    def held(self, obj: Manifest) -> bool:
        """Whether something keeps a deleted object: its finalizers."""
        return bool(metadata.of(obj).get("finalizers"))

    def after_delete(self, ctx: Context, obj: Manifest) -> None:
        """Called once the object is gone."""


def keep(new: Manifest, old: Manifest, field: str) -> None:
    """Undo whatever the request did to `field`."""
    if field in old:
        new[field] = old[field]
    else:
        new.pop(field, None)
