"""May the pod go to this node? All filters in Kubernetes' order (default_plugins.go), over a node and over what `prepare`
counted beforehand about all of them. Pure.

Pods for which room is being made on a node count there as well: as in RunFilterPluginsWithNominatedPods
(framework/runtime/framework.go), those of at least the same priority, with and without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from podlab.apis import pods as pod_facts
from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins import inter_pod_affinity, pod_topology_spread
from podlab.scheduler.plugins.interface import Namespaces, Rejection
from podlab.scheduler.plugins.registry import FILTERS, STORAGE_FILTERS
from podlab.scheduler.plugins.volume_binding import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the filters know beside the pod and the one node."""

    storage: Storage = field(default_factory=Storage)
    spread: pod_topology_spread.Counts = field(default_factory=pod_topology_spread.Counts)
    affinity: inter_pod_affinity.Counts = field(default_factory=inter_pod_affinity.Counts)

    def without(self, pod: Manifest, other: Manifest, node: NodeInfo) -> State:
        """As if `other` had left the node."""
        return replace(
            self,
            storage=self.storage.without(other),
            spread=self.spread.changed(pod, other, node, -1),
            affinity=self.affinity.changed(pod, other, node, -1),
        )

    def with_pod(self, pod: Manifest, other: Manifest, node: NodeInfo) -> State:
        return replace(
            self,
            storage=self.storage.with_pod(other),
            spread=self.spread.changed(pod, other, node, 1),
            affinity=self.affinity.changed(pod, other, node, 1),
        )


def prepare(pod: Manifest, nodes: Sequence[NodeInfo], storage: Storage, namespaces: Namespaces) -> State:
    return State(
        storage=storage,
        spread=pod_topology_spread.prepare(pod, nodes),
        affinity=inter_pod_affinity.prepare(pod, nodes, namespaces),
    )


def rejection(pod: Manifest, node: NodeInfo, state: State) -> Rejection | None:
    """Why the node cannot take the pod, or None."""
    rivals = [one for one in node.nominated if _comes_before(one, pod)]
    if rivals:
        crowded, counted = node, state
        for one in rivals:
            crowded, counted = crowded.with_pod(one), counted.with_pod(pod, one, node)
        found = _rejection(pod, crowded, counted)
        if found is not None:
            names = " and ".join(f"{one['metadata'].get('namespace', '')}/{one['metadata']['name']}" for one in rivals)
            return found if found.detail else replace(found, detail=f"room is kept there for {names}")
    return _rejection(pod, node, state)


def _comes_before(nominated: Manifest, pod: Manifest) -> bool:
    if nominated["metadata"]["uid"] == pod["metadata"]["uid"]:
        return False
    return pod_facts.priority(nominated) >= pod_facts.priority(pod)


def _rejection(pod: Manifest, node: NodeInfo, state: State) -> Rejection | None:
    for check in FILTERS:
        found = check(pod, node)
        if found is not None:
            return found
    for check_storage in STORAGE_FILTERS:
        found = check_storage(pod, node, state.storage)
        if found is not None:
            return found
    return pod_topology_spread.check(pod, node, state.spread) or inter_pod_affinity.check(pod, node, state.affinity)
