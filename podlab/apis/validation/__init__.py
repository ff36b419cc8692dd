"""Is this object acceptable? Kubernetes' field errors, in its order and words.

The registry calls these after defaulting and admission; forms call them to show errors while somebody types. One file
a topic; pod.py holds the order in which a pod is looked through. Pure: values in, errors out.
Source: pkg/apis/core/validation/validation.go of Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.apis import names
from podlab.apis.field_errors import FieldError
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest
from podlab.apis.validation import kinds, metadata, pod, pod_update, warnings
from podlab.apis.validation.rules import Errors

__all__ = ["validate_create", "validate_status_update", "validate_update", "warnings_on_create"]

_OWN: Mapping[str, Callable[[Manifest], Errors]] = {
    "configmaps": kinds.config_map,
    "secrets": kinds.secret,
    "namespaces": kinds.namespace,
    "nodes": kinds.node,
    "events": kinds.event,
}
_OWN_UPDATE: Mapping[str, Callable[[Manifest, Manifest], Errors]] = {
    "configmaps": kinds.config_map_update,
    "secrets": kinds.secret_update,
    "nodes": lambda new, old: kinds.node(new),
}


def validate_create(resource: Resource, obj: Manifest) -> list[FieldError]:
    if resource.key == "pods":
        return list(pod.validate_create(obj))
    rule = names.dns_label if resource.key == "namespaces" else names.dns_subdomain
    found = list(metadata.validate(_meta(obj), namespaced=resource.namespaced, name_rule=rule))
    own = _OWN.get(resource.key)
    return found + list(own(obj) if own else ())


def validate_update(resource: Resource, new: Manifest, old: Manifest) -> list[FieldError]:
    """`new` already carries what the strategy keeps from `old` (status, deletion, generation)."""
    if resource.key == "pods":
        return list(pod_update.validate(new, old))
    found = list(metadata.validate_update(_meta(new), _meta(old)))
    own = _OWN_UPDATE.get(resource.key)
    return found + list(own(new, old) if own else ())


def validate_status_update(resource: Resource, new: Manifest, old: Manifest) -> list[FieldError]:
    if resource.key == "pods":
        return list(pod_update.validate_status(new, old))
    return list(metadata.validate_update(_meta(new), _meta(old)))


def warnings_on_create(resource: Resource, obj: Manifest) -> list[str]:
    return warnings.of_pod(obj) if resource.key == "pods" else []


def _meta(obj: Manifest) -> Manifest:
    return obj.get("metadata") or {}
