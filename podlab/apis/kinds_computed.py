"""Kinds that are only read, and worked out at the moment of reading. `apis.scheme` joins the tables.

`registry.computed` answers them: usage for `kubectl top`. See kinds_core.py for the source of names and verbs.
"""

from __future__ import annotations

from dataclasses import replace

from podlab.apis.resource import Resource, kind

_READ = ("get", "list")
_METRICS = "metrics.k8s.io/v1beta1"

# Metrics-server leaves the singular empty, so that "kubectl get pod" cannot mean these.
METRICS: tuple[Resource, ...] = tuple(
    replace(item, singular="")
    for item in (
        kind(_METRICS, "NodeMetrics", "nodes", namespaced=False, verbs=_READ),
        kind(_METRICS, "PodMetrics", "pods", verbs=_READ),
    )
)
