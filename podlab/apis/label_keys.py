"""matchLabelKeys and mismatchLabelKeys: a pod's own labels become part of the selectors that name their keys.

The registry calls this when it prepares a new pod, before validation; from then on the selectors mean what they say.
Source: pkg/registry/core/pod/strategy.go (applyMatchLabelKeysAndMismatchLabelKeys).
"""

from __future__ import annotations

from collections.abc import Iterator

from podlab.apis.types import Manifest

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def merge(pod: Manifest) -> None:
    labels = (pod.get("metadata") or {}).get("labels") or {}
    for term in _terms(pod.get("spec") or {}):
        if term.get("labelSelector") is not None:
            _apply(term["labelSelector"], "In", term.get("matchLabelKeys") or [], labels)
            _apply(term["labelSelector"], "NotIn", term.get("mismatchLabelKeys") or [], labels)


def _terms(spec: Manifest) -> Iterator[Manifest]:
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        yield from rules.get(_REQUIRED) or []
        for weighted in rules.get(_PREFERRED) or []:
            yield weighted.get("podAffinityTerm") or {}
    yield from spec.get("topologySpreadConstraints") or []


def _apply(selector: Manifest, operator: str, keys: list[str], labels: Manifest) -> None:
    added = [{"key": key, "operator": operator, "values": [labels[key]]} for key in keys if key in labels]
    if added:
        selector["matchExpressions"] = [*(selector.get("matchExpressions") or []), *added]
