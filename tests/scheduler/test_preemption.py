"""Who must go so that a more important pod fits, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from made import NO_VICTIMS, TAIL, UNHELPFUL, apart, app, node, pod, term

from podlab.scheduler.cycle import Placement, Surroundings, schedule
from podlab.scheduler.nodes import node_infos

FULL = "Insufficient cpu"


def low(name: str, on: str, cpu: str = "1", priority: int = 0, begun: str = "", **more: Any) -> dict[str, Any]:
    status = {"startTime": f"2026-11-21T0{begun}:00:00Z"} if begun else {}
    return pod(name, on=on, requests={"cpu": cpu}, priority=priority, status=status | more.pop("status", {}), **more)


def high(cpu: str = "1500m", **more: Any) -> dict[str, Any]:
    return pod("high", requests={"cpu": cpu}, priority=more.pop("priority", 1000), **more)


def place(wanted: dict[str, Any], nodes: list[dict[str, Any]], there: list[dict[str, Any]], *budgets: Any) -> Placement:
    return schedule(wanted, node_infos(nodes, there), around=Surroundings(budgets=budgets))


def budget(app: str, allowed: int, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "b", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": app}}},
        "status": {"disruptionsAllowed": allowed, **status},
    }


A, B = node("a"), node("b")

# The pod, those that are there, the node where room is made, and who must go there.
GOES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[Any], str, list[str]]] = {
    "the only one": (high(), [low("x", "a"), low("y", "b", priority=2000)], [], "a", ["x"]),
    "no more than needed": (high("1"), [low("x", "a"), low("y", "a"), low("z", "b", "2", 2000)], [], "a", ["y"]),
    "the less important": (
        high("1"),
        [low("x", "a", priority=1), low("y", "a", priority=2), low("z", "b", "2", 2000)],
        [],
        "a",
        ["x"],
    ),
    "of equals the younger": (
        high("1"),
        [low("x", "a", begun="2"), low("y", "a", begun="1"), low("z", "b", "2", 2000)],
        [],
        "a",
        ["x"],
    ),
    "where the most important victim is least important": (
        high("2"),
        [low("x", "a", "2", 5), low("y", "b"), low("z", "b")],
        [],
        "b",
        ["y", "z"],
    ),
    "where they are fewer": (high("2"), [low("x", "a"), low("y", "a"), low("z", "b", "2")], [], "b", ["z"]),
    "where they began last": (
        high("2"),
        [low("x", "a", "2", begun="1"), low("z", "b", "2", begun="2")],
        [],
        "b",
        ["z"],
    ),
    "where no budget is violated, though they are more important": (
        high("2"),
        [low("x", "a", "2", labels={"app": "kept"}), low("z", "b", "2", 5)],
        [budget("kept", 0)],
        "b",
        ["z"],
    ),
    "of two on a node the one without a budget": (
        high("1"),
        [low("x", "a", labels={"app": "kept"}), low("y", "a", priority=5), low("z", "b", "2", 2000)],
        [budget("kept", 0)],
        "a",
        ["y"],
    ),
    "one that its budget allows": (
        high("1"),
        [low("x", "a", labels={"app": "kept"}), low("y", "a", priority=5), low("z", "b", "2", 2000)],
        [budget("kept", 1)],
        "a",
        ["x"],
    ),
    "one that was let go already": (
        high("1"),
        [low("x", "a", labels={"app": "kept"}), low("y", "a", priority=5), low("z", "b", "2", 2000)],
        [budget("kept", 0, disruptedPods={"x": "2026-11-21T02:00:00Z"})],
        "a",
        ["x"],
    ),
    "a protected one if there is no other way": (
        high("2"),
        [low("x", "a", "2", labels={"app": "kept"}), low("z", "b", "2", 2000)],
        [budget("kept", 0)],
        "a",
        ["x"],
    ),
    "one that keeps it away": (
        app("p", priority=1),
        [pod("x", on="a", **apart(term())), pod("z", on="b", priority=5, **apart(term()))],
        [],
        "a",
        ["x"],
    ),
    "one that has its port": (
        pod(ports=[{"containerPort": 1, "hostPort": 1}], priority=1),
        [pod("x", on="a", ports=[{"containerPort": 1, "hostPort": 1}]), pod("y", on="a"), pod("z", on="b", priority=5, ports=[{"containerPort": 1, "hostPort": 1}])],
        [],
        "a",
        ["x"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GOES)
def test_who_goes(case: str) -> None:
    wanted, there, budgets, where, victims = GOES[case]
    placement = place(wanted, [A, B], there, *budgets)
    assert placement.node is None
    assert placement.nominated == where
    assert [one["metadata"]["name"] for one in placement.victims] == victims
    assert f"must leave {where}" in placement.why


def test_the_event_of_a_pod_that_makes_room_says_only_what_the_filters_said() -> None:
    placement = place(high(), [A, B], [low("x", "a"), low("y", "b")])
    assert placement.message == f"0/2 nodes are available: 2 {FULL}."
    assert placement.why.endswith("To make room, x (priority 0) must leave a. Victims elsewhere: b 1.")


STAYS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], str, str | None]] = {
    "nobody is less important": (
        high(),
        [low("x", "a", priority=1000), low("y", "b", priority=1001)],
        f"0/2 nodes are available: 2 {NO_VICTIMS}.",
        "",
    ),
    "even the end of all others is not enough": (
        high("2"),
        [low("x", "a"), low("z", "a", priority=2000), low("y", "b", priority=1001)],
        f"0/2 nodes are available: 1 {FULL}, 1 {NO_VICTIMS}.",
        "",
    ),
    "the node could never take it": (
        high("3"),
        [low("x", "a"), low("y", "b")],
        f"0/2 nodes are available: 2 {UNHELPFUL}.",
        "",
    ),
    "it must not": (
        high(preemptionPolicy="Never"),
        [low("x", "a"), low("y", "b")],
        "not eligible due to preemptionPolicy=Never.",
        None,
    ),
    "its victims are still ending": (
        high(status={"nominatedNodeName": "a"}),
        [
            low("x", "a", ending=True, status={"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]}),
            low("y", "b"),
        ],
        "not eligible due to a terminating pod on the nominated node.",
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STAYS)
def test_nobody_goes(case: str) -> None:
    wanted, there, told, nominated = STAYS[case]
    placement = place(wanted, [A, B], there)
    assert placement.victims == ()
    assert placement.message == f"0/2 nodes are available: 2 {FULL}. {TAIL} {told}"
    assert placement.nominated == nominated


def test_an_ending_pod_that_nobody_preempted_does_not_stop_it() -> None:
    wanted = high(status={"nominatedNodeName": "a"})
    assert [one["metadata"]["name"] for one in place(wanted, [A], [low("x", "a", ending=True)]).victims] == ["x"]


def test_room_that_is_being_made_is_not_for_the_less_important() -> None:
    kept = high(status={"nominatedNodeName": "a"})
    assert place(low("late", "", "1"), [A], [kept]).message.startswith(f"0/1 nodes are available: 1 {FULL}.")
    assert "room is kept there for default/high" in place(low("late", "", "1"), [A], [kept]).why
    assert place(low("vip", "", "1", 2000), [A], [kept]).node == "a"


def test_a_pod_goes_where_room_was_made_for_it_though_another_node_is_emptier() -> None:
    wanted = high(status={"nominatedNodeName": "a"})
    placement = place(wanted, [A, B], [low("x", "a", "200m"), wanted])
    assert placement.node == "a"
    assert "the room that was made there" in placement.why
