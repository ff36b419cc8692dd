"""delete, at once or with grace. Called by `client.Client.delete`.

Source: apiserver/pkg/registry/rest/delete.go (BeforeDelete), registry/generic/registry/store.go (Delete).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from podlab.apis import field_errors, status_errors, times
from podlab.apis.types import Manifest
from podlab.registry import metadata, strategies
from podlab.registry.admission import chain
from podlab.registry.operations import Context, Deleted, copy_of
from podlab.registry.strategy import Strategy
from podlab.storage import database, store
from podlab.storage.errors import NotStored, StaleWrite
from podlab.storage.store import Stored

_ATTEMPTS = 10
_POLICIES = ("Foreground", "Background", "Orphan", "nil")
ORPHAN_FINALIZER = "orphan"
FOREGROUND_FINALIZER = "foregroundDeletion"
_GC_FINALIZERS = (ORPHAN_FINALIZER, FOREGROUND_FINALIZER)
# Since their first days these leave their pods behind unless they are told otherwise.
_ORPHANING = frozenset({"jobs.batch", "replicationcontrollers"})
_NOT_COLLECTED = frozenset({"events", "events.events.k8s.io"})
_JOB_WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    grace: int | None = None
    uid: str | None = None
    resource_version: str | None = None
    propagation: str | None = None


def _warnings(ctx: Context, options: DeleteOptions) -> tuple[str, ...]:
    """Said before the object is looked for (job strategy, WarningsOnDelete)."""
    return (_JOB_WARNING,) if ctx.resource.key == "jobs.batch" and not options.propagation else ()


def delete(ctx: Context, options: DeleteOptions) -> Deleted:
    """Remove the object or begin its graceful end."""
    _check_propagation(options.propagation)
    strategy = strategies.of(ctx.served)
    for _ in range(_ATTEMPTS):
        current = store.get(ctx.key)
        if current is None:
            missing = strategy.missing(ctx)
            missing.warnings = _warnings(ctx, options)
            raise missing
        check_preconditions(ctx, options, current)
        chain.check(chain.Request(ctx, chain.DELETE, current.obj, current.obj))
        try:
            return _delete(ctx, strategy, current, options)
        except StaleWrite:
            continue
        except NotStored as error:
            raise status_errors.not_found(ctx.served, ctx.name) from error
    raise status_errors.conflict(ctx.served, ctx.name)


def _check_propagation(policy: str | None) -> None:
    if policy is not None and policy not in _POLICIES[:-1]:
        wrong = field_errors.not_supported("propagationPolicy", policy, _POLICIES)
        raise status_errors.invalid("DeleteOptions.meta.k8s.io", "", [wrong])


def check_preconditions(ctx: Context, options: DeleteOptions, current: Stored) -> None:
    """Preconditions.Check of apiserver/pkg/storage/interfaces.go; the Status names the kind, not the resource."""
    kind = ctx.resource.group_kind
    if options.uid is not None and options.uid != current.uid:
        if ctx.resource.key == "namespaces":  # their storage looks for itself (namespace/storage/storage.go, Delete)
            text = f"Precondition failed: UID in precondition: {options.uid}, UID in object meta: {current.uid}"
            raise status_errors.conflict(ctx.resource, ctx.name, text)
        text = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({current.uid}). "
            "The object might have been deleted and then recreated"
        )
        raise status_errors.conflict(kind, ctx.name, text)
    if options.resource_version is not None and options.resource_version != str(current.revision):
        text = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
            f"ResourceVersion in record ({current.revision}). The object might have been modified"
        )
        raise status_errors.conflict(kind, ctx.name, text)


def _delete(ctx: Context, strategy: Strategy, current: Stored, options: DeleteOptions) -> Deleted:
    obj = copy_of(current.obj)
    ending = bool(metadata.of(obj).get("deletionGracePeriodSeconds"))
    pending = _begin(ctx, strategy, obj, options.grace)
    if not (ending and pending):  # an end that is under way keeps the finalizers that it began with
        _set_finalizers(ctx, metadata.of(obj), options.propagation)
    held = strategy.held(obj)
    if not pending and held and not metadata.of(obj).get("deletionTimestamp"):
        _mark(ctx, strategy, obj, 0)
    warnings = _warnings(ctx, options)
    stays = held or pending
    if ctx.options.dry_run:
        return _answer(ctx, strategy, obj, gone=not stays, warnings=warnings)
    if stays:
        stored = store.update(
            ctx.key, metadata.tidy(obj), expect=current.revision, at=ctx.now, actor=ctx.actor, why=ctx.why
        )
        return _answer(ctx, strategy, stored.obj, gone=False, warnings=warnings)
    return _remove(ctx, strategy, current, obj, warnings=warnings)


def _set_finalizers(ctx: Context, meta: Manifest, policy: str | None) -> None:
    """What becomes of the dependents is written on the object; the garbage collector reads it there
    (deletionFinalizersForGarbageCollection)."""
    before = meta.get("finalizers") or []
    wanted = _propagation(ctx, before, policy)
    if [item for item in before if item in _GC_FINALIZERS] == wanted:
        return
    meta["finalizers"] = [*(item for item in before if item not in _GC_FINALIZERS), *wanted]


def _propagation(ctx: Context, finalizers: Sequence[str], policy: str | None) -> list[str]:
    """The word of the request counts most, then what the object carries already, then the custom of its kind."""
    if ctx.resource.key in _NOT_COLLECTED:
        return []
    if policy:
        return {"Orphan": [ORPHAN_FINALIZER], "Foreground": [FOREGROUND_FINALIZER]}.get(policy, [])
    carried = [item for item in finalizers if item in _GC_FINALIZERS]
    if carried:
        return carried[:1]
    return [ORPHAN_FINALIZER] if ctx.resource.key in _ORPHANING else []


def _remove(ctx: Context, strategy: Strategy, current: Stored, obj: Manifest, *, warnings: tuple[str, ...]) -> Deleted:
    """A kind with grace is marked before it goes, so that watchers see deletionTimestamp first, as in Kubernetes."""
    with database.writing():
        at, actor, why = ctx.now, ctx.actor, ctx.why
        expect = current.revision
        if obj != current.obj:
            marked = store.update(ctx.key, metadata.tidy(obj), expect=expect, at=at, actor=actor, why=why)
            expect, obj = marked.revision, marked.obj
        gone = store.delete(ctx.key, expect=expect, final=obj, at=at, actor=actor, why=why)
    strategy.after_delete(ctx, gone.obj)
    return _answer(ctx, strategy, gone.obj, gone=True, warnings=warnings)


def _begin(ctx: Context, strategy: Strategy, obj: Manifest, requested: int | None) -> bool:
    """Set or shorten the grace period in `obj`; whether it is still to be waited for."""
    if requested is not None and requested < 0:
        requested = 1
    meta = metadata.of(obj)
    if meta.get("deletionTimestamp"):
        return _shorten(ctx, meta, requested)
    grace = strategy.grace_of(obj, requested)
    if grace is None:
        return False
    _mark(ctx, strategy, obj, grace)
    return grace > 0


def _shorten(ctx: Context, meta: Manifest, requested: int | None) -> bool:
    """A deletion under way may be made quicker, never slower."""
    running = int(meta.get("deletionGracePeriodSeconds") or 0)
    if running == 0:
        return False
    if requested is None or requested >= running:
        return True
    asked = times.parse(meta["deletionTimestamp"]) - times.span(running)
    due = asked + times.span(requested)
    if requested > 0 and due < ctx.now:
        # The shorter period is over already: one second is left, so that the end stays a graceful one.
        requested, due = 1, ctx.now + timedelta(seconds=1)
    meta["deletionTimestamp"] = times.rfc3339(due)
    meta["deletionGracePeriodSeconds"] = requested
    return requested > 0


def _mark(ctx: Context, strategy: Strategy, obj: Manifest, grace: int) -> None:
    meta = metadata.of(obj)
    meta["deletionTimestamp"] = times.rfc3339(ctx.now + times.span(grace))
    meta["deletionGracePeriodSeconds"] = grace
    if meta.get("generation"):
        meta["generation"] = int(meta["generation"]) + 1
    strategy.mark_deleted(obj)


def _answer(ctx: Context, strategy: Strategy, obj: Manifest, *, gone: bool, warnings: tuple[str, ...]) -> Deleted:
    if not gone or strategy.returns_deleted:
        return Deleted(obj, gone, obj, warnings)
    resource, meta = ctx.served, metadata.of(obj)
    details: Manifest = {"name": meta["name"], "kind": resource.plural, "uid": meta["uid"]}
    if resource.group:
        details["group"] = resource.group
    status: Manifest = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    return Deleted(obj, gone, status, warnings)
