"""Taints of nodes: the ones that Kubernetes itself makes (core/v1/well_known_taints.go), and what a node has. Pure.

Whether a pod tolerates one is `pods.tolerates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podlab.apis.types import Manifest

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def of(node: Manifest) -> list[Manifest]:
    return (node.get("spec") or {}).get("taints") or []


def no_execute(node: Manifest) -> tuple[Manifest, ...]:
    """Those that let nobody run who does not tolerate them."""
    return tuple(taint for taint in of(node) if taint.get("effect") == "NoExecute")


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Key and effect make a taint what it is (MatchTaint)."""
    return all(one.get(field) == other.get(field) for field in ("key", "effect"))
