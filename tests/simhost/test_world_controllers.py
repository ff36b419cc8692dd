"""The controllers of a simulated cluster run in its world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simhost_played import Played


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
