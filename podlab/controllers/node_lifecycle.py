"""Keeps new pods away from nodes that are cordoned, by a taint beside `spec.unschedulable`.

A key is the name of a node. Taints for pressure and readiness come with the status (`registry.strategies.node`). Source:
pkg/controller/nodelifecycle/node_lifecycle_controller.go, doNoScheduleTaintingPass.
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.controllers.controller import Controller
from podlab.storage.log import LogEntry

NODES = "nodes"
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class NodeLifecycle(Controller):
    name = "nodelifecycle"
    component = "node-controller"

    def load(self) -> Iterable[str]:
        return [item.key.name for item in self.client.list(NODES, None).items if _differs(item.obj)]

    def affected(self, entry: LogEntry) -> Iterable[str]:
        if entry.key.resource == NODES and entry.type != "DELETED" and _differs(entry.obj):
            yield entry.key.name

    def sync(self, key: str) -> None:
        found = self.client.find(NODES, "", key)
        if found is None or not _differs(found.obj):
            return
        taints = [taint for taint in _taints(found.obj) if not _is_cordon(taint)]
        cordoned = _is_cordoned(found.obj)
        if cordoned:
            taints.append({**UNSCHEDULABLE, "timeAdded": times.rfc3339(self.kit.clock.now())})
        patch = {"spec": {"taints": taints or None}, "metadata": {"resourceVersion": str(found.revision)}}
        why = "The node is cordoned." if cordoned else "The node is not cordoned any more."
        self.client.patch(NODES, "", key, "application/merge-patch+json", patch, why=why)


def _differs(node: Manifest) -> bool:
    return _is_cordoned(node) != any(_is_cordon(taint) for taint in _taints(node))


def _is_cordoned(node: Manifest) -> bool:
    return bool((node.get("spec") or {}).get("unschedulable"))


def _taints(node: Manifest) -> list[Manifest]:
    return (node.get("spec") or {}).get("taints") or []


def _is_cordon(taint: Manifest) -> bool:
    return all(taint.get(field) == value for field, value in UNSCHEDULABLE.items())
