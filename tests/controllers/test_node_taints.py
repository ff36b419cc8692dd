"""Taints of nodes: the one of a cordon, and pods that must leave."""

from __future__ import annotations

from typing import Any

import pytest
from controllers_driven import Driven

from podlab.apis.types import Manifest
from podlab.controllers.taint_eviction import tolerated_seconds

pytestmark = pytest.mark.django_db

OUT = {"key": "out", "effect": "NoExecute"}
LATE = {"key": "late", "effect": "NoExecute"}


def pod(driven: Driven, name: str, *tolerations: Manifest) -> None:
    spec = {"nodeName": "n", "containers": [{"name": "c", "image": "x"}], "tolerations": list(tolerations)}
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    driven.client.create("pods", obj, namespace="default")


def node(driven: Driven) -> None:
    driven.client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})
    patch(driven, taints=None)


def patch(driven: Driven, **spec: Any) -> None:
    driven.client.patch("nodes", "", "n", "application/merge-patch+json", {"spec": spec})
    driven.settle(0)


def for_a_while(seconds: int) -> Manifest:
    return {**OUT, "operator": "Exists", "tolerationSeconds": seconds}


def taints(driven: Driven) -> list[str]:
    found = driven.client.get("nodes", "", "n").obj["spec"].get("taints") or []
    return [f"{taint['key']}:{taint['effect']}" for taint in found]


def going(driven: Driven) -> list[str]:
    """The pods that are gone or on their way."""
    left = {item.key.name for item in driven.client.list("pods", "default").items if not is_leaving(item.obj)}
    return sorted({"a", "b"} - left)


def is_leaving(obj: Manifest) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def said(driven: Driven) -> list[str]:
    return [message for component, _, message in driven.events() if component == "taint-eviction-controller"]


def test_a_cordon_is_a_taint_beside_others(driven: Driven) -> None:
    node(driven)
    patch(driven, taints=[{"key": "k", "effect": "NoSchedule"}])
    patch(driven, unschedulable=True)
    assert taints(driven) == ["k:NoSchedule", "node.kubernetes.io/unschedulable:NoSchedule"]
    patch(driven, unschedulable=None)
    assert taints(driven) == ["k:NoSchedule"]


def test_who_does_not_tolerate_goes_at_once(driven: Driven) -> None:
    node(driven)
    pod(driven, "a")
    pod(driven, "b", {"key": "out", "operator": "Exists"})
    patch(driven, taints=[OUT])
    assert going(driven) == ["a"]
    assert said(driven) == ["Marking for deletion Pod default/a"]
    (condition,) = (
        one
        for one in driven.client.get("pods", "default", "a").obj["status"]["conditions"]
        if one["type"] == "DisruptionTarget"
    )
    assert (condition["status"], condition["reason"], condition["message"]) == (
        "True",
        "DeletionByTaintManager",
        "Taint manager: deleting due to NoExecute taint",
    )


def test_who_tolerates_for_a_while_goes_then(driven: Driven) -> None:
    node(driven)
    pod(driven, "a", for_a_while(6))
    pod(driven, "b", for_a_while(60))
    patch(driven, taints=[OUT])
    assert going(driven) == []
    driven.settle(10)
    assert going(driven) == ["a"]


def test_a_taint_that_goes_in_time_ends_nobody(driven: Driven) -> None:
    node(driven)
    pod(driven, "a", for_a_while(6))
    pod(driven, "b")
    patch(driven, taints=[{**OUT, "effect": "NoSchedule"}])
    patch(driven, taints=[OUT])
    patch(driven, taints=None)
    driven.settle(10)
    assert going(driven) == ["b"]
    assert sorted(said(driven)) == ["Cancelling deletion of Pod default/a", "Marking for deletion Pod default/b"]


def test_a_pod_that_comes_to_a_tainted_node_goes(driven: Driven) -> None:
    node(driven)
    patch(driven, taints=[OUT])
    pod(driven, "a")
    driven.settle(0)
    assert going(driven) == ["a", "b"]  # there is no b


def test_a_new_process_looks_at_what_is_there(driven: Driven) -> None:
    node(driven)
    pod(driven, "a")
    pod(driven, "b", {"operator": "Exists"})
    driven.client.patch("nodes", "", "n", "application/merge-patch+json", {"spec": {"taints": [OUT]}})
    driven.take_up()
    driven.settle(0)
    assert going(driven) == ["a"]


@pytest.mark.parametrize(
    ("on_node", "tolerations", "seconds"),
    [
        ([], [], None),
        ([OUT], [], 0.0),
        ([OUT], [{"key": "out", "operator": "Exists"}], None),
        ([OUT], [{"key": "out", "operator": "Exists", "effect": "NoSchedule"}], 0.0),
        ([OUT], [{"operator": "Exists", "tolerationSeconds": 5}], 5.0),
        ([OUT], [{"operator": "Exists", "tolerationSeconds": -5}], 0.0),
        ([OUT, LATE], [{"key": "out", "operator": "Exists", "tolerationSeconds": 5}], 0.0),
        (
            [OUT, LATE],
            [
                {"key": "out", "operator": "Exists", "tolerationSeconds": 5},
                {"operator": "Exists", "tolerationSeconds": 3},
            ],
            3.0,
        ),
        ([OUT], [{"operator": "Exists"}, {"key": "out", "operator": "Exists", "tolerationSeconds": 3}], None),
    ],
)
def test_for_how_long(on_node: list[Manifest], tolerations: list[Manifest], seconds: float | None) -> None:
    assert tolerated_seconds(on_node, tolerations) == seconds
