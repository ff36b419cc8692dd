"""Claims and volumes that are in use outlive their deletion until nobody uses them: takes their finalizers off then.

A key is "resource/namespace/name". Source: pkg/controller/volume/{pvcprotection,pvprotection}.
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.apis import volume_claims
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apis.volume_claims import CLAIMS, VOLUMES
from podlab.controllers.controller import Controller
from podlab.storage import owners
from podlab.storage.log import LogEntry

_FINALIZERS = {CLAIMS: "kubernetes.io/pvc-protection", VOLUMES: "kubernetes.io/pv-protection"}


class Protection(Controller):
    name = "volumeprotection"
    component = "volume-protection-controller"

    def load(self) -> Iterable[str]:
        for resource in _FINALIZERS:
            for item in self.client.list(resource, None).items:
                if _is_held(resource, item.obj):
                    yield f"{resource}/{item.key.namespace}/{item.key.name}"

    def affected(self, entry: LogEntry) -> Iterable[str]:
        key = entry.key
        if key.resource in _FINALIZERS:
            if entry.type != "DELETED" and _is_held(key.resource, entry.obj):
                yield f"{key.resource}/{key.namespace}/{key.name}"
        elif key.resource == "pods" and entry.type == "DELETED":
            for use in volume_claims.uses(entry.obj):
                yield f"{CLAIMS}/{key.namespace}/{use.claim}"

    def sync(self, key: str) -> None:
        resource, namespace, name = key.split("/")
        found = self.client.find(resource, namespace, name)
        if found is None or not _is_held(resource, found.obj) or self._is_used(resource, namespace, found.obj):
            return
        left = [one for one in found.obj["metadata"]["finalizers"] if one != _FINALIZERS[resource]]
        patch = {"metadata": {"finalizers": left or None, "resourceVersion": str(found.revision)}}
        try:
            self.client.patch(
                resource, namespace, name, "application/merge-patch+json", patch, why="Nobody uses it any more."
            )
        except ApiError as error:
            if error.code != 404:
                raise

    def _is_used(self, resource: str, namespace: str, obj: Manifest) -> bool:
        """A volume by the claim that it is bound to, a claim by any pod that has a node."""
        if resource == VOLUMES:
            return bool((obj.get("status") or {}).get("phase") == "Bound")
        for member in owners.users(self.cluster, namespace, CLAIMS, obj["metadata"]["name"]):
            pod = self.client.find("pods", namespace, member.key.name)
            if pod is not None and (pod.obj.get("spec") or {}).get("nodeName"):
                return True
        return False


def _is_held(resource: str, obj: Manifest) -> bool:
    meta = obj["metadata"]
    return bool(meta.get("deletionTimestamp")) and _FINALIZERS[resource] in (meta.get("finalizers") or [])
