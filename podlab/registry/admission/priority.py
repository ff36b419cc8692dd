"""priority and preemptionPolicy come from the priority class, never from the client.

Of classes there are Kubernetes' two built-in ones. Source: plugin/pkg/admission/priority/admission.go.
"""

from __future__ import annotations

from typing import Any

from podlab.apis.types import Manifest
from podlab.registry.admission.plugin import CREATE, UPDATE, Plugin, Request

SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_DEFAULT_PRIORITY = 0
_DEFAULT_POLICY = "PreemptLowerPriority"


class Priority(Plugin):
    def admit(self, request: Request) -> None:
        spec = request.obj.get("spec")
        if not isinstance(spec, dict):
            return
        if request.is_for("pods", CREATE):
            _set(request, spec)
        elif request.is_for("pods", UPDATE) and request.old is not None:
            _keep(spec, request.old.get("spec") or {})


def _set(request: Request, spec: Manifest) -> None:
    name = spec.get("priorityClassName")
    if name and name not in SYSTEM_CLASSES:
        raise request.refusal(f"no PriorityClass with name {name} was found")
    _fix(request, spec, "priority", SYSTEM_CLASSES[name] if name else _DEFAULT_PRIORITY)
    _fix(request, spec, "preemptionPolicy", _DEFAULT_POLICY)


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
