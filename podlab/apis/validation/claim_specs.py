"""The spec of a PersistentVolumeClaim, and templates of claims (ValidatePersistentVolumeClaimSpec in core validation)."""

from __future__ import annotations

from podlab.apis import names, quantity
from podlab.apis.field_errors import FieldError, forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata
from podlab.apis.validation.rules import Errors, by_rule, label_selector, one_of

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
MODES = ("Block", "Filesystem")
_ONE_POD = "ReadWriteOncePod"
_POSITIVE = "must be greater than zero"
_OTHER_GROUP = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"


def claim_template(path: str, template: Manifest) -> Errors:
    """Of an ephemeral volume (ValidatePersistentVolumeClaimTemplate)."""
    yield from metadata.template(f"{path}.metadata", template.get("metadata") or {})
    yield from claim_spec(f"{path}.spec", template.get("spec") or {})


def claim_spec(path: str, spec: Manifest) -> Errors:
    """Of a claim, or of the template of one."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from label_selector(f"{path}.selector", spec.get("selector"))
    yield from access_modes(f"{path}.accessModes", modes)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield required(f"{path}.resources[storage]")
    else:
        yield from positive(f"{path}.resources[storage]", storage)
    if spec.get("storageClassName"):
        yield from by_rule(f"{path}.storageClassName", spec["storageClassName"], names.dns_subdomain)
    if spec.get("volumeMode") is not None:
        yield from one_of(f"{path}.volumeMode", spec["volumeMode"], MODES)
    yield from _data_sources(path, spec)
    if spec.get("volumeAttributesClassName"):
        here = f"{path}.volumeAttributesClassName"
        yield from by_rule(here, spec["volumeAttributesClassName"], names.dns_subdomain)


def positive(path: str, text: str) -> Errors:
    parsed = quantity.parse(text)
    if parsed.nano <= 0:
        yield invalid(path, quantity.canonical(text), _POSITIVE)


def access_modes(path: str, modes: list[str]) -> Errors:
    for mode in modes:
        yield from one_of(path, mode, ACCESS_MODES)
    if _ONE_POD in modes and any(mode != _ONE_POD and mode in ACCESS_MODES for mode in modes):
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _data_sources(path: str, spec: Manifest) -> Errors:
    first, second = spec.get("dataSource"), spec.get("dataSourceRef")
    for field, source in (("dataSource", first), ("dataSourceRef", second)):
        if source is not None:
            yield from _data_source(f"{path}.{field}", source)
    if first is None or second is None:
        return
    if second.get("namespace"):
        yield _not_both(path, "may not be specified when dataSourceRef.namespace is specified")
    elif any((first.get(part) or "") != (second.get(part) or "") for part in ("apiGroup", "kind", "name")):
        yield _not_both(path, "must match dataSourceRef")


def _not_both(path: str, detail: str) -> FieldError:
    return invalid(path, {}, detail)  # the value is a path inside Kubernetes, which prints as nothing


def _data_source(path: str, source: Manifest) -> Errors:
    for part in ("name", "kind"):
        if not source.get(part):
            yield required(f"{path}.{part}")
    group = source.get("apiGroup") or ""
    if group:
        yield from by_rule(f"{path}.apiGroup", group, names.dns_subdomain)
    elif source.get("kind") != "PersistentVolumeClaim":
        yield invalid(path, source.get("kind") or "", _OTHER_GROUP)
    if source.get("namespace"):
        yield from by_rule(f"{path}.namespace", source["namespace"], names.dns_label)
