"""Which node, and in which words: texts as recorded from Kubernetes 1.36."""

from __future__ import annotations

from typing import Any

import pytest
from made import NO_VICTIMS, TAIL, UNHELPFUL, node, pod

from podlab.scheduler.cycle import schedule
from podlab.scheduler.nodes import node_infos

POOL = "node-role.podlab.dev/pool"


def required(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def matching(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


TAINT = {"key": "life", "value": "x", "effect": "NoSchedule"}

UNSCHEDULABLE: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]], str]] = {
    "a cluster without nodes": (pod(), [], [], "no nodes available to schedule pods"),
    "a request larger than any node": (
        pod(requests={"cpu": "500"}),
        [node("a")],
        [],
        f"0/1 nodes are available: 1 Insufficient cpu. {TAIL} 0/1 nodes are available: 1 {UNHELPFUL}.",
    ),
    "nodes that are full": (
        pod(requests={"cpu": "1200m"}),
        [node("a"), node("b")],
        [pod("x", requests={"cpu": "1200m"}, on="a"), pod("y", requests={"cpu": "1200m"}, on="b")],
        f"0/2 nodes are available: 2 Insufficient cpu. {TAIL} 0/2 nodes are available: 2 {NO_VICTIMS}.",
    ),
    "two resources lacking on one node": (
        pod(requests={"cpu": "1500m", "memory": "3Gi"}),
        [node("a")],
        [pod("x", requests={"cpu": "1", "memory": "2Gi"}, on="a")],
        f"0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. {TAIL} "
        f"0/1 nodes are available: 1 {NO_VICTIMS}.",
    ),
    "an extended resource that no node has": (
        pod(requests={"example.com/gpu": "1"}),
        [node("a")],
        [],
        f"0/1 nodes are available: 1 Insufficient example.com/gpu. {TAIL} 0/1 nodes are available: 1 {NO_VICTIMS}.",
    ),
    "the number of pods": (
        pod(),
        [node("a", pods="1")],
        [pod("x", on="a")],
        f"0/1 nodes are available: 1 Too many pods. {TAIL} 0/1 nodes are available: 1 {NO_VICTIMS}.",
    ),
    "a cordoned node": (
        pod(),
        [node("a", unschedulable=True)],
        [],
        f"0/1 nodes are available: 1 node(s) were unschedulable. {TAIL} 0/1 nodes are available: 1 {UNHELPFUL}.",
    ),
    "a taint that is not tolerated": (
        pod(),
        [node("a", taints=[TAINT])],
        [],
        f"0/1 nodes are available: 1 node(s) had untolerated taint(s). {TAIL} 0/1 nodes are available: 1 {UNHELPFUL}.",
    ),
    "a selector that no node matches": (
        pod(nodeSelector={POOL: "gold"}),
        [node("a")],
        [],
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. "
        f"{TAIL} 0/1 nodes are available: 1 {UNHELPFUL}.",
    ),
    "reasons of several nodes are sorted as strings": (
        pod(requests={"cpu": "1"}, nodeSelector={POOL: "gold"}),
        [node("a"), node("b", unschedulable=True), node("c", labels={POOL: "gold"}, cpu="1")],
        [pod("x", requests={"cpu": "500m"}, on="c")],
        "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector, "
        f"1 node(s) were unschedulable. {TAIL} 0/3 nodes are available: 1 {NO_VICTIMS}, 2 {UNHELPFUL}.",
    ),
    "a pod that must not preempt": (
        pod(requests={"cpu": "500"}, preemptionPolicy="Never"),
        [node("a")],
        [],
        f"0/1 nodes are available: 1 Insufficient cpu. {TAIL} not eligible due to preemptionPolicy=Never.",
    ),
    "a port of the host that is taken": (
        pod(ports=[{"containerPort": 80, "hostPort": 80}]),
        [node("a")],
        [pod("x", ports=[{"containerPort": 80, "hostPort": 80}], on="a")],
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. "
        f"{TAIL} 0/1 nodes are available: 1 {NO_VICTIMS}.",
    ),
    "a claim that does not exist": (
        pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "nope"}}]),
        [node("a")],
        [],
        '0/1 nodes are available: persistentvolumeclaim "nope" not found. not found',
    ),
    "a node pinned by name that is not there": (
        pod(affinity=required({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["z"]}]})),
        [node("a")],
        [],
        "0/1 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
        f"{TAIL} 0/1 nodes are available: 1 {UNHELPFUL}.",
    ),
    "devices are refused by name and not ignored": (
        pod(resourceClaims=[{"name": "gpu", "resourceClaimName": "g"}]),
        [node("a")],
        [],
        "0/1 nodes are available: podlab's scheduler does not honour spec.resourceClaims yet.",
    ),
}


@pytest.mark.parametrize("case", UNSCHEDULABLE)
def test_says_in_kubernetes_words_why_no_node_fits(case: str) -> None:
    wanted, nodes, pods, message = UNSCHEDULABLE[case]
    placement = schedule(wanted, node_infos(nodes, pods))
    assert placement.node is None
    assert placement.message == message
    assert placement.why


PLACED: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]], str]] = {
    "the emptier node": (
        pod(requests={"cpu": "500m"}),
        [node("a"), node("b")],
        [pod("x", requests={"cpu": "1"}, on="a")],
        "b",
    ),
    "pods without requests spread as well": (pod(), [node("a"), node("b")], [pod("x", on="a")], "b"),
    "a finished pod holds nothing": (
        pod(requests={"cpu": "1500m"}),
        [node("a")],
        [pod("x", requests={"cpu": "2"}, on="a", phase="Succeeded")],
        "a",
    ),
    "a tolerated taint": (
        pod(tolerations=[{"key": "life", "operator": "Exists"}]),
        [node("a", taints=[TAINT])],
        [],
        "a",
    ),
    "a toleration of everything reaches a cordoned node": (
        pod(tolerations=[{"operator": "Exists"}]),
        [node("a", unschedulable=True)],
        [],
        "a",
    ),
    "PreferNoSchedule only pushes away": (
        pod(),
        [node("a", taints=[{"key": "k", "effect": "PreferNoSchedule"}]), node("b")],
        [pod("x", requests={"cpu": "200m"}, on="b")],
        "b",
    ),
    "a selector": (pod(nodeSelector={POOL: "gold"}), [node("a"), node("b", labels={POOL: "gold"})], [], "b"),
    "a required term with NotIn": (
        pod(affinity=required(matching("kubernetes.io/hostname", "NotIn", "a"))),
        [node("a"), node("b")],
        [],
        "b",
    ),
    "a required term with Gt": (
        pod(affinity=required(matching("size", "Gt", "3"))),
        [node("a", labels={"size": "3"}), node("b", labels={"size": "4"})],
        [],
        "b",
    ),
    "any of several terms": (
        pod(affinity=required(matching("none", "Exists"), matching("kubernetes.io/hostname", "In", "b"))),
        [node("a"), node("b")],
        [],
        "b",
    ),
}


@pytest.mark.parametrize("case", PLACED)
def test_chooses(case: str) -> None:
    wanted, nodes, pods, chosen = PLACED[case]
    placement = schedule(wanted, node_infos(nodes, pods))
    assert placement.node == chosen
    assert placement.message == ""
    assert chosen in placement.why


def test_a_preferred_term_outweighs_a_little_load() -> None:
    affinity = {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 10, "preference": matching("kubernetes.io/hostname", "In", "a")}
            ]
        }
    }
    nodes, load = [node("a"), node("b")], [pod("x", requests={"cpu": "200m"}, on="a")]
    assert schedule(pod(affinity=affinity), node_infos(nodes, load)).node == "a"
    assert schedule(pod(), node_infos(nodes, load)).node == "b"


def test_ties_are_drawn_by_seed_and_name_and_never_by_uid() -> None:
    nodes = node_infos([node("a"), node("b"), node("c")], [])
    chosen = {schedule(pod(f"p{number}"), nodes, seed=7).node for number in range(30)}
    assert chosen == {"a", "b", "c"}
    again = pod("p1")
    again["metadata"]["uid"] = "another"
    assert schedule(again, nodes, seed=7).node == schedule(pod("p1"), nodes, seed=7).node


def test_keeps_the_reasons_of_each_rejected_node_beside_the_choice() -> None:
    placement = schedule(pod(), node_infos([node("a", unschedulable=True), node("b")], []))
    assert placement.node == "b"
    assert placement.reasons == {"a": ("node(s) were unschedulable",)}
    assert "a (node(s) were unschedulable)" in placement.why


@pytest.mark.parametrize(
    ("spec", "allocated", "condition", "counted"),
    [
        ("500m", "500m", {}, 500),
        ("800m", "500m", {"type": "PodResizePending", "reason": "Deferred"}, 800),
        ("5", "500m", {"type": "PodResizePending", "reason": "Infeasible"}, 500),
        ("300m", "300m", {"type": "PodResizeInProgress"}, 500),
    ],
)
def test_a_pod_that_is_being_resized_counts_for_what_it_may_have(
    spec: str, allocated: str, condition: dict[str, str], counted: int
) -> None:
    """Its container has 500m."""
    held = pod("held", requests={"cpu": spec}, on="a", phase="Running")
    held["status"]["conditions"] = [condition] if condition else []
    entry = {"name": "main", "allocatedResources": {"cpu": allocated}, "resources": {"requests": {"cpu": "500m"}}}
    held["status"]["containerStatuses"] = [entry]
    (info,) = node_infos([node("a")], [held])
    assert info.requested.cpu_milli == counted
