"""update, of the object or of one of its subresources. Called by `client.Client.update`, `patch`, `update_status`.

Source: apiserver/pkg/registry/generic/registry/store.go (Update), registry/rest/update.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from podlab.apis import conversion, field_errors, status_errors
from podlab.apis.types import Manifest
from podlab.registry import creating, decoding, metadata, strategies
from podlab.registry.admission import chain
from podlab.registry.apply import tracking
from podlab.registry.operations import Context, Mutate, Written, copy_of
from podlab.registry.strategy import Strategy
from podlab.storage import store
from podlab.storage.errors import NotStored, StaleWrite
from podlab.storage.store import Stored

CONFLICT_ATTEMPTS = 5  # handlers/patch.go, MaxRetryWhenPatchConflicts
STATUS_ATTEMPTS = 20  # many actors write the status of one pod, each a part of it


def replace(ctx: Context, given: Manifest, *, may_create: Callable[[], None]) -> Written:
    """PUT: `given` takes the place of the stored object. A resourceVersion in it must be the present one. `may_create`
    raises where the caller may update but not create."""
    strategy = strategies.of(ctx.served)
    new, warnings = decoding.check_body(ctx, given)
    metadata.check_namespace(ctx, new)
    metadata.check_name(ctx, new)
    warnings = (*warnings, *metadata.unique_owners(new))
    expect = wanted_revision(new)
    strategy.default(new)
    for _ in range(CONFLICT_ATTEMPTS):
        if strategy.creates_on_update and not ctx.subresource and store.get(ctx.key) is None:
            may_create()
            return _create_instead(ctx, new)
        current = current_of(ctx)
        _check_uid(ctx, new, current)
        _check_stated(ctx, strategy, expect)
        if expect is not None and expect != current.revision:
            raise status_errors.conflict(ctx.served, ctx.name)
        try:
            return apply(ctx, strategy, current, copy_of(new), warnings=warnings)
        except StaleWrite as error:
            if expect is not None:
                raise status_errors.conflict(ctx.served, ctx.name) from error
    raise status_errors.conflict(ctx.served, ctx.name)


def _create_instead(ctx: Context, new: Manifest) -> Written:
    """A PUT of what is not there yet. A uid in it names an object that is gone."""
    meta = metadata.of(new)
    if meta.get("uid"):
        raise _uid_conflict(ctx, str(meta["uid"]), "")
    return creating.create(ctx, {**new, "metadata": {**meta, "resourceVersion": ""}})


def _check_stated(ctx: Context, strategy: Strategy, expect: int | None) -> None:
    """Some kinds are never overwritten blindly (AllowUnconditionalUpdate). The refusal names the resource, not the kind."""
    if expect is None and not strategy.unconditional_update:
        missing = field_errors.invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise status_errors.invalid(ctx.resource.key, ctx.name, [missing])


def rewrite(ctx: Context, patch_type: str, patch: Any) -> Written:
    """PATCH: read, let the patch make the new object, write; again when somebody else wrote in between. A
    resourceVersion that the patch put in is a lock, and then nothing is tried again."""
    strategy = strategies.of(ctx.served)
    for _ in range(CONFLICT_ATTEMPTS):
        current = current_of(ctx)
        present = conversion.from_stored(ctx.served, copy_of(current.obj))
        new, warnings = decoding.patched(ctx, present, patch_type, patch)
        metadata.check_namespace(ctx, new)
        metadata.check_name(ctx, new)
        warnings = (*warnings, *metadata.unique_owners(new, patched=True))
        expect = wanted_revision(new)
        _check_stated(ctx, strategy, expect)
        if expect is not None and expect != current.revision:
            raise status_errors.conflict(ctx.served, ctx.name)
        strategy.default(new)
        try:
            return apply(ctx, strategy, current, new, warnings=warnings)
        except StaleWrite:
            continue
    raise status_errors.conflict(ctx.served, ctx.name)


def apply(
    ctx: Context,
    strategy: Strategy,
    current: Stored,
    new: Manifest,
    *,
    warnings: tuple[str, ...] = (),
    owned: tracking.Owned | None = None,
) -> Written:
    """The part that all updates share. StaleWrite when the object moved on after `current`. `owned` sets the managedFields
    of an apply patch; every other write is tracked here."""
    with creating.alone(ctx, strategy):
        return _apply(ctx, strategy, current, new, warnings=warnings, owned=owned)


def _apply(
    ctx: Context,
    strategy: Strategy,
    current: Stored,
    new: Manifest,
    *,
    warnings: tuple[str, ...],
    owned: tracking.Owned | None,
) -> Written:
    old, given = current.obj, metadata.of(new).get(tracking.FIELD)
    metadata.fill_for_update(new, old)
    request = chain.Request(ctx, chain.UPDATE, new, old)
    chain.admit(request)
    strategy.guard(ctx, new, old)
    if ctx.subresource:
        strategy.prepare_for_subresource(ctx, new, old)
        errors = strategy.validate_subresource(ctx, new, old)
    else:
        strategy.prepare_for_update(ctx, new, old)
        errors = strategy.validate_update(new, old)
    errors = [*metadata.update_errors(new, old, namespaced=ctx.resource.namespaced), *errors]
    if errors:
        raise status_errors.invalid(ctx.resource, ctx.name, errors)
    warnings = (*warnings, *strategy.warnings_on_update(ctx, new, old))
    try:
        chain.check(request)
    except status_errors.ApiError as error:
        error.warnings = warnings
        raise
    strategy.canonicalize(new)
    if owned is not None:
        owned(new, old)
    else:
        tracking.on_update(ctx, new, old, given)
    return _store(request, strategy, current, metadata.tidy(new), warnings=(*warnings, *request.warnings))


def _store(
    request: chain.Request, strategy: Strategy, current: Stored, new: Manifest, *, warnings: tuple[str, ...]
) -> Written:
    ctx = request.ctx
    if ctx.options.dry_run:
        if chain.is_booked(request):
            chain.commit(request)
        return Written(new, warnings)
    at, actor, why = ctx.now, ctx.actor, ctx.why
    try:
        if metadata.of(current.obj).get("deletionTimestamp") and strategy.removable(new):
            gone = store.delete(ctx.key, expect=current.revision, final=new, at=at, actor=actor, why=why)
            strategy.after_delete(ctx, gone.obj)
            return Written(gone.obj, warnings)
        # The few updates that may use more of something are booked under the lock of the write.
        first = (lambda: chain.commit(request)) if chain.is_booked(request) else None
        stored = store.update(ctx.key, new, expect=current.revision, at=at, actor=actor, why=why, first=first)
    except NotStored as error:
        raise status_errors.not_found(ctx.served, ctx.name) from error
    return Written(stored.obj, warnings, stored)


def current_of(ctx: Context) -> Stored:
    current = store.get(ctx.key)
    if current is None:
        raise strategies.of(ctx.served).missing(ctx)
    return current


def wanted_revision(obj: Manifest) -> int | None:
    """The revision that a write names; "" and "0" name none."""
    text = str(metadata.of(obj).get("resourceVersion") or "")
    if text in ("", "0"):
        return None
    if not re.fullmatch("[0-9]+", text):
        raise status_errors.plain_failure(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def _check_uid(ctx: Context, new: Manifest, current: Stored) -> None:
    """A PUT for an object that was deleted and made again (rest/update.go, with etcd3's text)."""
    uid = metadata.of(new).get("uid")
    if uid and uid != current.uid:
        raise storage_conflict(ctx, str(uid), current)


def storage_conflict(ctx: Context, uid: str, current: Stored) -> status_errors.ApiError:
    return _uid_conflict(ctx, uid, current.uid)


# Where etcd keeps kinds whose place has another name (kubeapiserver/default_storage_factory_builder.go).
_FOLDERS = {
    "replicationcontrollers": "controllers",
    "endpoints": "services/endpoints",
    "services": "services/specs",
    "nodes": "minions",
    "ingresses.networking.k8s.io": "ingress",
}


def _uid_conflict(ctx: Context, uid: str, present: str) -> status_errors.ApiError:
    return _precondition(ctx, f"UID in precondition: {uid}, UID in object meta: {present}")


def revision_conflict(ctx: Context, wanted: str, current: Stored) -> status_errors.ApiError:
    text = f"ResourceVersion in precondition: {wanted}, ResourceVersion in object meta: {current.revision}"
    return _precondition(ctx, text)


def _precondition(ctx: Context, failed: str) -> status_errors.ApiError:
    folder = _FOLDERS.get(ctx.resource.key, ctx.resource.plural)
    path = "/".join(part for part in ("/registry", folder, ctx.namespace, ctx.name) if part)
    text = (
        f"StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: {failed}"
    )
    return status_errors.conflict(ctx.resource, ctx.name, text)


def mutate_status(ctx: Context, mutate: Mutate, *, uid: str | None) -> Stored:
    """See `client.Client.update_status`. The change comes from the lab's own code, so the body is not decoded again."""
    strategy = strategies.of(ctx.served)
    for _ in range(STATUS_ATTEMPTS):
        current = current_of(ctx)
        if uid and uid != current.uid:
            raise storage_conflict(ctx, uid, current)
        new = copy_of(current.obj)
        mutate(new)
        try:
            written = apply(ctx, strategy, current, new)
        except StaleWrite:
            continue
        # Without `stored` the update took away the last finalizer and the object is gone.
        return written.stored or current
    raise status_errors.conflict(ctx.served, ctx.name)
