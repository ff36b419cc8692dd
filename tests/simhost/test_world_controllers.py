"""The controllers of a simulated cluster run in its world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simhost_played import Played, pod


def config(name: str, *owners: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": name, "ownerReferences": list(owners)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def ref(owner: dict[str, Any]) -> dict[str, Any]:
    meta = owner["metadata"]
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": meta["name"], "uid": meta["uid"]}


def test_dependents_go_and_namespaces_end(play: Callable[..., Played]) -> None:
    lab = play()
    lab.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    owner = lab.client.create("configmaps", config("owner"), namespace="default").obj
    lab.client.create("configmaps", config("child", ref(owner)), namespace="default")
    lab.client.delete("configmaps", "default", "owner")
    lab.client.delete("namespaces", "", "team")
    lab.to(1)
    assert lab.client.find("configmaps", "default", "child") is None
    assert lab.client.find("namespaces", "", "team") is None


def test_a_node_that_is_gone_again_holds_nothing_up(play: Callable[..., Played]) -> None:
    lab = play()
    lab.client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "brief"}})
    lab.client.delete("nodes", "", "brief")
    owner = lab.client.create("configmaps", config("owner"), namespace="default").obj
    lab.client.create("configmaps", config("child", ref(owner)), namespace="default")
    lab.client.delete("configmaps", "default", "owner")
    lab.to(1)
    assert lab.world.nodes == ["node-a"]
    assert lab.client.find("configmaps", "default", "child") is None


CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {
        "storageClassName": "standard",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
}


def writer(name: str, script: str, **volume: Any) -> dict[str, Any]:
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    source = volume or {"persistentVolumeClaim": {"claimName": "data"}}
    made = pod(name, "sh", "-c", script, container=mount, volumes=[{"name": "data", **source}], restartPolicy="Never")
    made["spec"]["automountServiceAccountToken"] = False
    return made


def test_a_claim_is_made_bound_and_kept_for_the_next_pod(play: Callable[..., Played]) -> None:
    lab = play(nodes=("node-a", "node-b"))
    lab.create(writer("first", "echo hello > /data/word"))
    lab.to(2)
    missing = '0/2 nodes are available: persistentvolumeclaim "data" not found. not found'
    assert ("FailedScheduling", missing) in lab.events()
    lab.client.create("persistentvolumeclaims", CLAIM, namespace="default")
    lab.to(20)
    assert lab.phase("first") == "Succeeded"
    home = lab.client.get("pods", "default", "first").obj["spec"]["nodeName"]
    lab.client.delete("pods", "default", "first")
    lab.create(writer("second", "cat /data/word"))
    lab.to(40)
    second = lab.client.get("pods", "default", "second").obj
    assert (second["status"]["phase"], second["spec"]["nodeName"]) == ("Succeeded", home)
    reasons = [reason for reason, _ in lab.events()]
    for reason in ("ExternalProvisioning", "Provisioning", "ProvisioningSucceeded"):
        assert reason in reasons
    lab.client.delete("persistentvolumeclaims", "default", "data")
    lab.to(41)
    assert lab.client.find("persistentvolumeclaims", "default", "data") is not None  # the pod object is there
    lab.client.delete("pods", "default", "second")
    lab.to(45)
    assert lab.client.list("persistentvolumes", None).items == []
    assert lab.world.next_due is None or lab.world.next_due > lab.now  # nothing is looked at again and again


def test_a_claim_of_the_pods_own_goes_with_it(play: Callable[..., Played]) -> None:
    lab = play()
    template = {"volumeClaimTemplate": {"spec": CLAIM["spec"]}}
    lab.create(writer("p", "echo x > /data/word; cat /data/word", ephemeral=template))
    lab.to(20)
    assert lab.phase("p") == "Succeeded"
    assert lab.client.get("persistentvolumeclaims", "default", "p-data").obj["status"]["phase"] == "Bound"
    lab.client.delete("pods", "default", "p")
    lab.to(25)
    assert lab.client.find("persistentvolumeclaims", "default", "p-data") is None
    assert lab.client.list("persistentvolumes", None).items == []
