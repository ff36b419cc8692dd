"""Taints keep pods away that do not tolerate them (framework/plugins/tainttoleration)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from podlab.apis import pods
from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins.interface import Rejection

REASON = "node(s) had untolerated taint(s)"


def tolerated(taint: Mapping[str, Any], tolerations: Iterable[Mapping[str, Any]]) -> bool:
    return any(pods.tolerates(toleration, taint) for toleration in tolerations)


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
