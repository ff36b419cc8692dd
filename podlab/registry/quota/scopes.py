"""Which pods a quota with scopes means. Source: pkg/quota/v1/evaluator/core/pods.go (podMatchesScopeFunc). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from podlab.apis import pods
from podlab.apis.types import Manifest

TERMINATING = "Terminating"
NOT_TERMINATING = "NotTerminating"
BEST_EFFORT = "BestEffort"
NOT_BEST_EFFORT = "NotBestEffort"
PRIORITY_CLASS = "PriorityClass"
CROSS_NAMESPACE = "CrossNamespacePodAffinity"


def selectors(quota: Manifest) -> Iterator[Manifest]:
    """All conditions of a quota in the form of scopeSelector."""
    spec = quota.get("spec") or {}
    for scope in spec.get("scopes") or []:
        yield {"scopeName": scope, "operator": "Exists"}
    yield from (spec.get("scopeSelector") or {}).get("matchExpressions") or []


def match(quota: Manifest, pod: Manifest) -> bool:
    return all(_matches(selector, pod) for selector in selectors(quota))


def is_terminating(pod: Manifest) -> bool:
    """Whether the pod says how long it may run at most."""
    deadline = (pod.get("spec") or {}).get("activeDeadlineSeconds")
    return deadline is not None and deadline >= 0


def has_any(quota: Manifest) -> bool:
    return next(selectors(quota), None) is not None


def _matches(selector: Manifest, pod: Manifest) -> bool:
    scope, spec = str(selector.get("scopeName")), pod.get("spec") or {}
    if scope in (TERMINATING, NOT_TERMINATING):
        return is_terminating(pod) == (scope == TERMINATING)
    if scope in (BEST_EFFORT, NOT_BEST_EFFORT):
        return (pods.qos_class(pod) == BEST_EFFORT) == bool(scope == BEST_EFFORT)
    if scope == PRIORITY_CLASS:
        return _class_matches(selector, str(spec.get("priorityClassName") or ""))
    return scope == CROSS_NAMESPACE and _looks_abroad(spec)


def _class_matches(selector: Manifest, name: str) -> bool:
    values = selector.get("values") or []
    match selector.get("operator"):
        case "Exists":
            return bool(name)
        case "DoesNotExist":
            return not name
        case "In":
            return name in values
        case "NotIn":
            # A pod without a class is not among them either.
            return name not in values
    return False


def _looks_abroad(spec: Manifest) -> bool:
    """Whether a term of pod (anti-)affinity names other namespaces."""
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        required = terms.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        preferred = terms.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        for term in (*required, *(item.get("podAffinityTerm") or {} for item in preferred)):
            if term.get("namespaces") or term.get("namespaceSelector") is not None:
                return True
    return False
