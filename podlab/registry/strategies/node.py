"""Nodes. A node agent registers itself with its status at once, so status is kept on create.

Source: pkg/registry/core/node/strategy.go.
"""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy

# Structs without omitempty: they are there before an agent has filled them.
_NODE_INFO = (
    "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion",
    "kubeProxyVersion", "operatingSystem", "architecture",
)  # fmt: skip


class NodeStrategy(Strategy):
    has_status = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        if not isinstance(obj.get("spec"), dict):
            obj["spec"] = {}
        status = obj.setdefault("status", {})
        status.setdefault("daemonEndpoints", {"kubeletEndpoint": {"Port": 0}})
        status.setdefault("nodeInfo", dict.fromkeys(_NODE_INFO, ""))
