"""What a simulated cluster decides, it can say in Chinese: no `why` that it stores lacks a template."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from simhost_played import Played, pod

from podlab.glance import whys
from podlab.storage import history
from podlab.web import patterns

Play = Callable[..., Played]
pytestmark = pytest.mark.django_db(transaction=True)

RESOURCES = {"Pod": "pods", "ConfigMap": "configmaps"}


def stored(lab: Played) -> set[str]:
    """Of the change log, events among it, and of every run."""
    entries = lab.log()
    runs = [run for uid in {entry.uid for entry in entries} for run in history.runs_of(lab.name, uid)]
    return {*(entry.why for entry in entries), *(run.start_why for run in runs), *(run.stop_why for run in runs)}


def messages(node: object) -> Iterator[str]:
    """The words of Kubernetes: what objects say in a `message`."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "message" and isinstance(value, str):
                yield value
            else:
                yield from messages(value)
    elif isinstance(node, list):
        for value in node:
            yield from messages(value)


def lacking(lab: Played) -> list[tuple[str, str]]:
    """(why, the part of it that no template fits), unless that part is a message of Kubernetes."""
    said = "\n".join({text for entry in lab.log() for text in messages(json.loads(entry.body or "{}"))})
    return sorted((why, part) for why in stored(lab) for part in whys.unknown(why) if part not in said)


def test_every_pattern_of_the_gallery(play: Play) -> None:
    lab = play()
    for pattern in patterns.PATTERNS:
        if pattern.id == "privileged":
            continue  # refused in a namespace of Pod Security baseline
        for obj in yaml.safe_load_all(pattern.manifest):
            lab.client.create(RESOURCES[obj["kind"]], obj, namespace="default")
    lab.to(40)
    for one in lab.client.list("pods", "default").items:
        lab.client.delete("pods", "default", one.key.name, why="")
    lab.to(80)
    found = stored(lab)
    assert len(found) > 60
    assert lacking(lab) == []


def test_what_befalls_pods_and_nodes(play: Play) -> None:
    lab = play(nodes=("node-a", "node-b"))
    taint = {"spec": {"taints": [{"key": "full", "effect": "NoSchedule"}]}}
    lab.client.patch("nodes", "", "node-b", "application/merge-patch+json", taint)
    apart = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "rack"}
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}
    lab.create(pod("alone", affinity=affinity))
    lab.create(pod("huge", container={"resources": {"requests": {"cpu": "900"}}}))
    lab.create(pod("crash", "sh", "-c", "exit 3"))
    lab.create(pod("never", "sh", "-c", "exit 3", restartPolicy="Never"))
    lab.create(pod("hook", "sleep", "600", container={"lifecycle": {"postStart": {"exec": {"command": ["false"]}}}}))
    volume = {"name": "data", "ephemeral": {"volumeClaimTemplate": {"spec": _CLAIM}}}
    mounts = [{"name": "data", "mountPath": "/data"}]
    lab.create(pod("stores", "sleep", "600", volumes=[volume], container={"volumeMounts": mounts}))
    lab.create(pod("lacks", volumes=[{"name": "none", "configMap": {"name": "none"}}]))
    owner = lab.pod("crash")
    assert owner is not None
    reference = {"apiVersion": "v1", "kind": "Pod", "name": "crash", "uid": owner["metadata"]["uid"]}
    owned = {"metadata": {"name": "owned", "ownerReferences": [reference]}}
    lab.client.create("configmaps", owned, namespace="default")
    service: dict[str, Any] = {"metadata": {"name": "web"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}
    lab.client.create("services", service, namespace="default")
    lab.to(40)
    lab.client.delete("pods", "default", "crash", why="ada deleted the pod on its page.")
    cordon = {"spec": {"unschedulable": True}}
    lab.client.patch("nodes", "", "node-a", "application/merge-patch+json", cordon)
    lab.client.evict("default", "hook", {"metadata": {"name": "hook"}}, why="Node node-a is being drained.")
    lab.client.delete("pods", "default", "stores", why="")
    lab.to(120)
    assert lacking(lab) == []
    assert {"Nobody uses it any more.", "The node is cordoned."} <= stored(lab)


_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
