"""Claims, volumes, nodes and pods as the tests of their controllers make and read them."""

from __future__ import annotations

from typing import Any

from controllers_driven import Driven

from podlab.apis import volume_claims as facts
from podlab.apis.types import Manifest
from podlab.apis.volume_claims import CLAIMS, VOLUMES
from podlab.registry.events import Recorder
from podlab.scheduler.assumed import Assumed
from podlab.scheduler.bind import Outcome, schedule_one

MERGE = "application/merge-patch+json"


def claim(name: str = "c", *, modes: tuple[str, ...] = ("ReadWriteOnce",), size: str = "1Gi", **spec: Any) -> Manifest:
    body = {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": body}


def static(name: str = "v", *, node: str = "", **spec: Any) -> Manifest:
    body = {"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}, **spec}
    if node:
        body["nodeAffinity"] = {
            "required": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
                ]
            }
        }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": body}


def add_node(driven: Driven, name: str) -> None:
    meta = {
        "name": name,
        "labels": {"kubernetes.io/hostname": name},
        "annotations": {facts.VOLUME_ROOT: f"/lab/{name}"},
    }
    driven.client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": meta})
    driven.client.patch("nodes", "", name, MERGE, {"spec": {"taints": None}})

    def offer(node: Manifest) -> None:
        node["status"] = {
            "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}],
        }

    driven.client.update_status("nodes", "", name, offer)


def add_pod(driven: Driven, name: str, *claims: str, **spec: Any) -> None:
    volumes = [{"name": one, "persistentVolumeClaim": {"claimName": one}} for one in claims]
    body = {"containers": [{"name": "c", "image": "x"}], "volumes": volumes, **spec}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}
    driven.client.create("pods", pod, namespace="default")


def place(driven: Driven, name: str, assumed: Assumed | None = None) -> Outcome:
    recorder = Recorder(driven.client, "default-scheduler", "", driven.client.now)
    return schedule_one(driven.client, recorder, "default", name, now=driven.clock.now(), assumed=assumed)


def of_claim(driven: Driven, name: str = "c") -> Manifest:
    return driven.client.get(CLAIMS, "default", name).obj


def of_volume(driven: Driven, name: str = "v") -> Manifest:
    return driven.client.get(VOLUMES, "", name).obj


def told(driven: Driven, reason: str) -> list[str]:
    return [message for _, one, message in driven.events() if one == reason]


def waiting_for(driven: Driven, pod: str) -> str:
    conditions = driven.client.get("pods", "default", pod).obj["status"]["conditions"]
    return str(conditions[0].get("message"))
