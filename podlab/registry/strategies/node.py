"""Nodes. A node agent registers itself with its status at once, so status is kept on create.

Source: pkg/registry/core/node/strategy.go.
"""

from __future__ import annotations

from podlab.apis import taints as known
from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy

# Structs without omitempty: they are there before an agent has filled them.
_NODE_INFO = (
    "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion",
    "kubeProxyVersion", "operatingSystem", "architecture",
)  # fmt: skip

_PRESSURE = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
}


class NodeStrategy(Strategy):
    has_status = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        if not isinstance(obj.get("spec"), dict):
            obj["spec"] = {}
        obj["spec"].pop("configSource", None)  # long gone (strategy.go, dropDisabledFields)
        status = obj.setdefault("status", {})
        status.pop("config", None)
        status.setdefault("daemonEndpoints", {"kubeletEndpoint": {"Port": 0}})
        status.setdefault("nodeInfo", dict.fromkeys(_NODE_INFO, ""))
        taints = obj["spec"].get("taints") or []
        if not any(known.same(taint, known.NOT_READY) for taint in taints):
            obj["spec"]["taints"] = [*taints, dict(known.NOT_READY)]  # plugin/pkg/admission/nodetaint

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        if isinstance(new.get("spec"), dict):
            new["spec"].pop("configSource", None)

    def prepare_for_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        """Its own agent says that it is ready: what kept pods away at first goes; a pressure that it tells keeps new pods
        away while it lasts (the node lifecycle controller, doNoScheduleTaintingPass)."""
        super().prepare_for_subresource(ctx, new, old)
        conditions = (new.get("status") or {}).get("conditions") or []
        spec = dict(new.get("spec") or {})
        pressed = {item.get("type") for item in conditions if item.get("status") == "True"}
        before = spec.get("taints") or []
        taints = [taint for taint in before if "Ready" not in pressed or not known.same(taint, known.NOT_READY)]
        taints = _with_pressure(taints, pressed, ctx)
        if taints != before:
            spec["taints"] = taints
            if not taints:
                del spec["taints"]
            new["spec"] = spec


def _with_pressure(taints: list[Manifest], conditions: set[str], ctx: Context) -> list[Manifest]:
    wanted = {key for condition, key in _PRESSURE.items() if condition in conditions}
    kept = [taint for taint in taints if taint.get("key") not in _PRESSURE.values() or taint.get("key") in wanted]
    held = {taint.get("key") for taint in kept}
    stamp = times.rfc3339(ctx.now)
    fresh = [{"key": key, "effect": "NoSchedule", "timeAdded": stamp} for key in sorted(wanted - held)]
    return [*kept, *fresh]
