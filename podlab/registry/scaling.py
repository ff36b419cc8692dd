"""…/scale: how many replicas there are and shall be, in one form for every kind that has some.

`registry.client` comes here for the subresource of any resource that has it in `apis.scheme`. Source: the ScaleREST of
pkg/registry/apps/deployment/storage (and its siblings), pkg/apis/autoscaling/validation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as with_changes
from typing import Any

from podlab.apis import names, selectors, status_errors
from podlab.apis.field_errors import FieldError
from podlab.apis.kinds_workloads import SCALES
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata as metadata_rules
from podlab.apis.validation.rules import not_negative
from podlab.registry import decoding, metadata, strategies, updating
from podlab.registry.operations import Context, Written, copy_of
from podlab.storage.errors import StaleWrite
from podlab.storage.objects import Stored, encode

SUBRESOURCE = "scale"
_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def read(stored: Stored) -> Stored:
    """The Scale of an object, in place of it."""
    return with_changes(stored, body=encode(scale_of(stored.obj), stored.revision))


def scale_of(obj: Manifest) -> Manifest:
    meta, spec, status = metadata.of(obj), obj.get("spec") or {}, obj.get("status") or {}
    wanted = int(spec.get("replicas") or 0)
    shown: Manifest = {"replicas": int(status.get("replicas") or 0)}
    selector = _selector(spec.get("selector"))
    if selector:
        shown["selector"] = selector
    return {
        "kind": SCALES.kind,
        "apiVersion": SCALES.api_version,
        "metadata": {field: meta[field] for field in _SHOWN if field in meta},
        "spec": {"replicas": wanted} if wanted else {},
        "status": shown,
    }


def _selector(selector: Manifest | None) -> str:
    """A ReplicationController's selector is a plain map of labels."""
    if selector is not None and not {"matchLabels", "matchExpressions"} & set(selector):
        selector = {"matchLabels": selector}
    return str(selectors.from_label_selector(selector))


def replace(ctx: Context, given: Manifest) -> Written:
    """PUT of a Scale."""
    scale, warnings = decoding.check_body(_as_scale(ctx), given)
    return _write(ctx, lambda current: (scale, warnings))


def rewrite(ctx: Context, patch_type: str, patch: Any) -> Written:
    """PATCH: of the Scale of the present object."""
    return _write(ctx, lambda current: decoding.patched(_as_scale(ctx), scale_of(current.obj), patch_type, patch))


def _as_scale(ctx: Context) -> Context:
    return with_changes(ctx, resource=SCALES)


def _write(ctx: Context, make: Callable[[Stored], tuple[Manifest, tuple[str, ...]]]) -> Written:
    strategy = strategies.of(ctx.resource)
    for _ in range(updating.CONFLICT_ATTEMPTS):
        current = updating.current_of(ctx)
        scale, warnings = make(current)
        _check(ctx, scale, current)
        new = copy_of(current.obj)
        new.setdefault("spec", {})["replicas"] = int((scale.get("spec") or {}).get("replicas") or 0)
        try:
            written = updating.apply(ctx, strategy, current, new, warnings=warnings)
        except StaleWrite:
            continue
        stored = read(written.stored) if written.stored is not None else None
        return Written(scale_of(written.obj), written.warnings, stored)
    raise status_errors.conflict(ctx.resource, ctx.name)


def _check(ctx: Context, scale: Manifest, current: Stored) -> None:
    """Is it a Scale of this object, as it is now?"""
    metadata.check_namespace(ctx, scale)
    metadata.check_name(ctx, scale)
    meta = metadata.of(scale)
    expect = updating.wanted_revision(scale)
    if expect is not None and expect != current.revision:
        raise status_errors.conflict(ctx.resource, ctx.name)
    uid = meta.get("uid")
    if uid and uid != current.uid:
        text = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {current.uid}"
        raise status_errors.conflict(f"{ctx.resource.plural}/scale.{ctx.resource.group}".rstrip("."), ctx.name, text)
    errors = _errors({**meta, "namespace": ctx.namespace}, scale.get("spec") or {})
    if errors:
        raise status_errors.invalid(SCALES, ctx.name, errors)


def _errors(meta: Manifest, spec: Manifest) -> list[FieldError]:
    return [
        *metadata_rules.validate(meta, namespaced=True, name_rule=names.dns_subdomain),
        *not_negative("spec", spec, "replicas"),
    ]
