"""What a decision may depend on beside pod and nodes, read only where something asks for it. Called by `bind`."""

from __future__ import annotations

from podlab.apis import pods as pod_facts
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.scheduler import claims
from podlab.scheduler.cycle import Surroundings
from podlab.scheduler.plugins import inter_pod_affinity

BUDGETS = "poddisruptionbudgets.policy"


def gather(client: Client, pod: Manifest, others: list[Manifest]) -> Surroundings:
    """`others`: the pods that have a node, or one nominated for them."""
    namespaces = {}
    if any(inter_pod_affinity.selects_namespaces(one) for one in (pod, *others)):
        namespaces = {
            item.key.name: item.obj["metadata"].get("labels") or {} for item in client.list("namespaces", None).items
        }
    budgets = []
    if any(pod_facts.priority(one) < pod_facts.priority(pod) for one in others):
        budgets = [item.obj for item in client.list(BUDGETS, None).items]
    return Surroundings(storage=claims.gather(client, pod, others), namespaces=namespaces, budgets=budgets)
