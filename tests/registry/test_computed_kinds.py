"""What nobody stores: usage of pods and nodes, and the lab's roles and grants as rbac objects."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from registry_samples import START, refusal

from podlab import clock
from podlab.apis.types import Manifest
from podlab.registry import authorizer, clusters, identity
from podlab.registry.client import Client
from podlab.storage import usage
from podlab.storage.usage import Usage

PODS = "pods.metrics.k8s.io"
NODES = "nodes.metrics.k8s.io"


def running(client: Client, name: str, **labels: str) -> str:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]},
    }
    stored = client.create("pods", pod, namespace="default").stored
    assert stored is not None
    return stored.uid


def measured(pod: str, uid: str, container: str, cpu: int, memory: int, *, age: float = 0) -> Usage:
    return Usage(
        cluster="main", node="node-1", namespace="default", pod=pod, pod_uid=uid, container=container, at=START,
        wall=clock.wall_now() - timedelta(seconds=age), window=15, cpu_nano_cores=cpu, memory_bytes=memory,
    )  # fmt: skip


def items(client: Client, key: str, **more: Any) -> list[Manifest]:
    return [stored.obj for stored in client.list(key, more.pop("namespace", None), **more).items]


def test_pods_and_nodes_use_what_was_published(client: Client) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}
    client.create("nodes", node)
    uid = running(client, "p", app="x")
    rows = [measured("p", uid, "a", 1_500_001, 4096), measured("p", uid, "b", 500_000, 1_048_576)]
    usage.replace("main", rows, nodes=["node-1"])
    found = client.get(PODS, "default", "p").obj
    assert (found["apiVersion"], found["kind"], found["window"]) == ("metrics.k8s.io/v1beta1", "PodMetrics", "15s")
    assert found["timestamp"] == "2026-11-21T02:00:00Z"
    assert found["containers"] == [
        {"name": "a", "usage": {"cpu": "1501u", "memory": "4Ki"}},
        {"name": "b", "usage": {"cpu": "500u", "memory": "1024Ki"}},
    ]
    assert items(client, NODES)[0]["usage"] == {"cpu": "2001u", "memory": "1028Ki"}
    assert items(client, PODS, label_selector="app=y") == []
    assert len(items(client, PODS, namespace="default", label_selector="app=x")) == 1
    assert refusal(client.get, PODS, "default", "q").message == 'pods.metrics.k8s.io "q" not found'


def test_the_next_figures_take_the_place_of_the_last(client: Client) -> None:
    first, second = running(client, "p"), running(client, "q")
    usage.replace("main", [measured("p", first, "a", 1, 1)], nodes=["node-1"])
    usage.replace("main", [measured("q", second, "a", 1, 1)], nodes=["node-1"])
    assert [item["metadata"]["name"] for item in items(client, PODS)] == ["q"]
    client.delete("pods", "default", "q", grace=0)
    assert items(client, PODS) == [], "a pod that is gone uses nothing"
    usage.replace("none", [], nodes=["node-1"])


def test_a_ready_node_without_pods_uses_nothing(client: Client) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    for name, status in (("busy", ready), ("lost", {})):
        client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
        client.update_status("nodes", "", name, lambda node, status=status: node.update(status=status))
    found = {item["metadata"]["name"]: item["usage"] for item in items(client, NODES)}
    assert found == {"busy": {"cpu": "0u", "memory": "0Ki"}}


def test_a_node_that_fell_silent_is_not_believed(client: Client) -> None:
    uid = running(client, "p")
    usage.replace("main", [measured("p", uid, "a", 1, 1, age=3600)], nodes=["node-1"])
    assert len(items(client, PODS)) == 1, "a simulated cluster that rests says nothing new"
    clusters.ensure_main("docker")
    assert items(client, PODS) == []


def test_grants_are_shown_as_bindings(client: Client) -> None:
    ada = User.objects.create_user("ada")
    identity.grant(ada, authorizer.STUDENT, cluster="main", namespace="default")
    identity.grant(ada, authorizer.VIEWER, cluster="other", namespace="default")
    identity.grant(ada, authorizer.VIEWER, cluster="main")
    bindings = items(client, "rolebindings.rbac.authorization.k8s.io", namespace="default")
    assert [item["metadata"]["name"] for item in bindings] == ["podlab:student:ada"]
    assert bindings[0]["roleRef"]["name"] == "podlab:student"
    assert bindings[0]["subjects"] == [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ada"}]
    everywhere = items(client, "clusterrolebindings.rbac.authorization.k8s.io")
    names = [item["metadata"]["name"] for item in everywhere]
    assert "podlab:viewer:ada" in names
    assert names == sorted(names)
    masters = next(item for item in everywhere if item["metadata"]["name"] == "cluster-admin")
    assert masters["subjects"][0]["name"] == "system:masters"


def test_the_rules_of_a_role_are_what_it_may(client: Client) -> None:
    role = client.get("clusterroles.rbac.authorization.k8s.io", "", "podlab:student").obj
    granted = {(verb, name) for rule in role["rules"] for name in rule.get("resources", []) for verb in rule["verbs"]}
    assert ("create", "pods/exec") in granted
    assert ("update", "pods/status") not in granted
    admin = client.get("clusterroles.rbac.authorization.k8s.io", "", "podlab:admin").obj
    assert {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]} in admin["rules"]
    assert items(client, "roles.rbac.authorization.k8s.io") == []
