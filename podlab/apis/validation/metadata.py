"""metadata of every kind (apimachinery/pkg/api/validation/objectmeta.go). Called by the package for each object."""

from __future__ import annotations

from podlab.apis import names
from podlab.apis.field_errors import FieldError, forbidden, invalid, required, too_long
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, NameRule, by_rule, labels, not_negative

ANNOTATIONS_MAX = 256 * 1024
ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
_STANDARD_FINALIZERS = {"kubernetes", ORPHAN, FOREGROUND}
NO_FINALIZER = "name is neither a standard finalizer name nor is it fully qualified"
IMMUTABLE = "field is immutable"
_TEMPLATE_FORBIDDEN = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip

_GO_PATHS = {"uid": "uID"}  # of a Go field's name only the first letter is made small


def validate(
    metadata: Manifest,
    *,
    namespaced: bool,
    name_rule: NameRule,
    base_rule: NameRule | None = None,
    core: bool = True,
    path: str = "metadata",
) -> Errors:
    """`base_rule` is that of a generateName, where it is another one; `core` are the kinds whose finalizers have the core
    kinds' own rule, too."""
    base = metadata.get("generateName") or ""
    if base:
        for problem in (base_rule or name_rule)(names.mask_trailing_dash(base)):
            yield invalid(f"{path}.generateName", base, problem)
    name = metadata.get("name") or ""
    if not name:
        yield required(f"{path}.name", "name or generateName is required")
    else:
        yield from by_rule(f"{path}.name", name, name_rule)
    yield from _namespace(metadata.get("namespace") or "", namespaced, f"{path}.namespace")
    yield from not_negative(path, metadata, "generation")
    yield from labels(f"{path}.labels", metadata.get("labels"))
    yield from annotation_map(f"{path}.annotations", metadata.get("annotations"))
    yield from _owners(f"{path}.ownerReferences", metadata.get("ownerReferences") or [])
    yield from _finalizers(f"{path}.finalizers", metadata.get("finalizers") or [], core=core)


def _namespace(namespace: str, namespaced: bool, path: str) -> Errors:
    if not namespaced:
        if namespace:
            yield forbidden(path, "not allowed on this type")
    elif not namespace:
        yield required(path)
    else:
        yield from by_rule(path, namespace, names.dns_label)


def template(path: str, meta: Manifest) -> Errors:
    """Metadata of something that a controller will make of it: labels and annotations, nothing else."""
    yield from annotation_map(f"{path}.annotations", meta.get("annotations"))
    yield from labels(f"{path}.labels", meta.get("labels"))
    for field in _TEMPLATE_FORBIDDEN:
        if meta.get(field) or (field == "deletionGracePeriodSeconds" and meta.get(field) is not None):
            yield forbidden(f"{path}.{_GO_PATHS.get(field, field)}", "cannot be set")


def annotation_map(path: str, values: dict[str, str] | None) -> Errors:
    for key in values or {}:
        for problem in names.qualified_name(key.lower()):
            yield invalid(path, key, problem)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in (values or {}).items())
    if size > ANNOTATIONS_MAX:
        yield too_long(path, ANNOTATIONS_MAX)


_OWNER_ORDER = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")


def _owners(path: str, owners: list[Manifest]) -> Errors:
    controller = ""
    for owner in owners:
        ordered = {key: owner[key] for key in _OWNER_ORDER if owner.get(key) is not None}
        group, _, version = str(owner.get("apiVersion") or "").rpartition("/")
        if not version or "/" in group:
            yield invalid(f"{path}.apiVersion", owner.get("apiVersion") or "", "version must not be empty")
        for field in ("kind", "name", "uid"):
            if not owner.get(field):
                yield invalid(f"{path}.{field}", "", "must not be empty")
        if (group, owner.get("kind")) == ("", "Event"):
            detail = f"{group}/{version}, Kind=Event is disallowed from being an owner"
            yield invalid(path, ordered, detail)
        if owner.get("controller"):
            this = f"{owner.get('kind')}/{owner.get('name')}"
            if controller:
                ordered_all = [{key: item[key] for key in _OWNER_ORDER if item.get(key) is not None} for item in owners]
                found = f'Found "true" in references for {controller} and {this}'
                yield invalid(path, ordered_all, f"Only one reference can have Controller set to true. {found}")
            controller = this


def _finalizers(path: str, finalizers: list[str], *, core: bool = True) -> Errors:
    for name in finalizers:
        yield from by_rule(path, name, names.qualified_name)
    if ORPHAN in finalizers and FOREGROUND in finalizers:
        yield invalid(path, finalizers, f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set")
    if core:
        yield from standard_finalizers(path, finalizers)


def standard_finalizers(path: str, finalizers: list[str]) -> Errors:
    """Core kinds want a prefix on every finalizer that is not Kubernetes' own (core validation, ValidateFinalizerName)."""
    for index, name in enumerate(finalizers):
        if not is_standard_finalizer(name):
            yield invalid(f"{path}[{index}]", name, NO_FINALIZER)


def is_standard_finalizer(name: str) -> bool:
    return "/" in name or name in _STANDARD_FINALIZERS


def validate_update(new: Manifest, old: Manifest, path: str = "metadata", *, core: bool = True) -> Errors:
    yield from _new_finalizers(new, old, f"{path}.finalizers")
    if not new.get("resourceVersion"):
        yield invalid(f"{path}.resourceVersion", new.get("resourceVersion") or "", "must be specified for an update")
    if (new.get("generation") or 0) < (old.get("generation") or 0):
        yield invalid(f"{path}.generation", new.get("generation") or 0, "must not be decremented")
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        if (new.get(field) or "") != (old.get(field) or ""):
            yield invalid(f"{path}.{field}", new.get(field) or "", IMMUTABLE)
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        if new.get(field) != old.get(field):
            yield invalid(f"{path}.{field}", new.get(field), IMMUTABLE)
    yield from labels(f"{path}.labels", new.get("labels"))
    yield from annotation_map(f"{path}.annotations", new.get("annotations"))
    yield from _owners(f"{path}.ownerReferences", new.get("ownerReferences") or [])
    yield from _finalizers(f"{path}.finalizers", new.get("finalizers") or [], core=core)


def _new_finalizers(new: Manifest, old: Manifest, path: str) -> Errors:
    """While an object goes away, finalizers may only be removed."""
    if not old.get("deletionTimestamp"):
        return
    added = [name for name in new.get("finalizers") or [] if name not in (old.get("finalizers") or [])]
    if added:
        listed = " ".join(f'"{name}"' for name in added)
        detail = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed.replace(' ', ', ')}}}"
        yield FieldError("FieldValueForbidden", path, "", detail)
