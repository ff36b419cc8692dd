"""create: decode → default → admission → prepare → validate → store. Called by `client.Client.create`.

Source: apiserver/pkg/endpoints/handlers/create.go, registry/rest/create.go, registry/generic/registry/store.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from podlab.apis import status_errors
from podlab.apis.types import Key, Manifest
from podlab.registry import decoding, metadata, strategies
from podlab.registry.admission import chain
from podlab.registry.apply import tracking
from podlab.registry.operations import Context, Written, copy_of
from podlab.registry.strategy import Strategy
from podlab.storage import database, store
from podlab.storage.errors import AlreadyStored
from podlab.storage.models import REVISIONS
from podlab.storage.store import Stored

GENERATE_ATTEMPTS = 8  # registry/generic/registry/store.go, maxNameGenerationCreateAttempts


def create(ctx: Context, given: Manifest, *, owned: list[Manifest] | None = None) -> Written:
    """Store a new object. `given` is not changed. `owned` are its managedFields, if an apply has worked them out."""
    strategy = strategies.of(ctx.served)
    obj, warnings = decoding.check_body(ctx, given)
    metadata.check_namespace(ctx, obj)
    warnings = (*warnings, *metadata.unique_owners(obj, patched=owned is not None))
    generated = not metadata.name_of(obj) and bool(metadata.of(obj).get("generateName"))
    strategy.default(obj)
    owned = tracking.on_create(ctx, obj) if owned is None else owned
    chain.admit(chain.Request(ctx, chain.CREATE, obj))
    strategy.guard(ctx, obj, None)
    for attempt in range(GENERATE_ATTEMPTS):
        # A name that is taken is made anew in another copy.
        request = chain.Request(ctx, chain.CREATE, copy_of(obj) if generated else obj)
        prepared = request.obj
        try:
            with alone(ctx, strategy):
                warned = _prepare(request, strategy)
                tracking.put(prepared, owned)
                return _store(request, strategy, warnings=(*warnings, *warned))
        except AlreadyStored as error:
            if not generated:
                raise _taken(ctx, prepared, error.current) from error
            if attempt == GENERATE_ATTEMPTS - 1:
                name = metadata.name_of(prepared)
                raise status_errors.name_generation_failed(ctx.served, name) from error
    raise AssertionError("the loop above always returns or raises")


@contextmanager
def alone(ctx: Context, strategy: Strategy) -> Iterator[None]:
    """The write lock from now on for a kind whose objects are given something that no other has."""
    if ctx.options.dry_run or not strategy.exclusive:
        yield
        return
    with database.writing():
        database.lock(REVISIONS)
        yield


def _prepare(request: chain.Request, strategy: Strategy) -> tuple[str, ...]:
    ctx, obj = request.ctx, request.obj
    metadata.fill_for_create(ctx, obj)
    strategy.prepare_for_create(ctx, obj)
    errors = strategy.validate(obj)
    if errors:
        raise status_errors.invalid(ctx.resource, metadata.name_of(obj), errors)
    warnings = tuple(strategy.warnings_on_create(obj))
    try:
        chain.check(request)
    except status_errors.ApiError as error:
        error.warnings = warnings
        raise
    metadata.check_unstored(obj, dry_run=ctx.options.dry_run)
    strategy.canonicalize(obj)
    return (*warnings, *request.warnings)


def _store(request: chain.Request, strategy: Strategy, *, warnings: tuple[str, ...]) -> Written:
    ctx, obj = request.ctx, metadata.tidy(request.obj)
    key = Key(ctx.client.cluster, ctx.resource.key, ctx.namespace, metadata.name_of(obj))
    if ctx.options.dry_run:
        current = store.get(key)
        if current is not None:
            raise AlreadyStored(current)
        chain.commit(request)
        return Written(obj, warnings, created=True)
    stored = store.create(
        key,
        obj,
        at=ctx.now,
        actor=ctx.actor,
        why=ctx.why,
        first=lambda: chain.commit(request),
        then=lambda made: strategy.after_create(ctx, made.obj),
    )
    return Written(stored.obj, warnings, stored, created=True)


def _taken(ctx: Context, obj: Manifest, current: Stored) -> status_errors.ApiError:
    """With a generateName beside the name, too, it is said that no other name could be made."""
    say = status_errors.name_generation_failed if metadata.of(obj).get("generateName") else status_errors.already_exists
    error = say(ctx.served, metadata.name_of(obj))
    if metadata.of(current.obj).get("deletionTimestamp"):
        text = f"object is being deleted: {error.message}"
        return status_errors.ApiError(error.code, error.reason, text, details=error.details)
    return error
