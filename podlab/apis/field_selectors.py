"""Field selectors, and the fields by which each kind can be selected.

Callers import them from selectors.py. Source: apimachinery/pkg/fields/selector.go; the fields are those of
pkg/apis/core/v1/conversion.go and of the strategies' ToSelectableFields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from podlab.apis.scheme import Resource
from podlab.apis.status_errors import SelectorError
from podlab.apis.types import Manifest


@dataclass(frozen=True, slots=True)
class FieldTerm:
    field: str
    negated: bool
    value: str


@dataclass(frozen=True, slots=True)
class FieldSelector:
    terms: tuple[FieldTerm, ...] = ()

    @classmethod
    def parse(cls, text: str) -> FieldSelector:
        return cls(tuple(_field_term(part, text) for part in _split_terms(text) if part not in ("", "=")))

    def check(self, resource: Resource) -> None:
        """Raises the 400 of a field that this kind cannot be selected by."""
        for term in self.terms:
            if term.field not in supported_fields(resource):
                raise SelectorError(_unsupported(resource, term.field))

    def matches(self, resource: Resource, obj: Manifest) -> bool:
        return all((field_value(resource, obj, term.field) == term.value) != term.negated for term in self.terms)

    def value_of(self, field: str) -> str | None:
        """The value that `field` must have, if the selector fixes one: lets a list by name become a get."""
        return next((term.value for term in self.terms if term.field == field and not term.negated), None)

    @property
    def empty(self) -> bool:
        return not self.terms


def _split_terms(text: str) -> list[str]:
    return re.split(r"(?<!\\),", text)


def _field_term(part: str, whole: str) -> FieldTerm:
    match = re.match(r"((?:\\.|[^=!\\]|!(?!=))*)(!=|==|=)(.*)", part, re.DOTALL)
    if match is None:
        raise SelectorError(f"invalid selector: '{whole}'; can't understand '{part}'")
    field, operator, value = match.groups()
    return FieldTerm(field, operator == "!=", _unescape(value))


def _unescape(value: str) -> str:
    """Backslash, comma and equals sign may be escaped in a value, nothing else (fields.UnescapeValue)."""
    out, at = [], 0
    while at < len(value):
        char = value[at]
        if char == "\\":
            following = value[at + 1 : at + 2]
            if following not in ("\\", ",", "=") or not following:
                raise SelectorError(f"invalid field selector: invalid escape sequence: \\{following}")
            out.append(following)
            at += 2
            continue
        if char in ",=":
            raise SelectorError(f"invalid field selector: unescaped character in value: {ord(char)}")
        out.append(char)
        at += 1
    return "".join(out)


def _text_at(*path: str) -> Callable[[Manifest], str]:
    def read(obj: Manifest) -> str:
        value: Any = obj
        for step in path:
            value = (value or {}).get(step)
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    return read


def _boolean_at(*path: str) -> Callable[[Manifest], str]:
    read = _text_at(*path)
    return lambda obj: read(obj) or "false"


def _number_at(*path: str) -> Callable[[Manifest], str]:
    read = _text_at(*path)
    return lambda obj: read(obj) or "0"


def _pod_ip(obj: Manifest) -> str:
    addresses = (obj.get("status") or {}).get("podIPs") or []
    return str(addresses[0].get("ip", "")) if addresses else ""


def _event_source(obj: Manifest) -> str:
    return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")


_NAME = {"metadata.name": _text_at("metadata", "name")}
_NAMESPACED = {**_NAME, "metadata.namespace": _text_at("metadata", "namespace")}
_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_FIELDS: dict[str, dict[str, Callable[[Manifest], str]]] = {
    "pods": {
        **_NAMESPACED,
        "spec.nodeName": _text_at("spec", "nodeName"),
        "spec.host": _text_at("spec", "nodeName"),  # its name of before v1
        "spec.restartPolicy": _text_at("spec", "restartPolicy"),
        "spec.schedulerName": _text_at("spec", "schedulerName"),
        "spec.serviceAccountName": _text_at("spec", "serviceAccountName"),
        "spec.hostNetwork": _boolean_at("spec", "hostNetwork"),
        "status.phase": _text_at("status", "phase"),
        "status.podIP": _pod_ip,
        "status.podIPs": lambda obj: "",  # accepted by the conversion, never set by ToSelectableFields
        "status.nominatedNodeName": _text_at("status", "nominatedNodeName"),
    },
    "nodes": {**_NAME, "spec.unschedulable": _boolean_at("spec", "unschedulable")},
    "namespaces": {**_NAME, "status.phase": _text_at("status", "phase")},
    "services": {
        **_NAMESPACED,
        "spec.clusterIP": _text_at("spec", "clusterIP"),
        "spec.type": _text_at("spec", "type"),
    },
    "replicationcontrollers": {**_NAMESPACED, "status.replicas": _number_at("status", "replicas")},
    "jobs.batch": {**_NAMESPACED, "status.successful": _number_at("status", "succeeded")},
    "secrets": {**_NAMESPACED, "type": _text_at("type")},
    "events": {
        **_NAMESPACED,
        **{f"involvedObject.{name}": _text_at("involvedObject", name) for name in _INVOLVED},
        "reason": _text_at("reason"),
        "reportingComponent": _text_at("reportingComponent"),
        "source": _event_source,
        "type": _text_at("type"),
    },
}


def supported_fields(resource: Resource) -> Mapping[str, Callable[[Manifest], str]]:
    return _FIELDS.get(resource.key) or _NAMESPACED


def field_value(resource: Resource, obj: Manifest, field: str) -> str:
    read = supported_fields(resource).get(field)
    return read(obj) if read else ""


def _unsupported(resource: Resource, field: str) -> str:
    if resource.key == "jobs.batch":
        return f'field label "{field}" not supported for Job'
    if resource.key in _FIELDS:
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
