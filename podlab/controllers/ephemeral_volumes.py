"""The ephemeral volume controller: makes the claims that pods bring along as templates. A key is "namespace/name" of a pod.

Source: pkg/controller/volume/ephemeral/controller.go. The claim belongs to its pod and goes with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.apis import reasons
from podlab.apis import volume_claims as facts
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apis.volume_claims import CLAIMS
from podlab.controllers.controller import Controller
from podlab.storage.log import LogEntry


class EphemeralVolumes(Controller):
    name = "ephemeralvolume"
    component = "ephemeral-volume-controller"

    def load(self) -> Iterable[str]:
        for item in self.client.list("pods", None).items:
            if any(use.own for use in facts.uses(item.obj)):
                yield f"{item.key.namespace}/{item.key.name}"

    def affected(self, entry: LogEntry) -> Iterable[str]:
        key = entry.key
        if key.resource == "pods":
            if entry.type == "ADDED" and any(use.own for use in facts.uses(entry.obj)):
                yield f"{key.namespace}/{key.name}"
        elif key.resource == CLAIMS and entry.type == "DELETED":
            # Somebody took it away under a pod's feet, or it made room for the pod's own.
            for owner in entry.obj["metadata"].get("ownerReferences") or []:
                if owner.get("controller") and owner.get("kind") == "Pod":
                    yield f"{key.namespace}/{owner['name']}"

    def sync(self, key: str) -> None:
        namespace, name = key.split("/")
        found = self.client.find("pods", namespace, name)
        if found is None or found.obj["metadata"].get("deletionTimestamp"):
            return
        for use in facts.uses(found.obj):
            if use.own:
                self._see_to(found.obj, use)

    def _see_to(self, pod: Manifest, use: facts.Use) -> None:
        namespace = pod["metadata"]["namespace"]
        held = self.client.find(CLAIMS, namespace, use.claim)
        try:
            if held is None:
                why = f"volume {use.volume} of pod {pod['metadata']['name']} is made from a template"
                self.client.create(CLAIMS, claim_of(pod, use), namespace=namespace, why=why)
            elif not facts.is_for_pod(held.obj, pod):
                text = f'PVC "{namespace}/{use.claim}" was not created for pod "{namespace}/{pod["metadata"]["name"]}"'
                raise ApiError(409, "Conflict", f"{text} (pod is not owner)")
        except ApiError as error:
            text = f"ephemeral volume {use.volume}: {error.message}"
            self.kit.recorder.event(pod, reasons.WARNING, reasons.FAILED_BINDING, text, why="the claim cannot be had")
            raise


def claim_of(pod: Manifest, use: facts.Use) -> Manifest:
    """The claim of one volume of a pod. Pure."""
    volume = next(one for one in pod["spec"]["volumes"] if one["name"] == use.volume)
    template = volume["ephemeral"]["volumeClaimTemplate"]
    meta = template.get("metadata") or {}
    owner = {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": pod["metadata"]["name"],
        "uid": pod["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": use.claim,
            **{part: dict(meta[part]) for part in ("labels", "annotations") if meta.get(part)},
            "ownerReferences": [owner],
        },
        "spec": template["spec"],
    }
