"""nodeSelector and node affinity (framework/plugins/nodeaffinity; component-helpers/scheduling/corev1/nodeaffinity)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins.interface import Rejection

REASON = "node(s) didn't match Pod's node affinity/selector"
# When every term pins the pod to nodes by name, the others are not even looked at.
PINNED_ELSEWHERE = "node(s) didn't satisfy plugin(s) [NodeAffinity]"


def _number(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None


def requirement_matches(requirement: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    key, operator = requirement["key"], requirement["operator"]
    wanted: Sequence[str] = requirement.get("values") or ()
    present = values.get(key)
    if operator == "In":
        return present is not None and present in wanted
    if operator == "NotIn":
        return present is None or present not in wanted
    if operator == "Exists":
        return present is not None
    if operator == "DoesNotExist":
        return present is None
    left, right = _number(present), _number(wanted[0] if wanted else None)
    if left is None or right is None:
        return False
    return (left > right) if operator == "Gt" else (operator == "Lt" and left < right)


def term_matches(term: Mapping[str, Any], node: NodeInfo) -> bool:
    """All requirements of a term hold; a term without any matches nothing."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(requirement_matches(one, node.labels) for one in expressions) and all(
        requirement_matches(one, {"metadata.name": node.name}) for one in fields
    )


def _pinned_to(terms: Sequence[Mapping[str, Any]]) -> set[str] | None:
    """The node names that the terms leave over, or None if some term leaves the name open."""
    names: set[str] = set()
    for term in terms:
        pins = [
            set(one.get("values") or ())
            for one in term.get("matchFields") or ()
            if one["key"] == "metadata.name" and one["operator"] == "In"
        ]
        if not pins:
            return None
        names |= set.intersection(*pins)
    return names if terms else None


def check(pod: Manifest, node: NodeInfo) -> Rejection | None:
    spec = pod["spec"]
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = (required or {}).get("nodeSelectorTerms") or ()
    pinned = _pinned_to(terms)
    if pinned is not None and node.name not in pinned:
        return Rejection((PINNED_ELSEWHERE,))
    for key, value in (spec.get("nodeSelector") or {}).items():
        if node.labels.get(key) != value:
            return Rejection((REASON,))
    if required is not None and not any(term_matches(term, node) for term in terms):
        return Rejection((REASON,))
    return None


def preference(pod: Manifest, node: NodeInfo) -> int:
    """The weights of the preferred terms that this node matches."""
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity")) or {}
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return sum(int(one["weight"]) for one in preferred if term_matches(one["preference"], node))
