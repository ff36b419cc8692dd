"""The two priority classes that every cluster begins with. Source: pkg/apis/scheduling/v1/helpers.go."""

from __future__ import annotations

from collections.abc import Iterator

from podlab.apis.types import Manifest

RESOURCE = "priorityclasses.scheduling.k8s.io"
SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_NOTES = {
    "system-cluster-critical": (
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."
    ),
    "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
}


def system_classes() -> Iterator[Manifest]:
    for name, value in SYSTEM_CLASSES.items():
        yield {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            "description": _NOTES[name],
            "preemptionPolicy": "PreemptLowerPriority",
        }
