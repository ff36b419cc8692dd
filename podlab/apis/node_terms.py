"""Node selector terms: of required node affinity and of volumes. Pure.

component-helpers/scheduling/corev1/nodeaffinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podlab.apis.types import Manifest


def matches(selector: Manifest, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a node is one that `selector` (nodeSelectorTerms) asks for: one term is enough."""
    return any(_term(term, name, labels) for term in selector.get("nodeSelectorTerms") or ())


def _term(term: Manifest, name: str, labels: Mapping[str, str]) -> bool:
    """All requirements of a term hold; a term without any matches nothing."""
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
