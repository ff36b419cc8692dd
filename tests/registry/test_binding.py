"""How a pod gets its node."""

from __future__ import annotations

import pytest
from registry_samples import START_TEXT, made, meta_of, pod, refusal

from podlab.registry.client import Client

pytestmark = pytest.mark.django_db


def test_binding_sets_the_node_and_says_so(client: Client) -> None:
    made(client, pod())
    stored = client.bind("default", "p", "node-a", annotations={"a": "b"}, why="It fits best.")
    assert stored is not None
    assert stored.obj["spec"]["nodeName"] == "node-a"
    assert stored.obj["status"]["conditions"] == [
        {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": START_TEXT}
    ]
    assert meta_of(stored.obj)["annotations"] == {"a": "b"}
    assert meta_of(stored.obj)["generation"] == 1


def test_a_pod_is_bound_once(client: Client) -> None:
    made(client, pod())
    client.bind("default", "p", "node-a")
    error = refusal(client.bind, "default", "p", "node-b")
    assert (error.code, error.details) == (409, {"name": "p", "kind": "pods/binding"})
    assert error.message == (
        'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "node-a"'
    )


def test_a_pod_that_is_going_is_not_bound(client: Client) -> None:
    held = pod()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    made(client, held)
    client.delete("pods", "default", "p")
    assert "is being deleted, cannot be assigned to a host" in refusal(client.bind, "default", "p", "n").message


def test_a_gated_pod_is_not_bound_until_its_gates_open(client: Client) -> None:
    gated = made(client, pod(schedulingGates=[{"name": "example.com/wait"}]))
    assert gated["status"]["conditions"][0]["reason"] == "SchedulingGated"
    assert "has non-empty .spec.schedulingGates" in refusal(client.bind, "default", "p", "n").message
    spec = {name: value for name, value in gated["spec"].items() if name != "schedulingGates"}
    opened = client.update("pods", "default", "p", {**gated, "spec": spec}).obj
    assert "conditions" not in opened["status"]
    assert client.bind("default", "p", "n") is not None


def test_other_refusals(client: Client) -> None:
    assert refusal(client.bind, "default", "none", "n").code == 404
    made(client, pod())
    nowhere = refusal(client.bind, "default", "p", "")
    assert (nowhere.code, nowhere.message) == (500, "target.name: Required value")
    assert refusal(client.bind, "default", "p", "n", uid="other").code == 409
    assert client.bind("default", "p", "n", dry_run=True) is None
    assert "nodeName" not in client.get("pods", "default", "p").obj["spec"]
