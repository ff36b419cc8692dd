"""The plugins in the order in which Kubernetes runs them (pkg/scheduler/apis/config/v1/default_plugins.go): the first
filter that rejects a node gives its reasons."""

from __future__ import annotations

from podlab.scheduler.plugins import (
    node_affinity,
    node_name,
    node_ports,
    node_resources_fit,
    node_unschedulable,
    taint_toleration,
    volume_binding,
    volume_restrictions,
)
from podlab.scheduler.plugins.interface import Filter, Scorer, StorageFilter

FILTERS: tuple[Filter, ...] = (
    node_unschedulable.check,
    node_name.check,
    taint_toleration.check,
    node_affinity.check,
    node_ports.check,
    node_resources_fit.check,
)

# For pods with claims, after these; then spreading and rules about other pods (`scheduler.filtering`).
STORAGE_FILTERS: tuple[StorageFilter, ...] = (volume_restrictions.check, volume_binding.check)

SCORERS: tuple[Scorer, ...] = (
    Scorer(name="least allocated", score=node_resources_fit.least_allocated, weight=1, scale="as is"),
    Scorer(name="preferred node affinity", score=node_affinity.preference, weight=2, scale="most"),
    Scorer(name="PreferNoSchedule taints", score=taint_toleration.unwelcome, weight=3, scale="fewest"),
)
