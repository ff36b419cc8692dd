"""Whether a node is one that a pod asks for by nodeSelector and required node affinity. Pure; `admission` calls it."""

from __future__ import annotations

from collections.abc import Mapping

from podlab.apis import node_terms
from podlab.apis.types import Manifest


def matches(pod: Manifest, name: str, labels: Mapping[str, str]) -> bool:
    spec = pod["spec"]
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or node_terms.matches(required, name, labels)


def asks(pod: Manifest) -> bool:
    """The pod is not content with any node."""
    spec = pod["spec"]
    return bool(spec.get("nodeSelector") or (spec.get("affinity") or {}).get("nodeAffinity"))
