"""metadata as the server keeps it: filled on create, protected on update, in a readable order.

Source: apiserver/pkg/registry/rest/{create,update,meta}.go.
"""

from __future__ import annotations

from podlab.apis import names, status_errors, times
from podlab.apis.field_errors import FORBIDDEN, FieldError
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata as rules
from podlab.registry import chance
from podlab.registry.operations import Context

_ORDER = (
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
)  # fmt: skip
_SERVER_OWNED = ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields")
_KEPT_WHEN_ABSENT = ("uid", "deletionGracePeriodSeconds")
_KEPT = ("creationTimestamp", "deletionTimestamp")
_MAPS_AND_LISTS = ("labels", "annotations", "ownerReferences", "finalizers")


def of(obj: Manifest) -> Manifest:
    """The metadata of `obj`, made when it is missing."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict):
        meta = obj["metadata"] = {}
    return meta


def name_of(obj: Manifest) -> str:
    return str(of(obj).get("name") or "")


def fill_for_create(ctx: Context, obj: Manifest) -> None:
    """What the client may not choose is dropped, what the server chooses is set. The name may still be empty: then
    validation says that one is required."""
    meta = of(obj)
    for field in _SERVER_OWNED:
        meta.pop(field, None)
    if ctx.resource.namespaced:
        meta["namespace"] = ctx.namespace
    else:
        meta.pop("namespace", None)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = names.generate_name(meta["generateName"], chance.below)
    meta["uid"] = chance.uid()
    meta["creationTimestamp"] = times.rfc3339(ctx.now)


_REPEATED = (
    ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and may "
    "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {uids}"
)


def unique_owners(obj: Manifest, *, patched: bool = False) -> tuple[str, ...]:
    """Take out owners that stand there twice; the warning about them. Of a patch that is found after admission
    (handlers/rest.go, dedupOwnerReferencesAndAddWarning)."""
    meta = of(obj)
    given = meta.get("ownerReferences") or []
    kept: list[Manifest] = []
    twice = []
    for owner in given:
        if owner in kept:
            twice.append(str(owner.get("uid") or ""))
        else:
            kept.append(owner)
    if not twice:
        return ()
    meta["ownerReferences"] = kept
    when = " after mutating admission happens" if patched else ""
    return (_REPEATED.format(when=when, uids=", ".join(twice)),)


def check_namespace(ctx: Context, obj: Manifest) -> None:
    """The namespace of the body is empty or that of the request (rest.EnsureObjectNamespaceMatchesRequestNamespace)."""
    if not ctx.resource.namespaced:
        of(obj).pop("namespace", None)
        return
    given = of(obj).get("namespace") or ""
    if given not in ("", ctx.namespace):
        raise status_errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def check_unstored(obj: Manifest, *, dry_run: bool) -> None:
    """Only what is stored has a resourceVersion. The store is who looks, after validation, and a text that is no number
    counts as none (etcd3/store.go, Create). A dry run does not come that far, and gives back what it was given."""
    if dry_run:
        return
    text = str(of(obj).pop("resourceVersion", None) or "")
    if text.isascii() and text.isdecimal() and int(text):
        raise status_errors.plain_failure("resourceVersion should not be set on objects to be created")


def unnamed(ctx: Context) -> status_errors.ApiError:
    text = f"the name of the object ({ctx.name} based on URL) was undeterminable: name must be provided"
    return status_errors.bad_request(text)


def check_name(ctx: Context, obj: Manifest) -> None:
    """The name of the body is that of the URL (handlers/rest.go, checkName)."""
    name = name_of(obj)
    if not name:
        raise unnamed(ctx)
    if name != ctx.name:
        text = f"the name of the object ({name}) does not match the name on the URL ({ctx.name})"
        raise status_errors.bad_request(text)


def fill_for_update(new: Manifest, old: Manifest) -> None:
    """Keep the times that are the server's and what a client left out of its other fields; what it changed of those is
    left for validation to refuse."""
    meta, before = of(new), of(old)
    for field in _KEPT:
        if before.get(field):
            meta[field] = before[field]
    for field in _KEPT_WHEN_ABSENT:
        if not meta.get(field) and field in before:
            meta[field] = before[field]
    meta.pop("managedFields", None)
    if "namespace" in before:
        meta["namespace"] = before["namespace"]
    meta["resourceVersion"] = before["resourceVersion"]
    if "generation" in before:
        meta["generation"] = before["generation"]
    else:
        meta.pop("generation", None)


def update_errors(new: Manifest, old: Manifest, *, namespaced: bool) -> list[FieldError]:
    """What rest.BeforeUpdate itself finds wrong. Every strategy looks at metadata once more, so that such a mistake is
    several causes with one text; only the core kinds' own rule about finalizers is not among these."""
    meta, before = of(new), of(old)
    errors = [
        *rules.validate(meta, namespaced=namespaced, name_rule=names.path_segment),
        *(error for error in rules.validate_update(meta, before) if not _is_about_finalizers(error)),
    ]
    return [error for error in errors if not error.field.startswith("metadata.finalizers[")]


def _is_about_finalizers(error: FieldError) -> bool:
    return error.field.startswith("metadata.finalizers") and error.type != FORBIDDEN


def tidy(obj: Manifest) -> Manifest:
    """The same object with apiVersion, kind and metadata first and no empty metadata fields."""
    meta = of(obj)
    for field in _MAPS_AND_LISTS:
        if field in meta and not meta[field]:
            del meta[field]
    for field in [field for field, value in meta.items() if value is None or value == ""]:
        del meta[field]
    ordered = {field: meta[field] for field in _ORDER if field in meta}
    ordered.update(meta)
    out: Manifest = {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": ordered}
    out.update((field, value) for field, value in obj.items() if field not in out)
    return out
