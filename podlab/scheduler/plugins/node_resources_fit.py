"""Requests must fit into what the node has left (framework/plugins/noderesources: fit.go, least_allocated.go)."""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo, other_requests_of, requests_of, weight_of
from podlab.scheduler.plugins.interface import Rejection

TOO_MANY_PODS = "Too many pods"


def check(pod: Manifest, node: NodeInfo) -> Rejection | None:
    reasons: list[str] = []
    never = False  # more than the whole node: no preemption can help
    if node.pods + 1 > node.allowed_pods:
        reasons.append(TOO_MANY_PODS)
    asked = requests_of(pod)
    for name, want, used, whole in (
        ("cpu", asked.cpu_milli, node.requested.cpu_milli, node.allocatable.cpu_milli),
        ("memory", asked.memory, node.requested.memory, node.allocatable.memory),
    ):
        if want > 0 and want > whole - used:
            reasons.append(f"Insufficient {name}")
            never = never or want > whole
    for name, want in other_requests_of(pod).items():
        if want > node.others.get(name, 0):
            reasons.append(f"Insufficient {name}")
    return Rejection(tuple(reasons), resolvable=not never) if reasons else None


def least_allocated(pod: Manifest, node: NodeInfo) -> int:
    """0…100: the mean share of cpu and memory that would stay free."""
    load = node.weighed + weight_of(pod)
    shares = [
        max(whole - used, 0) * 100 // whole
        for whole, used in ((node.allocatable.cpu_milli, load.cpu_milli), (node.allocatable.memory, load.memory))
        if whole > 0
    ]
    return sum(shares) // len(shares) if shares else 0
