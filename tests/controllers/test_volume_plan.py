"""What is decided about claims and volumes: texts as Kubernetes has them."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.apis import volume_claims as facts
from podlab.apis.types import Manifest
from podlab.controllers import volume_plan
from podlab.controllers.volume_plan import Around, BePhase, Bind, Delete, Lose, Provision, Unbind, Wait

CLASS: Manifest = {"metadata": {"name": "fast"}, "provisioner": facts.NODE_FOLDER, "volumeBindingMode": "Immediate"}
LATE = {**CLASS, "volumeBindingMode": facts.WAIT_FOR_FIRST_CONSUMER}
BY_HAND = {**CLASS, "provisioner": facts.NO_PROVISIONER}


def claim(
    *, size: str = "1Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), notes: Any = None, **spec: Any
) -> Manifest:
    return {
        "metadata": {"name": "c", "namespace": "default", "uid": "uid-c", "annotations": notes or {}},
        "spec": {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, **spec},
        "status": {"phase": "Pending"},
    }


def volume(name: str = "v", *, size: str = "1Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), **more: Any) -> Manifest:
    meta = {"name": name, "uid": f"uid-{name}", "annotations": more.pop("notes", {}), "labels": more.pop("labels", {})}
    if more.pop("deleted", False):
        meta["deletionTimestamp"] = "2026-11-21T02:00:00Z"
    status = {"phase": more.pop("phase", "Available")}
    spec = {
        "capacity": {"storage": size},
        "accessModes": list(modes),
        "persistentVolumeReclaimPolicy": "Retain",
        **more,
    }
    return {"metadata": meta, "spec": spec, "status": status}


def ref(name: str = "c", uid: str = "uid-c") -> Manifest:
    return {"namespace": "default", "name": name, **({"uid": uid} if uid else {})}


def around(*volumes: Manifest, storage_class: Manifest | None = None, pods: tuple[str, ...] = ()) -> Around:
    return Around(
        volumes={one["metadata"]["name"]: one for one in volumes}, storage_class=storage_class, waiting_pods=pods
    )


BOUND = {facts.BIND_COMPLETED: "yes"}

CLAIMS: dict[str, tuple[Manifest, Around, str]] = {
    "the smallest that is large enough": (
        claim(), around(volume("big", size="5Gi"), volume("small", size="2Gi"), volume("tiny", size="1Mi")), "small",
    ),
    "fewer other modes count more than size": (
        claim(), around(volume("many", modes=("ReadWriteOnce", "ReadOnlyMany")), volume("one", size="9Gi")), "one",
    ),
    "one that is reserved for it comes first": (
        claim(), around(volume("a"), volume("mine", size="9Gi", claimRef=ref(uid=""))), "mine",
    ),
    "not one of another claim": (claim(), around(volume(claimRef=ref("other", "u"))), "Wait"),
    "not one of another class": (claim(), around(volume(storageClassName="slow")), "Wait"),
    "not one that is not Available": (claim(), around(volume(phase="Released")), "Wait"),
    "not one that is being deleted": (claim(), around(volume(deleted=True)), "Wait"),
    "not one of another mode": (claim(volumeMode="Block"), around(volume()), "Wait"),
    "not one without the access mode": (claim(modes=("ReadWriteMany",)), around(volume()), "Wait"),
    "by labels": (
        claim(selector={"matchLabels": {"disk": "ssd"}}), around(volume("a"), volume("b", labels={"disk": "ssd"})), "b",
    ),
    "the one that it asks for": (claim(volumeName="v"), around(volume()), "v"),
    "no volume and no class": (
        claim(), around(),
        "Normal FailedBinding no persistent volumes available for this claim and no storage class is set",
    ),
    "no such class": (
        claim(storageClassName="fast"), around(),
        'Warning ProvisioningFailed storageclass.storage.k8s.io "fast" not found',
    ),
    "a class without a provisioner": (
        claim(storageClassName="fast"), around(storage_class=BY_HAND),
        "Warning ProvisioningFailed no volume plugin matched name: kubernetes.io/no-provisioner",
    ),
    "a class that makes volumes": (claim(storageClassName="fast"), around(storage_class=CLASS), "Provision "),
    "a class that waits": (
        claim(storageClassName="fast"), around(storage_class=LATE),
        "Normal WaitForFirstConsumer waiting for first consumer to be created before binding",
    ),
    "a class that waits does not take what lies there": (
        claim(storageClassName="fast"), around(volume(storageClassName="fast"), storage_class=LATE),
        "Normal WaitForFirstConsumer waiting for first consumer to be created before binding",
    ),
    "a pod is there": (
        claim(storageClassName="fast"), around(storage_class=LATE, pods=("p",)),
        "Normal WaitForPodScheduled waiting for pod p to be scheduled",
    ),
    "pods are there": (
        claim(storageClassName="fast"), around(storage_class=LATE, pods=("p", "q")),
        "Normal WaitForPodScheduled waiting for pods p,q to be scheduled",
    ),
    "the pod has its node": (
        claim(storageClassName="fast", notes={facts.SELECTED_NODE: "node-b"}), around(storage_class=LATE),
        "Provision node-b",
    ),
    "the volume that it asks for is too small": (
        claim(volumeName="v"), around(volume(size="1Mi")),
        'Warning VolumeMismatch Cannot bind to requested volume "v": requested PV is too small',
    ),
    "the volume that it asks for is another's": (
        claim(volumeName="v"), around(volume(claimRef=ref("other", "u"))),
        'Warning FailedBinding volume "v" already bound to a different claim.',
    ),
    "the volume that it asks for is not there": (claim(volumeName="v"), around(), "Wait"),
    "bound": (claim(volumeName="v", notes=BOUND), around(volume(claimRef=ref())), "v"),
    "bound to what is gone": (
        claim(volumeName="v", notes=BOUND), around(),
        "Warning ClaimLost Bound claim has lost its PersistentVolume. Data on the volume is lost!",
    ),
    "bound to nothing": (
        claim(notes=BOUND), around(),
        "Warning ClaimLost Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
    ),
    "bound to another's": (
        claim(volumeName="v", notes=BOUND), around(volume(claimRef=ref("c", "later"))),
        "Warning ClaimMisbound Two claims are bound to the same volume, this one is bound incorrectly",
    ),
}  # fmt: skip


def shown(plan: volume_plan.ClaimPlan) -> str:
    assert plan.why
    if isinstance(plan, Bind):
        return plan.volume
    if isinstance(plan, Provision):
        return f"Provision {plan.node}"
    assert isinstance(plan, Wait | Lose)
    return f"{plan.told.type} {plan.told.reason} {plan.told.message}" if plan.told else "Wait"


@pytest.mark.parametrize("case", CLAIMS)
def test_a_claim(case: str) -> None:
    asked, situation, expected = CLAIMS[case]
    plan = volume_plan.plan_claim(asked, situation)
    assert shown(plan) == expected if expected != "Wait" else isinstance(plan, Wait)


HELD = {**claim(volumeName="v"), "status": {"phase": "Bound"}}
OURS = {facts.PROVISIONED_BY: facts.NODE_FOLDER}
DELETE = {"persistentVolumeReclaimPolicy": "Delete"}

VOLUMES: dict[str, tuple[Manifest, Manifest | None, object]] = {
    "nobody has it": (volume(), None, "Available"),
    "reserved": (volume(claimRef=ref(uid="")), None, "Available"),
    "bound": (volume(claimRef=ref()), HELD, "Bound"),
    "its claim is about to be bound": (volume(claimRef=ref()), claim(), "Available"),
    "its claim is gone": (volume(claimRef=ref(), phase="Bound"), None, "Released"),
    "its claim came back as another": (volume(claimRef=ref(uid="old"), phase="Bound"), HELD, "Released"),
    "released and kept": (volume(claimRef=ref(), phase="Released"), None, "Released"),
    "released and ours": (volume(claimRef=ref(), phase="Released", notes=OURS, **DELETE), None, Delete),
    "released and not ours": (volume(claimRef=ref(), phase="Released", **DELETE), None, "Failed"),
    "recycled": (
        volume(claimRef=ref(), phase="Released", persistentVolumeReclaimPolicy="Recycle"), None, "Failed",
    ),
    "its claim went elsewhere": (volume(claimRef=ref()), claim(volumeName="other"), Unbind),
    "its claim went elsewhere, and it was made": (
        volume(claimRef=ref(), phase="Bound", notes=OURS, **DELETE), claim(volumeName="other"), "Released",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", VOLUMES)
def test_a_volume(case: str) -> None:
    held, owner, expected = VOLUMES[case]
    plan = volume_plan.plan_volume(held, owner)
    assert plan.why
    if isinstance(expected, str):
        assert isinstance(plan, BePhase)
        assert plan.phase == expected
    else:
        assert type(plan) is expected


def test_a_volume_that_nobody_may_delete_says_so() -> None:
    plan = volume_plan.plan_volume(volume(claimRef=ref(), phase="Released", **DELETE), None)
    assert isinstance(plan, BePhase)
    assert plan.told is not None
    text = 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched'
    assert (plan.told.reason, plan.told.message, plan.message) == ("VolumeFailedDelete", text, text)


def test_the_newest_default_class_is_the_default() -> None:
    def made(name: str, at: str, mark: str = "true") -> Manifest:
        return {"metadata": {"name": name, "creationTimestamp": at, "annotations": {facts.IS_DEFAULT_CLASS: mark}}}

    classes = [
        made("b", "2026-01-01T00:00:00Z"),
        made("a", "2026-02-01T00:00:00Z"),
        made("c", "2026-03-01T00:00:00Z", "false"),
    ]
    found = facts.default_class(classes)
    assert found is not None
    assert found["metadata"]["name"] == "a"
    assert facts.default_class([]) is None
