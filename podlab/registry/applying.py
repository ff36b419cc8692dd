"""Server-side apply as a write: read, apply, store; create when there is nothing yet. Called by `client.Client.patch`.

What an apply means is worked out in `registry.apply`. Source: apiserver/pkg/endpoints/handlers/patch.go (applyPatcher).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from podlab.apis import conversion, schema, status_errors
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry import creating, decoding, metadata, strategies, updating
from podlab.registry.apply import server_side, shapes, tracking
from podlab.registry.apply.server_side import Applied
from podlab.registry.operations import Context, Written, copy_of
from podlab.storage import store
from podlab.storage.errors import StaleWrite
from podlab.storage.store import Stored


def apply(ctx: Context, config: Any, *, may_create: Callable[[], None]) -> Written:
    """Apply `config`, which is decoded JSON. `may_create` raises where the caller may patch but not create."""
    _check_head(ctx, config)
    server_side.check_configuration(shapes.of(schema.definition_of(ctx.served)), config)
    _check_name(ctx, config)
    if ctx.view is not None:  # ownership is kept in the words of the stored version
        config, ctx = conversion.to_stored(ctx.view, config), replace(ctx, view=None)
    shape, who = tracking.shape_of(ctx), tracking.writer(ctx)
    stated = _without_reset(ctx, config)
    for _ in range(updating.CONFLICT_ATTEMPTS):
        current = store.get(ctx.key)
        if current is None and ctx.subresource:
            raise status_errors.not_found(ctx.served, ctx.name)
        if current is not None:
            _check_lock(ctx, config, current)
        live = copy_of(current.obj) if current is not None else {}
        done = server_side.apply(shape, live, stated, who, force=ctx.options.force)
        try:
            if current is not None:
                return _update(ctx, current, done)
            if not (config.get("metadata") or {}).get("name"):  # an object that is there has one
                raise metadata.unnamed(ctx)
            _check_no_uid(ctx, config)
            may_create()
            return creating.create(ctx, done.obj, owned=done.entries)
        except StaleWrite:
            continue
        except ApiError as error:
            if current is not None or error.reason != "AlreadyExists":
                raise
    raise status_errors.conflict(ctx.served, ctx.name)


def _update(ctx: Context, current: Stored, done: Applied) -> Written:
    strategy = strategies.of(ctx.resource)
    new, warnings = decoding.check_body(ctx, done.obj)
    metadata.check_namespace(ctx, new)
    warnings = (*warnings, *metadata.unique_owners(new, patched=True))
    strategy.default(new)
    return updating.apply(
        ctx, strategy, current, new, warnings=warnings, owned=lambda obj, old: _own(obj, old, done.entries)
    )


def _own(obj: Manifest, old: Manifest, entries: list[Manifest]) -> None:
    """An apply that changes nothing but a time changes nothing (handlers/fieldmanager/equality.go)."""
    before = metadata.of(old).get(tracking.FIELD) or []
    same = tracking.plain(obj) == tracking.plain(old) and _timeless(entries) == _timeless(before)
    tracking.put(obj, before if same else entries)


def _timeless(entries: list[Manifest]) -> list[Manifest]:
    bare = [{name: value for name, value in entry.items() if name != "time"} for entry in entries]
    return sorted(bare, key=lambda entry: (entry["operation"], entry["manager"], entry.get("subresource", "")))


def _check_head(ctx: Context, config: Any) -> None:
    """apiVersion and kind are never guessed here."""
    given = config if isinstance(config, dict) else {}
    if (given.get("apiVersion"), given.get("kind")) != (ctx.served.api_version, ctx.served.kind):
        raise status_errors.bad_request(f"invalid object type: {server_side.gvk(given)}")


def _check_name(ctx: Context, config: Manifest) -> None:
    meta = config.get("metadata") or {}
    if meta.get(tracking.FIELD) is not None:
        raise status_errors.bad_request("metadata.managedFields must be nil")
    if meta.get("name") and meta["name"] != ctx.name:
        text = f"the name of the object ({meta['name']}) does not match the name on the URL ({ctx.name})"
        raise status_errors.bad_request(text)


def _check_lock(ctx: Context, config: Manifest, current: Stored) -> None:
    meta = config.get("metadata") or {}
    wanted, uid = meta.get("resourceVersion"), meta.get("uid")
    if wanted and wanted != str(current.revision):
        raise status_errors.conflict(ctx.served, ctx.name)
    if uid and uid != current.uid:
        raise updating.storage_conflict(ctx, uid, current)


def _check_no_uid(ctx: Context, config: Manifest) -> None:
    """Who names a uid means an object that is there."""
    uid = (config.get("metadata") or {}).get("uid")
    if uid:
        text = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        raise status_errors.conflict(ctx.served, ctx.name, text)


def _without_reset(ctx: Context, config: Manifest) -> Manifest:
    """Without the fields that a write at this endpoint never sets, so that nobody comes to own them there (the strategies'
    GetResetFields): status at the object itself, everything else at a subresource."""
    if ctx.subresource == "status":
        return {name: value for name, value in config.items() if name in ("apiVersion", "kind", "metadata", "status")}
    if not ctx.subresource and strategies.of(ctx.resource).has_status:
        return {name: value for name, value in config.items() if name != "status"}
    return config
