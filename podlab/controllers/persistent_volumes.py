"""The persistent volume controller: brings claims and volumes together, has volumes made, and cleans up after claims.

A key is "persistentvolumeclaims/namespace/name" or "persistentvolumes//name". What is to happen is decided in
`volume_plan`; here it is done, in the order and with the annotations of
pkg/controller/volume/persistentvolume/pv_controller.go (bind, bindVolumeToClaim, unbindVolume).
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.apis import reasons
from podlab.apis import volume_claims as facts
from podlab.apis.types import Manifest
from podlab.apis.volume_claims import CLAIMS, CLASSES, VOLUMES
from podlab.controllers import volume_plan
from podlab.controllers.controller import Controller, Kit
from podlab.controllers.node_folders import Provisioner, claim_ref
from podlab.controllers.volume_plan import Around, BePhase, Bind, Delete, Lose, Provision, Told, Unbind, Wait
from podlab.registry.events import Recorder
from podlab.storage import owners
from podlab.storage.log import LogEntry

# When a volume that could not be made is tried again (the resync period). What a claim waits for tells itself by a change.
RETRY_SECONDS = 15.0
_MERGE = "application/merge-patch+json"


class PersistentVolumes(Controller):
    name = "persistentvolume"
    component = "persistentvolume-controller"

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        provisioner = Recorder(kit.client, facts.NODE_FOLDER, "", kit.clock.now)
        self._provisioner = Provisioner(kit.client, provisioner)
        self._growth = Recorder(kit.client, f"external-resizer {facts.NODE_FOLDER}", "", kit.clock.now)
        self._pending: dict[tuple[str, str], str] = {}  # claims that are not bound → their class

    def load(self) -> Iterable[str]:
        for resource in (VOLUMES, CLAIMS):
            for item in self.client.list(resource, None).items:
                if resource == CLAIMS:
                    self._learn(item.key.namespace, item.key.name, item.obj)
                yield f"{resource}/{item.key.namespace}/{item.key.name}"

    def affected(self, entry: LogEntry) -> Iterable[str]:
        key = entry.key
        if key.resource == CLAIMS:
            yield from self._claim_changed(entry)
        elif key.resource == VOLUMES:
            yield f"{VOLUMES}//{key.name}"
            yield from self._claims_for(entry.obj)
        elif key.resource == CLASSES and entry.type != "DELETED":
            yield from (f"{CLAIMS}/{namespace}/{name}" for namespace, name in self._pending)
        elif key.resource == "pods" and self._pending:
            for use in facts.uses(entry.obj):
                if (key.namespace, use.claim) in self._pending and entry.type != "MODIFIED":
                    yield f"{CLAIMS}/{key.namespace}/{use.claim}"

    def _claim_changed(self, entry: LogEntry) -> Iterable[str]:
        key = entry.key
        if entry.type == "DELETED":
            self._pending.pop((key.namespace, key.name), None)
        else:
            self._learn(key.namespace, key.name, entry.obj)
            yield f"{CLAIMS}/{key.namespace}/{key.name}"
        if volume := (entry.obj.get("spec") or {}).get("volumeName"):
            yield f"{VOLUMES}//{volume}"

    def _claims_for(self, volume: Manifest) -> Iterable[str]:
        ref = (volume.get("spec") or {}).get("claimRef")
        if ref:
            yield f"{CLAIMS}/{ref.get('namespace')}/{ref.get('name')}"
            return
        for (namespace, name), storage_class in self._pending.items():
            if storage_class == facts.class_name(volume):
                yield f"{CLAIMS}/{namespace}/{name}"

    def _learn(self, namespace: str, name: str, claim: Manifest) -> None:
        if facts.is_bound(claim):
            self._pending.pop((namespace, name), None)
        else:
            self._pending[(namespace, name)] = facts.class_name(claim)

    def sync(self, key: str) -> None:
        resource, namespace, name = key.split("/")
        found = self.client.find(resource, namespace, name)
        if found is None:
            return
        if resource == VOLUMES:
            self._sync_volume(found.obj)
        else:
            self._sync_claim(found.obj)

    # Claims

    def _sync_claim(self, claim: Manifest) -> None:
        if claim["metadata"].get("deletionTimestamp") and not facts.is_bound(claim):
            return
        classes = [item.obj for item in self.client.list(CLASSES, None).items]
        claim = self._with_default_class(claim, classes)
        around = self._around(claim, classes)
        plan = volume_plan.plan_claim(claim, around)
        match plan:
            case Wait():
                self._wait(claim, plan)
            case Lose():
                self._set_claim_status(claim, {"phase": "Lost"}, plan.why, plan.told)
            case Bind():
                self._bind(around.volumes[plan.volume], claim, plan.why)
            case Provision():
                assert around.storage_class is not None
                self._provision(claim, around.storage_class, plan)

    def _with_default_class(self, claim: Manifest, classes: list[Manifest]) -> Manifest:
        """A claim without a class gets the one that became default after it (RetroactiveDefaultStorageClass)."""
        default = facts.default_class(classes)
        if default is None or not facts.wants_default_class(claim) or facts.is_bound(claim):
            return claim
        name = default["metadata"]["name"]
        return self._patch(CLAIMS, claim, {"spec": {"storageClassName": name}}, f"{name} is the default class now")

    def _around(self, claim: Manifest, classes: list[Manifest]) -> Around:
        name = facts.class_name(claim)
        volumes = [item.obj for item in self.client.list(VOLUMES, None).items]
        return Around(
            volumes={volume["metadata"]["name"]: volume for volume in volumes},
            storage_class=next((one for one in classes if one["metadata"]["name"] == name), None),
            waiting_pods=() if facts.is_bound(claim) else self._waiting_pods(claim),
        )

    def _waiting_pods(self, claim: Manifest) -> list[str]:
        meta = claim["metadata"]
        names = {member.key.name for member in owners.users(self.cluster, meta["namespace"], CLAIMS, meta["name"])}
        found = [self.client.find("pods", meta["namespace"], name) for name in sorted(names)]
        return [pod.key.name for pod in found if pod is not None and not pod.obj["spec"].get("nodeName")]

    def _wait(self, claim: Manifest, plan: Wait) -> None:
        self._set_claim_status(claim, {"phase": "Pending"}, plan.why, None)
        if plan.told is not None:
            self._tell(claim, plan.told, plan.why)

    def _provision(self, claim: Manifest, storage_class: Manifest, plan: Provision) -> None:
        provisioner = str(storage_class["provisioner"])
        wanted = {facts.OLD_STORAGE_PROVISIONER: provisioner, facts.STORAGE_PROVISIONER: provisioner}
        if wanted.items() - facts.annotations_of(claim).items():
            claim = self._patch(CLAIMS, claim, {"metadata": {"annotations": wanted}}, plan.why)
        text = (
            f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the "
            "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
            "correctly registered."
        )
        self._tell(claim, Told(reasons.NORMAL, reasons.EXTERNAL_PROVISIONING, text), plan.why)
        if provisioner != facts.NODE_FOLDER:
            return  # somebody else's
        if not self._provisioner.provision(claim, storage_class, plan.node, why=plan.why):
            meta = claim["metadata"]
            self.kit.enqueue(f"{CLAIMS}/{meta['namespace']}/{meta['name']}", RETRY_SECONDS)

    def _bind(self, volume: Manifest, claim: Manifest, why: str) -> None:
        meta, ref = claim["metadata"], (volume.get("spec") or {}).get("claimRef")
        if not ref or not ref.get("uid"):
            change: Manifest = {"spec": {"claimRef": claim_ref(claim)}}
            if not ref:
                change["metadata"] = {"annotations": {facts.BOUND_BY_CONTROLLER: "yes"}}
            volume = self._patch(VOLUMES, volume, change, why)
        self._set_volume_status(volume, "Bound", "", why)
        notes = {facts.BIND_COMPLETED: "yes"}
        name = volume["metadata"]["name"]
        if (claim.get("spec") or {}).get("volumeName") != name:
            notes[facts.BOUND_BY_CONTROLLER] = "yes"
        if notes.items() - facts.annotations_of(claim).items():
            change = {"metadata": {"annotations": notes}, "spec": {"volumeName": name}}
            claim = self._patch(CLAIMS, claim, change, why)
        status = {
            "phase": "Bound",
            "accessModes": volume["spec"]["accessModes"],
            "capacity": (claim.get("status") or {}).get("capacity") or volume["spec"]["capacity"],
        }
        self._set_claim_status(claim, status, why, None)
        if volume_plan.grows({**claim, "status": status}):
            self._grow(claim["metadata"]["namespace"], meta["name"], volume)

    def _grow(self, namespace: str, name: str, volume: Manifest) -> None:
        """Admission has seen to it that the class allows it. A folder has room as its disk has."""
        claim = self.client.get(CLAIMS, namespace, name).obj
        size, held = facts.requested(claim), volume["metadata"]["name"]
        if facts.annotations_of(volume).get(facts.PROVISIONED_BY) != facts.NODE_FOLDER:
            text = "waiting for an external controller to expand this PVC"
            self._tell(
                claim, Told(reasons.NORMAL, reasons.EXTERNAL_EXPANDING, text), "the lab did not make this volume"
            )
            return
        why = f"the claim asks for {size} now"
        self._growth.event(
            claim, reasons.NORMAL, reasons.RESIZING, f"External resizer is resizing volume {held}", why=why
        )
        self._patch(VOLUMES, volume, {"spec": {"capacity": {"storage": size}}}, why)
        status = {**(claim.get("status") or {}), "capacity": {"storage": size}}
        self._set_claim_status(claim, status, why, None)
        text = "Resize volume succeeded"
        self._growth.event(claim, reasons.NORMAL, reasons.VOLUME_RESIZE_SUCCESSFUL, text, why=why)

    # Volumes

    def _sync_volume(self, volume: Manifest) -> None:
        ref = (volume.get("spec") or {}).get("claimRef") or {}
        claim = self.client.find(CLAIMS, ref["namespace"], ref["name"]) if ref.get("name") else None
        plan = volume_plan.plan_volume(volume, claim.obj if claim is not None else None)
        match plan:
            case BePhase():
                if self._set_volume_status(volume, plan.phase, plan.message, plan.why) and plan.told is not None:
                    self._tell(volume, plan.told, plan.why)
            case Unbind():
                self._unbind(volume, plan.why)
            case Delete():
                self.client.delete(VOLUMES, "", volume["metadata"]["name"], uid=volume["metadata"]["uid"], why=plan.why)

    def _unbind(self, volume: Manifest, why: str) -> None:
        """What the controller wrote goes; of what a person reserved only the uid."""
        if facts.BOUND_BY_CONTROLLER in facts.annotations_of(volume):
            change: Manifest = {
                "spec": {"claimRef": None},
                "metadata": {"annotations": {facts.BOUND_BY_CONTROLLER: None}},
            }
        else:
            change = {"spec": {"claimRef": {"uid": None}}}
        volume = self._patch(VOLUMES, volume, change, why)
        self._set_volume_status(volume, "Available", "", why)

    # Writing

    def _patch(self, resource: str, obj: Manifest, change: Manifest, why: str) -> Manifest:
        """Only if nobody was quicker: two claims must not take one volume."""
        meta = obj["metadata"]
        change = {**change, "metadata": {**change.get("metadata", {}), "resourceVersion": meta["resourceVersion"]}}
        return self.client.patch(resource, meta.get("namespace", ""), meta["name"], _MERGE, change, why=why).obj

    def _set_claim_status(self, claim: Manifest, status: Manifest, why: str, told: Told | None) -> None:
        meta, before = claim["metadata"], claim.get("status") or {}
        if status["phase"] != "Bound":
            status = {**before, **status}
            if status["phase"] == "Pending":
                status = {"phase": "Pending", **{k: v for k, v in before.items() if k == "conditions"}}
        else:
            status = {**before, **status}
        if status == before:
            return

        def mutate(obj: Manifest) -> None:
            obj["status"] = status

        self.client.update_status(CLAIMS, meta["namespace"], meta["name"], mutate, uid=meta["uid"], why=why)
        if told is not None:
            self._tell(claim, told, why)

    def _set_volume_status(self, volume: Manifest, phase: str, message: str, why: str) -> bool:
        """False when it was so already."""
        before = volume.get("status") or {}
        if before.get("phase") == phase and (before.get("message") or "") == message:
            return False
        meta = volume["metadata"]

        def mutate(obj: Manifest) -> None:
            status = obj.setdefault("status", {})
            status["phase"] = phase
            status.pop("message", None)
            if message:
                status["message"] = message

        self.client.update_status(VOLUMES, "", meta["name"], mutate, uid=meta["uid"], why=why)
        return True

    def _tell(self, obj: Manifest, told: Told, why: str) -> None:
        self.kit.recorder.event(obj, told.type, told.reason, told.message, why=why)
