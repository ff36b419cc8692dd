"""Keeps metadata.managedFields at every create and update: whoever changes a field comes to own it.

`registry.creating` and `registry.updating` call it with the object as it is about to be stored. What did not change costs a
comparison and nothing more. Source: apimachinery/pkg/util/managedfields/internal (structuredmerge.go, stripmeta.go,
managedfieldsupdater.go), structured-merge-diff/v6/merge/update.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from podlab.apis import schema, times
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.apply import compare, fieldset, managers, shapes
from podlab.registry.apply.fieldset import FieldSet
from podlab.registry.apply.managers import UPDATE, Entry, Manager, Managers
from podlab.registry.operations import Context

Owned = Callable[[Manifest, Manifest], None]  # sets the entries in the new object, given the old one

FIELD = "managedFields"
RESET: list[Manifest] = [{}]  # how a client asks to forget all owners

META = ("name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", FIELD,
         "resourceVersion")  # fmt: skip
_NOBODYS: FieldSet = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {fieldset.SELF: {}, **{fieldset.field(name): {} for name in META}},
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, in what version, at what time."""

    name: str
    version: str
    subresource: str
    time: str

    def manager(self, operation: str) -> Manager:
        version = self.version if operation == UPDATE else ""
        return Manager(self.name, operation, version, self.subresource)


def writer(ctx: Context) -> Writer:
    return Writer(
        ctx.options.field_manager or ctx.actor, ctx.resource.api_version, ctx.subresource, times.rfc3339(ctx.now)
    )


def shape_of(ctx: Context) -> shapes.Shape:
    return shapes.of(schema.definition_of(ctx.resource))


def somebodys(fields: FieldSet) -> FieldSet:
    """Without what belongs to the server."""
    return fieldset.difference(fields, _NOBODYS)


def on_create(ctx: Context, obj: Manifest) -> list[Manifest]:
    """The entry of a new object, defaults included and before admission, as Kubernetes takes it. Its status is dropped, so
    nobody owns it."""
    who = writer(ctx)
    stated = {name: value for name, value in obj.items() if name != "status"}
    fields = somebodys(compare.difference(shape_of(ctx), {}, stated).changed)
    if not fields:
        return []
    return managers.write({who.manager(UPDATE): Entry(fields, who.version, who.time)})


def on_update(ctx: Context, new: Manifest, old: Manifest, given: Any) -> None:
    """Set the entries in `new`, which is about to take the place of `old`. `given` are those that the client sent."""
    known, sent = _base(old, given, trusted=not ctx.subresource)
    before = metadata.of(old).get(FIELD)
    plain_old, plain_new = plain(old), plain(new)
    if plain_old == plain_new:
        put(new, managers.write(known) if sent else before)
        return
    changes = compare.difference(shape_of(ctx), plain_old, plain_new)
    who = writer(ctx)
    put(new, managers.write(_after(known, changes, who)))


def _after(known: Managers, changes: compare.Difference, who: Writer) -> Managers:
    """Changed fields leave their owners for the writer, removed ones leave everybody."""
    left = managers.take(known, fieldset.union(changes.changed, changes.removed))
    taken = somebodys(changes.changed)
    if not taken:
        return left
    me = who.manager(UPDATE)
    mine = left.get(me)
    left[me] = Entry(fieldset.union(mine.fields, taken) if mine else taken, who.version, who.time)
    return managers.capped(left)


def _base(old: Manifest, given: Any, *, trusted: bool) -> tuple[Managers, bool]:
    """The entries to begin with, and whether they are the client's: a client may replace or reset them, but most know
    nothing of them and leave them out."""
    before = metadata.of(old).get(FIELD) or []
    if trusted and given == RESET:
        return {}, True
    if trusted and given and given != before:
        sent = managers.read(given)
        if sent:
            return sent, True
    return managers.read(before) or {}, False


def plain(obj: Manifest) -> Manifest:
    """The object without what is nobody's; parts are shared."""
    out = {name: value for name, value in obj.items() if name not in ("apiVersion", "kind")}
    meta = out.get("metadata") or {}
    out["metadata"] = {name: value for name, value in meta.items() if name not in META and value}
    return out


def put(obj: Manifest, entries: list[Manifest] | None) -> None:
    """Set them in the object; none take the field away."""
    if entries:
        metadata.of(obj)[FIELD] = entries
    else:
        metadata.of(obj).pop(FIELD, None)
