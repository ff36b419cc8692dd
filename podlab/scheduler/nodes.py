"""What the scheduling cycle knows of a node: its offer minus what the pods on it asked for. Pure; built by `bind`.

Preemption asks what it would be without some of them: `NodeInfo.without` and `with_pod` answer by subtraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from podlab.apis import pods as pod_facts
from podlab.apis import quantity
from podlab.apis.types import Manifest

# pkg/scheduler/util/pod_resources.go: what a container without requests counts for in scores (not in filters).
DEFAULT_CPU_MILLI = 100
DEFAULT_MEMORY = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Amount:
    cpu_milli: int = 0
    memory: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.cpu_milli + other.cpu_milli, self.memory + other.memory)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.cpu_milli - other.cpu_milli, self.memory - other.memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeInfo:
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, Any]] = ()
    unschedulable: bool = False
    allocatable: Amount = Amount()
    allowed_pods: int = 0
    requested: Amount = Amount()
    weighed: Amount = Amount()  # like requested, with defaults for pods that ask for nothing
    others: Mapping[str, int] = field(default_factory=dict)  # left of what is neither cpu nor memory
    pods: int = 0
    host_ports: frozenset[tuple[str, str, int]] = frozenset()  # (ip, protocol, port)
    residents: tuple[Manifest, ...] = ()  # the pods here that hold resources
    nominated: tuple[Manifest, ...] = ()  # pods without a node for which room is being made here

    def with_pod(self, pod: Manifest) -> NodeInfo:
        asked = other_requests_of(pod)
        return replace(
            self,
            requested=self.requested + requests_of(pod),
            weighed=self.weighed + weight_of(pod),
            others={**self.others, **{name: self.others.get(name, 0) - amount for name, amount in asked.items()}},
            pods=self.pods + 1,
            host_ports=self.host_ports | host_ports_of(pod),
            residents=(*self.residents, pod),
        )

    def without(self, pod: Manifest) -> NodeInfo:
        """`pod` is one of the residents."""
        asked, uid = other_requests_of(pod), pod["metadata"]["uid"]
        left = tuple(one for one in self.residents if one["metadata"]["uid"] != uid)
        return replace(
            self,
            requested=self.requested - requests_of(pod),
            weighed=self.weighed - weight_of(pod),
            others={**self.others, **{name: self.others.get(name, 0) + amount for name, amount in asked.items()}},
            pods=self.pods - 1,
            host_ports=_ports(left) if host_ports_of(pod) else self.host_ports,
            residents=left,
        )


def requests_of(pod: Manifest) -> Amount:
    effective = pod_facts.held_requests(pod)
    return Amount(effective.cpu_milli, effective.memory_bytes)


def other_requests_of(pod: Manifest) -> dict[str, int]:
    """Extended resources, huge pages, ephemeral storage."""
    return dict(pod_facts.effective_requests(pod).others)


def weight_of(pod: Manifest) -> Amount:
    """The pod's requests for scoring (GetNonzeroRequests): best-effort pods count for a little, so that they spread."""
    asked = requests_of(pod)
    count = len(pod.get("spec", {}).get("containers", ()))
    return Amount(asked.cpu_milli or DEFAULT_CPU_MILLI * count, asked.memory or DEFAULT_MEMORY * count)


def host_ports_of(pod: Manifest) -> frozenset[tuple[str, str, int]]:
    spec = pod.get("spec", {})
    return frozenset(
        (port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", int(port["hostPort"]))
        for container in spec.get("containers", ())
        for port in container.get("ports", ())
        if port.get("hostPort")
    )


def _ports(pods: Iterable[Manifest]) -> frozenset[tuple[str, str, int]]:
    return frozenset().union(*(host_ports_of(pod) for pod in pods))


def holds_resources(pod: Manifest) -> bool:
    """A finished pod gives its resources back, a terminating one not yet."""
    return pod.get("status", {}).get("phase") not in {"Succeeded", "Failed"}


def _others_left(offer: Mapping[str, Any], pods: Iterable[Manifest]) -> dict[str, int]:
    left = {name: quantity.value(text) for name, text in offer.items() if name not in {"cpu", "memory", "pods"}}
    for pod in pods:
        for name, amount in other_requests_of(pod).items():
            left[name] = left.get(name, 0) - amount
    return left


def node_info(node: Manifest, pods: Iterable[Manifest], nominated: Iterable[Manifest] = ()) -> NodeInfo:
    """`pods` are the pods bound to this node."""
    here = tuple(pod for pod in pods if holds_resources(pod))
    spec, offer = node.get("spec", {}), node.get("status", {}).get("allocatable", {})
    return NodeInfo(
        name=node["metadata"]["name"],
        labels=node["metadata"].get("labels", {}),
        taints=spec.get("taints", ()),
        unschedulable=bool(spec.get("unschedulable")),
        allocatable=Amount(quantity.milli(offer.get("cpu", "0")), quantity.value(offer.get("memory", "0"))),
        allowed_pods=quantity.value(offer.get("pods", "0")),
        requested=sum((requests_of(pod) for pod in here), Amount()),
        weighed=sum((weight_of(pod) for pod in here), Amount()),
        others=_others_left(offer, here),
        pods=len(here),
        host_ports=_ports(here),
        residents=here,
        nominated=tuple(nominated),
    )


def node_infos(nodes: Iterable[Manifest], pods: Iterable[Manifest]) -> list[NodeInfo]:
    """One entry a node, in the order given, with the load of the pods bound to it and those nominated for it."""
    bound: dict[str, list[Manifest]] = {}
    nominated: dict[str, list[Manifest]] = {}
    for pod in pods:
        if name := pod.get("spec", {}).get("nodeName"):
            bound.setdefault(name, []).append(pod)
        elif name := nominated_node(pod):
            nominated.setdefault(name, []).append(pod)
    found = []
    for node in nodes:
        name = node["metadata"]["name"]
        found.append(node_info(node, bound.get(name, ()), nominated.get(name, ())))
    return found


def nominated_node(pod: Manifest) -> str:
    """The node on which room is being made for the pod, or ""."""
    return str((pod.get("status") or {}).get("nominatedNodeName") or "")
