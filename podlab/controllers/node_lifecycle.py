"""Keeps new pods away from nodes that are cordoned, by a taint beside `spec.unschedulable`.

A key is the name of a node. Taints for pressure and readiness come with the status (`registry.strategies.node`). Source:
pkg/controller/nodelifecycle/node_lifecycle_controller.go, doNoScheduleTaintingPass.
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.apis import taints, times
from podlab.apis.types import Manifest
from podlab.controllers.controller import Controller
from podlab.storage.log import LogEntry

NODES = "nodes"


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
        wanted = [taint for taint in taints.of(found.obj) if not taints.same(taint, taints.UNSCHEDULABLE)]
        cordoned = _is_cordoned(found.obj)
        if cordoned:
            wanted.append({**taints.UNSCHEDULABLE, "timeAdded": times.rfc3339(self.kit.clock.now())})
        patch = {"spec": {"taints": wanted or None}, "metadata": {"resourceVersion": str(found.revision)}}
        why = "The node is cordoned." if cordoned else "The node is not cordoned any more."
        self.client.patch(NODES, "", key, "application/merge-patch+json", patch, why=why)


def _differs(node: Manifest) -> bool:
    return _is_cordoned(node) != any(taints.same(one, taints.UNSCHEDULABLE) for one in taints.of(node))


def _is_cordoned(node: Manifest) -> bool:
    return bool((node.get("spec") or {}).get("unschedulable"))
