"""priority and preemptionPolicy of a pod come from its priority class, never from the client; of classes at most one is
the default, and Kubernetes' own two stay.

Source: plugin/pkg/admission/priority/admission.go, pkg/registry/scheduling/priorityclass/storage/storage.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from podlab.apis.types import Manifest
from podlab.registry.admission.plugin import CREATE, DELETE, UPDATE, Plugin, Request
from podlab.registry.priority_classes import RESOURCE, SYSTEM_CLASSES

_DEFAULT_POLICY = "PreemptLowerPriority"


@dataclass(frozen=True, slots=True)
class _Class:
    name: str = ""
    value: int = 0
    policy: str = _DEFAULT_POLICY


class Priority(Plugin):
    def admit(self, request: Request) -> None:
        spec = request.obj.get("spec")
        if not isinstance(spec, dict):
            return
        if request.is_for("pods", CREATE):
            _set(request, spec)
        elif request.is_for("pods", UPDATE) and request.old is not None:
            _keep(spec, request.old.get("spec") or {})

    def check(self, request: Request) -> None:
        if not request.is_for(RESOURCE):
            return
        if request.operation == DELETE:
            if request.ctx.name in SYSTEM_CLASSES:
                raise request.refusal("this is a system priority class and cannot be deleted")
        elif request.obj.get("globalDefault"):
            other = next((name for name in _defaults(request) if name != request.name), None)
            if other:
                text = f"PriorityClass {other} is already marked as default. Only one default can exist"
                raise request.refusal(text)


def _set(request: Request, spec: Manifest) -> None:
    found = _class_named(request, spec["priorityClassName"]) if spec.get("priorityClassName") else _default(request)
    if found.name:
        spec["priorityClassName"] = found.name
    _fix(request, spec, "priority", found.value)
    _fix(request, spec, "preemptionPolicy", found.policy)


def _class_named(request: Request, name: str) -> _Class:
    found = request.ctx.client.as_system().find(RESOURCE, "", name)
    if found is not None:
        return _class_of(found.obj)
    if name in SYSTEM_CLASSES:  # a cluster from before they were objects
        return _Class(name, SYSTEM_CLASSES[name])
    raise request.refusal(f"no PriorityClass with name {name} was found")


def _default(request: Request) -> _Class:
    """The one with the least value, should there be several."""
    return min(_defaults(request).values(), key=lambda one: one.value, default=_Class())


def _defaults(request: Request) -> dict[str, _Class]:
    items = request.ctx.nearby.all(RESOURCE, in_namespace=False)
    return {
        item.key.name: _class_of(item.obj)
        for item in items
        if '"globalDefault"' in item.body and item.obj.get("globalDefault")
    }


def _class_of(obj: Manifest) -> _Class:
    policy = obj.get("preemptionPolicy") or _DEFAULT_POLICY
    return _Class(str(obj["metadata"]["name"]), int(obj.get("value") or 0), str(policy))


def _fix(request: Request, spec: Manifest, field: str, computed: Any) -> None:
    given = spec.get(field)
    if given is not None and given != computed:
        what = "integer value of priority" if field == "priority" else "string value of PreemptionPolicy"
        raise request.refusal(
            f"the {what} ({given}) must not be provided in pod spec; priority admission controller computed "
            f"{computed} from the given PriorityClass name"
        )
    spec[field] = computed


def _keep(spec: Manifest, old: Manifest) -> None:
    """A PUT may leave them out."""
    for field in ("priority", "preemptionPolicy"):
        if spec.get(field) is None and old.get(field) is not None:
            spec[field] = old[field]
