"""A pod that names its node goes nowhere else (framework/plugins/nodename)."""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins.interface import Rejection

REASON = "node(s) didn't match the requested node name"


def check(pod: Manifest, node: NodeInfo) -> Rejection | None:
    wanted = pod["spec"].get("nodeName")
    return None if not wanted or wanted == node.name else Rejection((REASON,))
