"""Whether a node is one that a pod asks for by nodeSelector and required node affinity. Pure; `admission` calls it.

component-helpers/scheduling/corev1/nodeaffinity. The scheduler has its own copy: actors do not know each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podlab.apis.types import Manifest


def matches(pod: Manifest, name: str, labels: Mapping[str, str]) -> bool:
    spec = pod["spec"]
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(_term(term, name, labels) for term in required.get("nodeSelectorTerms") or ())


def asks(pod: Manifest) -> bool:
    """The pod is not content with any node."""
    spec = pod["spec"]
    return bool(spec.get("nodeSelector") or (spec.get("affinity") or {}).get("nodeAffinity"))


def _term(term: Manifest, name: str, labels: Mapping[str, str]) -> bool:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(_holds(one, labels) for one in expressions) and all(
        _holds(one, {"metadata.name": name}) for one in fields
    )


def _holds(requirement: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    present, wanted = values.get(requirement["key"]), requirement.get("values") or ()
    match requirement["operator"]:
        case "In":
            return present is not None and present in wanted
        case "NotIn":
            return present is None or present not in wanted
        case "Exists":
            return present is not None
        case "DoesNotExist":
            return present is None
        case "Gt" | "Lt" as operator:
            return _compares(operator, present, wanted[0] if wanted else None)
    return False


def _compares(operator: str, present: str | None, bound: str | None) -> bool:
    try:
        left, right = int(present or ""), int(bound or "")
    except ValueError:
        return False
    return left > right if operator == "Gt" else left < right
