"""A cordoned node takes only pods that tolerate it (framework/plugins/nodeunschedulable)."""

from __future__ import annotations

from podlab.apis import taints
from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins.interface import Rejection
from podlab.scheduler.plugins.taint_toleration import tolerated

REASON = "node(s) were unschedulable"


def check(pod: Manifest, node: NodeInfo) -> Rejection | None:
    if not node.unschedulable or tolerated(taints.UNSCHEDULABLE, pod["spec"].get("tolerations", ())):
        return None
    return Rejection((REASON,))
