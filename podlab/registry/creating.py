"""create: decode → default → admission → prepare → validate → store. Called by `client.Client.create`.

Source: apiserver/pkg/endpoints/handlers/create.go, registry/rest/create.go, registry/generic/registry/store.go.
"""

from __future__ import annotations

from podlab.apis import status_errors
from podlab.apis.types import Key, Manifest
from podlab.registry import decoding, metadata, strategies
from podlab.registry.admission import chain, namespace_lifecycle
from podlab.registry.operations import Context, Written, copy_of
from podlab.registry.strategy import Strategy
from podlab.storage import database, store
from podlab.storage.errors import AlreadyStored
from podlab.storage.models import REVISIONS
from podlab.storage.store import Stored

GENERATE_ATTEMPTS = 8  # registry/generic/registry/store.go, maxNameGenerationCreateAttempts


def create(ctx: Context, given: Manifest) -> Written:
    """Store a new object. `given` is not changed."""
    strategy = strategies.of(ctx.resource)
    obj, warnings = decoding.check_body(ctx, given)
    metadata.check_namespace(ctx, obj)
    generated = not metadata.name_of(obj) and bool(metadata.of(obj).get("generateName"))
    strategy.default(obj)
    chain.admit(chain.Request(ctx, chain.CREATE, obj))
    for attempt in range(GENERATE_ATTEMPTS):
        prepared = copy_of(obj)
        warned = _prepare(ctx, strategy, prepared)
        try:
            return _store(ctx, strategy, prepared, warnings=(*warnings, *warned))
        except AlreadyStored as error:
            if not generated:
                raise _taken(ctx, prepared, error.current) from error
            if attempt == GENERATE_ATTEMPTS - 1:
                name = metadata.name_of(prepared)
                raise status_errors.name_generation_failed(ctx.resource, name) from error
    raise AssertionError("the loop above always returns or raises")


def _prepare(ctx: Context, strategy: Strategy, obj: Manifest) -> tuple[str, ...]:
    metadata.fill_for_create(ctx, obj)
    strategy.prepare_for_create(ctx, obj)
    errors = strategy.validate(obj)
    if errors:
        raise status_errors.invalid(ctx.resource, metadata.name_of(obj), errors)
    chain.check(chain.Request(ctx, chain.CREATE, obj))
    warnings = tuple(strategy.warnings_on_create(obj))
    strategy.canonicalize(obj)
    return warnings


def _store(ctx: Context, strategy: Strategy, obj: Manifest, *, warnings: tuple[str, ...]) -> Written:
    obj = metadata.tidy(obj)
    key = Key(ctx.client.cluster, ctx.resource.key, ctx.namespace, metadata.name_of(obj))
    if ctx.options.dry_run:
        current = store.get(key)
        if current is not None:
            raise AlreadyStored(current)
        return Written(obj, warnings, created=True)
    with database.writing():
        # Nothing else is written from here on, so the namespace that takes the object cannot end meanwhile.
        database.lock(REVISIONS)
        namespace_lifecycle.require_living(ctx, metadata.name_of(obj))
        stored = store.create(key, obj, at=ctx.now, actor=ctx.actor, why=ctx.why)
        strategy.after_create(ctx, stored.obj)
    return Written(stored.obj, warnings, stored, created=True)


def _taken(ctx: Context, obj: Manifest, current: Stored) -> status_errors.ApiError:
    error = status_errors.already_exists(ctx.resource, metadata.name_of(obj))
    if metadata.of(current.obj).get("deletionTimestamp"):
        text = f"object is being deleted: {error.message}"
        return status_errors.ApiError(error.code, error.reason, text, details=error.details)
    return error
