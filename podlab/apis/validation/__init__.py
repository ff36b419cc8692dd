"""Is this object acceptable? Kubernetes' field errors, in its order and words.

The registry calls these after defaulting and admission; forms call them to show errors while somebody types. One file
a topic; pod.py holds the order in which a pod is looked through. Pure: values in, errors out.
Source: pkg/apis/core/validation/validation.go of Kubernetes 1.36.
"""

from __future__ import annotations

from podlab.apis import names
from podlab.apis.field_errors import FieldError
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata, pod, pod_status, pod_update, tables, warnings

__all__ = [
    "validate_create",
    "validate_status_update",
    "validate_update",
    "warnings_on_create",
    "warnings_on_update",
]


def validate_create(resource: Resource, obj: Manifest) -> list[FieldError]:
    if resource.key == "pods":
        return list(pod.validate_create(obj))
    found = _of_metadata(resource, obj)
    own = tables.CREATE.get(resource.key)
    return found + list(own(obj) if own else ())


def _of_metadata(resource: Resource, obj: Manifest) -> list[FieldError]:
    return list(
        metadata.validate(
            _meta(obj),
            namespaced=resource.namespaced,
            name_rule=tables.NAME_RULES.get(resource.key, names.dns_subdomain),
            base_rule=tables.BASE_RULES.get(resource.key),
            core=resource.key not in tables.PLAIN_FINALIZERS,
        )
    )


def validate_update(resource: Resource, new: Manifest, old: Manifest) -> list[FieldError]:
    """`new` already carries what the strategy keeps from `old` (status, deletion, generation)."""
    if resource.key == "pods":
        return list(pod_update.validate(new, old))
    found = validate_create(resource, new) if resource.key in tables.AS_NEW else []
    found += metadata.validate_update(_meta(new), _meta(old), core=resource.key not in tables.PLAIN_FINALIZERS)
    if resource.key in tables.METADATA_AGAIN:
        found += _of_metadata(resource, new)
    own = tables.UPDATE.get(resource.key)
    return found + list(own(new, old) if own else ())


def validate_status_update(resource: Resource, new: Manifest, old: Manifest) -> list[FieldError]:
    if resource.key == "pods":
        return list(pod_status.validate(new, old))
    found = list(metadata.validate_update(_meta(new), _meta(old)))
    own = tables.STATUS.get(resource.key)
    return found + list(own(new, old) if own else ())


def warnings_on_create(resource: Resource, obj: Manifest) -> list[str]:
    """Sentences for the Warning headers of an accepted create."""
    if resource.key == "pods":
        return warnings.of_pod(obj)
    own = tables.WARNINGS.get(resource.key)
    return own(obj) if own else []


def warnings_on_update(resource: Resource, new: Manifest, old: Manifest) -> list[str]:
    """The same of an update. Kubernetes says nothing when pods change, and little when a pod template stays as it was."""
    own = tables.UPDATE_WARNINGS.get(resource.key)
    return own(new, old) if own else []


def _meta(obj: Manifest) -> Manifest:
    return obj.get("metadata") or {}
