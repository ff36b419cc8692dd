"""Taints keep pods away that do not tolerate them (framework/plugins/tainttoleration)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins.interface import Rejection

REASON = "node(s) had untolerated taint(s)"


def tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """An empty effect or key of a toleration means any (api/core/v1/toleration.go)."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    if operator != "Equal" or not toleration.get("key"):
        return False
    return (toleration.get("value") or "") == (taint.get("value") or "")


def tolerated(taint: Mapping[str, Any], tolerations: Iterable[Mapping[str, Any]]) -> bool:
    return any(tolerates(toleration, taint) for toleration in tolerations)


def check(pod: Manifest, node: NodeInfo) -> Rejection | None:
    tolerations = pod["spec"].get("tolerations", ())
    for taint in node.taints:
        if taint.get("effect") in {"NoSchedule", "NoExecute"} and not tolerated(taint, tolerations):
            return Rejection((REASON,))
    return None


def unwelcome(pod: Manifest, node: NodeInfo) -> int:
    """How many PreferNoSchedule taints the pod does not tolerate."""
    tolerations = pod["spec"].get("tolerations", ())
    return sum(taint.get("effect") == "PreferNoSchedule" and not tolerated(taint, tolerations) for taint in node.taints)
