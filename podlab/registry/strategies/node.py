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
# Put on every new node (plugin/pkg/admission/nodetaint).
_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class NodeStrategy(Strategy):
    has_status = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        if not isinstance(obj.get("spec"), dict):
            obj["spec"] = {}
        status = obj.setdefault("status", {})
        status.setdefault("daemonEndpoints", {"kubeletEndpoint": {"Port": 0}})
        status.setdefault("nodeInfo", dict.fromkeys(_NODE_INFO, ""))
        taints = obj["spec"].get("taints") or []
        if not any(_is_not_ready(taint) for taint in taints):
            obj["spec"]["taints"] = [*taints, dict(_NOT_READY)]

    def prepare_for_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        """Its own agent says that it is ready: what kept pods away at first goes (the node lifecycle controller)."""
        super().prepare_for_subresource(ctx, new, old)
        conditions = (new.get("status") or {}).get("conditions") or []
        spec = dict(new.get("spec") or {})
        taints = [taint for taint in spec.get("taints") or [] if not _is_not_ready(taint)]
        ready = any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)
        if ready and len(taints) != len(spec.get("taints") or []):
            spec["taints"] = taints
            if not taints:
                del spec["taints"]
            new["spec"] = spec


def _is_not_ready(taint: Manifest) -> bool:
    return all(taint.get(field) == value for field, value in _NOT_READY.items())
