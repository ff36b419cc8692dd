"""Pods that want to be near or apart, and pods that spread: the words of Kubernetes 1.36, and where they go."""

from __future__ import annotations

from typing import Any

import pytest
from made import NO_VICTIMS, TAIL, UNHELPFUL, ZONE, apart, app, near, node, pod, rather, spread, term

from podlab.scheduler.cycle import Surroundings, schedule
from podlab.scheduler.nodes import node_infos

NEAR = "node(s) didn't match pod affinity rules"
APART = "node(s) didn't match pod anti-affinity rules"
KEPT_OUT = "node(s) didn't satisfy existing pods anti-affinity rules"
UNEVEN = "node(s) didn't match pod topology spread constraints"

NODES = [node(name, labels={ZONE: zone}) for name, zone in (("a", "x"), ("b", "x"), ("c", "y"))]
NAMESPACES = {"default": {"team": "blue"}, "red": {"team": "red"}}

Case = tuple[dict[str, Any], list[dict[str, Any]], set[str]]

# The pod, those that are there, the nodes on which it may go.
MAY_GO: dict[str, Case] = {
    "beside a pod on the same host": (pod(**near(term())), [app("w", "a")], {"a"}),
    "in the same zone": (pod(**near(term(key=ZONE))), [app("w", "a")], {"a", "b"}),
    "every term by a pod that matches all of them": (
        pod(**near(term(), term(key=ZONE))),
        [app("w", "a"), app("other", "c", of="db")],
        {"a"},
    ),
    "terms that only different pods match find nobody": (
        pod(**near(term("web", ZONE), term("db", ZONE))),
        [app("w", "a"), app("d", "b", of="db")],
        set(),
    ),
    "the first of a group that wants itself goes anywhere": (app("p", **near(term(key=ZONE))), [], {"a", "b", "c"}),
    "the second one goes to the first": (app("p", **near(term(key=ZONE))), [app("w", "c")], {"c"}),
    "not the first if it does not match itself": (pod(**near(term())), [], set()),
    "a pod of another namespace is not meant": (pod(**near(term())), [app("w", "a", namespace="red")], set()),
    "unless the term names its namespace": (
        pod(**near(term(namespaces=["red"]))),
        [app("w", "a", namespace="red"), app("v", "c")],
        {"a"},
    ),
    "or selects it by its labels": (
        pod(**near(term(namespaceSelector={"matchLabels": {"team": "red"}}))),
        [app("w", "a", namespace="red"), app("v", "c")],
        {"a"},
    ),
    "an empty selector of namespaces means all": (
        pod(**near(term(namespaceSelector={}))),
        [app("w", "a", namespace="red"), app("v", "c")],
        {"a", "c"},
    ),
    "a selector is missing: no pod is meant": (pod(**near(term(None))), [app("w", "a")], set()),
    "finished pods do not count, ending ones do": (
        pod(**near(term())),
        [app("w", "a", phase="Succeeded"), app("v", "b", ending=True)],
        {"b"},
    ),
    "apart from a pod on the same host": (pod(**apart(term())), [app("w", "a")], {"b", "c"}),
    "apart from a pod in the same zone": (pod(**apart(term(key=ZONE))), [app("w", "a")], {"c"}),
    "any term of several keeps it apart": (
        pod(**apart(term(), term("db", ZONE))),
        [app("w", "a"), app("d", "c", of="db")],
        {"b"},
    ),
    "nodes without the label are no domain": (pod(**apart(term(key="rack"))), [app("w", "a")], {"a", "b", "c"}),
    "who is there keeps others out": (app("p"), [pod("loner", on="a", **apart(term(key=ZONE)))], {"c"}),
    "but not out of other namespaces": (
        app("p", namespace="red"),
        [pod("loner", on="a", **apart(term(key=ZONE)))],
        {"a", "b", "c"},
    ),
    "or also there": (
        app("p", namespace="red"),
        [pod("loner", on="a", **apart(term(key=ZONE, namespaceSelector={"matchLabels": {"team": "red"}})))],
        {"c"},
    ),
    "zones stay even": (app("p", **spread()), [app("w", "a")], {"c"}),
    "with more skew not so even": (app("p", **spread(skew=2)), [app("w", "a")], {"a", "b", "c"}),
    "hosts stay even": (app("p", **spread("kubernetes.io/hostname")), [app("w", "a"), app("v", "c")], {"b"}),
    "a pod that its constraint does not count adds nothing": (pod(**spread()), [app("w", "a")], {"a", "b", "c"}),
    "pods of other namespaces and ending ones do not count": (
        app("p", **spread()),
        [app("w", "a", namespace="red"), app("v", "b", ending=True)],
        {"a", "b", "c"},
    ),
    "too few domains: the least is none": (app("p", **spread(minDomains=3)), [app("w", "a"), app("v", "c")], set()),
    "domains enough": (app("p", **spread(minDomains=2)), [app("w", "a"), app("v", "c")], {"a", "b", "c"}),
    "nodes that the pod may not go to are no domains": (
        app("p", nodeSelector={ZONE: "x"}, **spread()),
        [app("w", "a"), app("v", "a")],
        {"a", "b"},
    ),
    "unless its policy ignores that": (
        app("p", nodeSelector={ZONE: "x"}, **spread(nodeAffinityPolicy="Ignore")),
        [app("w", "a"), app("v", "a")],
        set(),
    ),
}


@pytest.mark.parametrize("case", MAY_GO)
def test_which_nodes_fit(case: str) -> None:
    wanted, there, nodes = MAY_GO[case]
    placement = schedule(wanted, node_infos(NODES, there), around=Surroundings(namespaces=NAMESPACES))
    fits = {"a", "b", "c"} - placement.reasons.keys()
    assert fits == nodes
    assert (placement.node in nodes) if nodes else placement.node is None


TAINTED = node("t", labels={ZONE: "z"}, taints=[{"key": "k", "effect": "NoSchedule"}])


@pytest.mark.parametrize(("policy", "fits"), [("Ignore", set()), ("Honor", {"a"})])
def test_whether_tainted_nodes_are_domains(policy: str, fits: set[str]) -> None:
    wanted = app("p", **spread(nodeTaintsPolicy=policy))
    placement = schedule(wanted, node_infos([NODES[0], TAINTED], [app("w", "a")]))
    assert ({placement.node} if placement.node else set()) == fits


def message(nodes: int, filtered: str, preempted: str) -> str:
    return f"0/{nodes} nodes are available: {filtered}. {TAIL} 0/{nodes} nodes are available: {preempted}."


SAYS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], str, str]] = {
    "affinity, which preemption cannot mend": (pod(**near(term())), [], f"3 {NEAR}", f"3 {UNHELPFUL}"),
    "anti-affinity": (
        pod(**apart(term(key=ZONE))),
        [app("w", "a"), app("v", "c")],
        f"3 {APART}",
        f"3 {NO_VICTIMS}",
    ),
    "the anti-affinity of pods that are there": (
        app("p"),
        [pod("l", on="a", **apart(term(key=ZONE))), pod("m", on="c", **apart(term()))],
        f"3 {KEPT_OUT}",
        f"3 {NO_VICTIMS}",
    ),
    "spreading": (
        app("p", nodeSelector={ZONE: "x"}, **spread(nodeAffinityPolicy="Ignore")),
        [app("w", "a")],
        f"1 node(s) didn't match Pod's node affinity/selector, 2 {UNEVEN}",
        f"1 {UNHELPFUL}, 2 {NO_VICTIMS}",
    ),
    "no label to spread over": (
        app("p", **spread("rack")),
        [],
        f"3 {UNEVEN} (missing required label)",
        f"3 {UNHELPFUL}",
    ),
}


@pytest.mark.parametrize("case", SAYS)
def test_says_in_kubernetes_words(case: str) -> None:
    wanted, there, filtered, preempted = SAYS[case]
    placement = schedule(wanted, node_infos(NODES, there))
    assert placement.message == message(3, filtered, preempted)


def test_says_for_each_node_what_stands_against_it() -> None:
    placement = schedule(app("p", **apart(term())), node_infos(NODES, [app(f"w-{name}", name) for name in "abc"]))
    assert f"b: {APART} (default/w-b is in kubernetes.io/hostname=b)" in placement.why
    uneven = schedule(app("p", **spread(skew=1, minDomains=3)), node_infos(NODES, [app("w", "a"), app("v", "c")]))
    told = (
        "topology.kubernetes.io/zone=y would have 2 of these pods and the least is 0 as there are fewer than 3 domains"
    )
    assert f"c: {UNEVEN} ({told} with maxSkew 1)" in uneven.why


# A little load on each node but one: without the preference that one would be chosen.
CHOOSES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], set[str]]] = {
    "near a pod that it likes": (pod(**rather(10, term())), [app("w", "a")], {"a"}),
    "in the zone of one that it likes": (pod(**rather(10, term(key=ZONE))), [app("w", "a")], {"a", "b"}),
    "away from one that it dislikes": (
        pod(**rather(10, term(key=ZONE), "podAntiAffinity")),
        [app("w", "a"), app("big", "c", of="db", requests={"cpu": "1"})],
        {"c"},
    ),
    "near one that likes it": (app("p"), [pod("w", on="a", **rather(50, term()))], {"a"}),
    "near one that needs it": (app("p"), [pod("w", on="a", **near(term()))], {"a"}),
    "away from one that dislikes it": (
        app("p"),
        [pod("w", on="a", **rather(50, term(key=ZONE), "podAntiAffinity")), pod("v", on="c", requests={"cpu": "1"})],
        {"c"},
    ),
    "where fewer of its kind are": (
        app("p", **spread(hard=False)),
        [app("w", "a"), pod("big", on="c", requests={"cpu": "1"})],
        {"c"},
    ),
    "on the host with fewest of its kind": (
        app("p", **spread("kubernetes.io/hostname", hard=False)),
        [app("w", "a"), app("v", "c"), pod("big", on="b", requests={"cpu": "1"})],
        {"b"},
    ),
}


@pytest.mark.parametrize("case", CHOOSES)
def test_prefers(case: str) -> None:
    wanted, there, chosen = CHOOSES[case]
    assert schedule(wanted, node_infos(NODES, there)).node in chosen
