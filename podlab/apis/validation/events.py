"""Events, by the old rules of core/v1 and the stricter ones of events.k8s.io/v1 (pkg/apis/core/validation/events.go)."""

from __future__ import annotations

from typing import Any

from podlab.apis import names
from podlab.apis.field_errors import invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata
from podlab.apis.validation.rules import Errors, by_rule

_SHORT, _NOTE = 128, 1024
_UNSET = "needs to be unset"
_FIXED = (
    "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type", "eventTime",
    "action", "related",
)  # fmt: skip
_REFERENCE = (
    ("Kind", "kind"), ("Namespace", "namespace"), ("Name", "name"), ("UID", "uid"), ("APIVersion", "apiVersion"),
    ("ResourceVersion", "resourceVersion"), ("FieldPath", "fieldPath"),
)  # fmt: skip
_STRUCTS = {
    "involvedObject": _REFERENCE,
    "related": _REFERENCE,
    "source": (("Component", "component"), ("Host", "host")),
}


def old_style(event: Manifest, controller: str = "reportingComponent") -> Errors:
    """What every event must be. An event stands in the namespace of what it is about; those of cluster-scoped things in
    default. `controller` is the name that the version of the request has for one field."""
    space = (event.get("metadata") or {}).get("namespace") or ""
    about = (event.get("involvedObject") or {}).get("namespace") or ""
    dated = bool(event.get("eventTime"))
    homes = ("default", "kube-system") if dated else ("", "default")
    if (not about and space not in homes) or (about and about != space and not dated):
        yield invalid("involvedObject.namespace", about, "does not match event.namespace")
    if dated:
        yield from _dated(event, controller)


def _dated(event: Manifest, controller: str) -> Errors:
    reporter = event.get("reportingComponent") or ""
    if not reporter:
        yield required(controller)
    yield from by_rule(controller, reporter, names.qualified_name)
    for field in ("reportingInstance", "action", "reason"):
        value = event.get(field) or ""
        if not value:
            yield required(field)
        if len(value) > _SHORT:
            yield invalid(field, "", f"can have at most {_SHORT} characters")
    if len(event.get("message") or "") > _NOTE:
        yield invalid("message", "", f"can have at most {_NOTE} characters")


def new_style(event: Manifest) -> Errors:
    """A create through events.k8s.io/v1, in the stored form."""
    yield from old_style(event, "reportingController")
    yield from metadata.validate(event.get("metadata") or {}, namespaced=True, name_rule=names.dns_subdomain)
    yield from _series(event)
    if not event.get("eventTime"):
        yield required("eventTime")
    if event.get("type") not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {event.get('type') or ''}")
    for field in ("firstTimestamp", "lastTimestamp", "count"):
        if event.get(field):
            yield invalid(field, "", _UNSET)
    source = event.get("source") or {}
    if source.get("component") or source.get("host"):
        yield invalid("source", "", _UNSET)


def new_style_update(new: Manifest, old: Manifest) -> Errors:
    yield from old_style(new, "reportingController")
    yield from metadata.validate_update(new.get("metadata") or {}, old.get("metadata") or {})
    if (new.get("series") or {}) != (old.get("series") or {}):
        yield from _series(new)
    for field in _FIXED:
        if (new.get(field) or None) != (old.get(field) or None):
            yield invalid(field, _shown(field, new.get(field)), metadata.IMMUTABLE)
    for field, shown in (("reportingComponent", "reportingController"), ("reportingInstance", "reportingInstance")):
        if (new.get(field) or "") != (old.get(field) or ""):
            yield invalid(shown, new.get(field) or "", metadata.IMMUTABLE)


def _shown(field: str, value: Any) -> Any:
    """As Go prints the internal struct."""
    if field in _STRUCTS and (value is not None or field != "related"):
        return {go: (value or {}).get(name) or "" for go, name in _STRUCTS[field]}
    if value is None:
        return {"count": 0, "reason": "", "message": "", "type": "", "action": ""}.get(field)
    return value


def _series(event: Manifest) -> Errors:
    series = event.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < 2:
        yield invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield required("series.lastObservedTime")
