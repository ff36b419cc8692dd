"""Claims and volumes on their way together, with the store and the other controllers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from controllers_claims import MERGE, add_node, add_pod, claim, of_claim, of_volume, place, static, told, waiting_for
from controllers_driven import Driven

from podlab.apis import volume_claims as facts
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apis.volume_claims import CLAIMS, CLASSES, VOLUMES
from podlab.scheduler.assumed import TIMED_OUT, Assumed
from podlab.scheduler.bind import Outcome

pytestmark = pytest.mark.django_db


def test_a_claim_takes_a_volume_that_lies_there(driven: Driven) -> None:
    driven.client.create(VOLUMES, static())
    driven.settle()
    assert of_volume(driven)["status"]["phase"] == "Available"
    driven.client.create(CLAIMS, claim(), namespace="default")
    driven.settle()
    bound, volume = of_claim(driven), of_volume(driven)
    assert bound["spec"]["volumeName"] == "v"
    assert bound["status"] == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"}}
    assert bound["metadata"]["annotations"] == {facts.BIND_COMPLETED: "yes", facts.BOUND_BY_CONTROLLER: "yes"}
    assert (volume["spec"]["claimRef"]["uid"], volume["status"]["phase"]) == (bound["metadata"]["uid"], "Bound")


def test_two_claims_do_not_take_one_volume(driven: Driven) -> None:
    driven.client.create(VOLUMES, static())
    for name in ("c", "d"):
        driven.client.create(CLAIMS, claim(name), namespace="default")
    driven.settle()
    assert sorted(of_claim(driven, name)["status"]["phase"] for name in ("c", "d")) == ["Bound", "Pending"]
    assert told(driven, "FailedBinding") == [
        "no persistent volumes available for this claim and no storage class is set"
    ]


def test_a_kept_volume_is_released_with_its_claim(driven: Driven) -> None:
    driven.client.create(VOLUMES, static())
    driven.client.create(CLAIMS, claim(), namespace="default")
    driven.settle()
    driven.client.delete(CLAIMS, "default", "c")
    driven.settle()
    assert driven.client.find(CLAIMS, "default", "c") is None
    assert of_volume(driven)["status"]["phase"] == "Released"
    driven.client.create(CLAIMS, claim(), namespace="default")
    driven.settle()
    assert of_claim(driven)["status"]["phase"] == "Pending"


def test_a_volume_that_is_being_deleted_goes_with_its_claim(driven: Driven) -> None:
    driven.client.create(VOLUMES, static())
    driven.client.create(CLAIMS, claim(), namespace="default")
    driven.settle()
    driven.client.delete(VOLUMES, "", "v")
    driven.settle()
    assert of_volume(driven)["status"]["phase"] == "Bound"
    driven.client.delete(CLAIMS, "default", "c")
    driven.settle()
    assert driven.client.find(VOLUMES, "", "v") is None


def test_a_claim_loses_a_volume_that_is_taken_away(driven: Driven) -> None:
    driven.client.create(VOLUMES, static())
    driven.client.create(CLAIMS, claim(), namespace="default")
    driven.settle()
    driven.client.delete(VOLUMES, "", "v")
    driven.settle()
    assert of_volume(driven)["metadata"]["deletionTimestamp"]  # it is in use
    driven.client.patch(VOLUMES, "", "v", MERGE, {"metadata": {"finalizers": None}})
    driven.settle()
    assert of_claim(driven)["status"]["phase"] == "Lost"
    assert told(driven, "ClaimLost") == ["Bound claim has lost its PersistentVolume. Data on the volume is lost!"]


def a_class_that_never_provides(driven: Driven) -> None:
    body = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "slow"},
        "provisioner": "example.com/slow",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    driven.client.create(CLASSES, body)


def asks(cpu: str) -> Manifest:
    return {"containers": [{"name": "c", "image": "x", "resources": {"requests": {"cpu": cpu}}}]}


def a_pod_that_waits_for_its_claim(driven: Driven) -> Assumed:
    """p on node-a, whose claim nobody provides; q would fit there without it."""
    assumed = Assumed()
    add_node(driven, "node-a")
    a_class_that_never_provides(driven)
    driven.client.create(CLAIMS, claim(storageClassName="slow"), namespace="default")
    add_pod(driven, "p", "c", **asks("1500m"))
    add_pod(driven, "q", **asks("1"))
    driven.settle()
    assert place(driven, "p", assumed) is Outcome.BINDING
    return assumed


def test_a_pod_whose_claim_is_being_bound_holds_its_room(driven: Driven) -> None:
    assumed = a_pod_that_waits_for_its_claim(driven)
    assert place(driven, "q", assumed) is Outcome.WAITING
    assert waiting_for(driven, "q").startswith("0/1 nodes are available: 1 Insufficient cpu.")
    assert place(driven, "p", assumed) is Outcome.BINDING  # its own room is not in its way
    driven.client.delete("pods", "default", "p", grace=0)
    assert place(driven, "q", assumed) is Outcome.BOUND


def test_a_pod_goes_where_its_room_is_when_its_claim_is_bound(driven: Driven) -> None:
    assumed = Assumed()
    add_node(driven, "node-a")
    a_class_that_never_provides(driven)
    driven.client.create(CLAIMS, claim(storageClassName="slow"), namespace="default")
    add_pod(driven, "p", "c", **asks("1500m"))
    driven.settle()
    assert place(driven, "p", assumed) is Outcome.BINDING
    add_node(driven, "node-b")
    driven.client.create(VOLUMES, static(storageClassName="slow", claimRef={"name": "c", "namespace": "default"}))
    driven.settle()
    assert of_claim(driven)["status"]["phase"] == "Bound"
    assert place(driven, "p", assumed) is Outcome.BOUND
    assert driven.client.get("pods", "default", "p").obj["spec"]["nodeName"] == "node-a"
    add_pod(driven, "q", **asks("1"))
    assert place(driven, "q", assumed) is Outcome.BOUND
    assert driven.client.get("pods", "default", "q").obj["spec"]["nodeName"] == "node-b"


def test_claims_that_are_not_bound_in_time_give_the_room_back(driven: Driven) -> None:
    assumed = a_pod_that_waits_for_its_claim(driven)
    driven.clock.advance(driven.clock.now() + timedelta(seconds=300))
    assert place(driven, "p", assumed) is Outcome.BINDING  # another look does not begin the time anew
    driven.clock.advance(driven.clock.now() + timedelta(seconds=300))
    assert place(driven, "p", assumed) is Outcome.WAITING
    assert told(driven, "FailedScheduling") == [TIMED_OUT]
    held = driven.client.get("pods", "default", "p").obj["status"]["conditions"][0]
    assert (held["reason"], held["message"]) == ("SchedulerError", TIMED_OUT)
    assert place(driven, "q", assumed) is Outcome.BOUND


def test_the_whole_way_of_a_claim_whose_class_waits(driven: Driven) -> None:
    for node in ("node-a", "node-b"):
        add_node(driven, node)
    driven.client.create(CLAIMS, claim(storageClassName="standard"), namespace="default")
    driven.settle()
    assert told(driven, "WaitForFirstConsumer") == ["waiting for first consumer to be created before binding"]
    add_pod(driven, "p", "c", nodeSelector={"kubernetes.io/hostname": "node-b"})
    driven.settle()
    assert told(driven, "WaitForPodScheduled") == ["waiting for pod p to be scheduled"]
    assert place(driven, "p") is Outcome.BINDING
    assert of_claim(driven)["metadata"]["annotations"][facts.SELECTED_NODE] == "node-b"
    driven.settle()
    bound = of_claim(driven)
    name = f"pvc-{bound['metadata']['uid']}"
    assert (bound["status"]["phase"], bound["spec"]["volumeName"]) == ("Bound", name)
    spec = of_volume(driven, name)["spec"]
    assert spec["local"] == {"path": f"/lab/node-b/{name}"}
    assert (spec["persistentVolumeReclaimPolicy"], spec["storageClassName"]) == ("Delete", "standard")
    assert [one[:2] for one in driven.events() if one[0] == facts.NODE_FOLDER] == [
        (facts.NODE_FOLDER, "Provisioning"),
        (facts.NODE_FOLDER, "ProvisioningSucceeded"),
    ]
    assert place(driven, "p") is Outcome.BOUND
    assert driven.client.get("pods", "default", "p").obj["spec"]["nodeName"] == "node-b"
    # A second pod must go where the volume is.
    add_pod(driven, "q", "c", nodeSelector={"kubernetes.io/hostname": "node-a"})
    assert place(driven, "q") is Outcome.WAITING
    assert waiting_for(driven, "q") == (
        "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, "
        "1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/2 nodes are "
        "available: 2 Preemption is not helpful for scheduling."
    )
    for pod in ("p", "q"):
        driven.client.delete("pods", "default", pod, grace=0)
    driven.client.delete(CLAIMS, "default", "c")
    driven.settle()
    assert driven.client.find(VOLUMES, "", name) is None


def test_a_class_that_binds_at_once_spreads_over_the_nodes(driven: Driven) -> None:
    for node in ("node-a", "node-b"):
        add_node(driven, node)
    quick = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "quick"}}
    driven.client.create(CLASSES, {**quick, "provisioner": facts.NODE_FOLDER, "reclaimPolicy": "Retain"})
    paths = set()
    for name in ("c", "d"):
        driven.client.create(CLAIMS, claim(name, storageClassName="quick"), namespace="default")
        driven.settle()
        volume = of_volume(driven, of_claim(driven, name)["spec"]["volumeName"])
        paths.add(volume["spec"]["local"]["path"].split("/")[2])
        assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert paths == {"node-a", "node-b"}


@pytest.mark.parametrize(
    ("more", "detail"),
    [
        (
            {"modes": ("ReadWriteMany",)},
            "a folder of a node only supports ReadWriteOnce and ReadWriteOncePod access modes",
        ),
        ({"volumeMode": "Block"}, "a folder of a node cannot be a block device"),
        (
            {"dataSource": {"kind": "PersistentVolumeClaim", "name": "x"}},
            "a folder of a node cannot begin as a copy: data sources are not supported",
        ),
        ({"selector": {"matchLabels": {"a": "b"}}}, "claim.Spec.Selector is not supported"),
    ],
)
def test_what_a_folder_cannot_be_is_told(driven: Driven, more: dict[str, Any], detail: str) -> None:
    add_node(driven, "node-a")
    driven.client.create(CLAIMS, claim(storageClassName="standard", **more), namespace="default")
    add_pod(driven, "p", "c")
    assert place(driven, "p") is Outcome.BINDING
    driven.settle()
    assert told(driven, "ProvisioningFailed") == [f'failed to provision volume with StorageClass "standard": {detail}']
    assert of_claim(driven)["status"]["phase"] == "Pending"


def test_a_pod_waits_for_claims_that_bind_at_once(driven: Driven) -> None:
    add_node(driven, "node-a")
    driven.client.create(CLAIMS, claim(), namespace="default")
    add_pod(driven, "p", "c")
    assert place(driven, "p") is Outcome.WAITING
    assert waiting_for(driven, "p") == (
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    )


def test_a_local_volume_is_chosen_with_the_node(driven: Driven) -> None:
    for node in ("node-a", "node-b"):
        add_node(driven, node)
    local = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "local"}}
    mode = {"volumeBindingMode": facts.WAIT_FOR_FIRST_CONSUMER}
    driven.client.create(CLASSES, {**local, "provisioner": facts.NO_PROVISIONER, **mode})
    driven.client.create(CLAIMS, claim(storageClassName="local"), namespace="default")
    add_pod(driven, "p", "c")
    assert place(driven, "p") is Outcome.WAITING
    assert waiting_for(driven, "p").startswith(
        "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind."
    )
    driven.client.create(VOLUMES, static(node="node-b", storageClassName="local"))
    driven.settle()
    assert place(driven, "p") is Outcome.BINDING
    driven.settle()
    assert of_claim(driven)["spec"]["volumeName"] == "v"
    assert place(driven, "p") is Outcome.BOUND
    assert driven.client.get("pods", "default", "p").obj["spec"]["nodeName"] == "node-b"


def test_one_pod_only(driven: Driven) -> None:
    add_node(driven, "node-a")
    alone = ("ReadWriteOncePod",)
    driven.client.create(VOLUMES, static(accessModes=list(alone)))
    driven.client.create(CLAIMS, claim(modes=alone), namespace="default")
    driven.settle()
    add_pod(driven, "p", "c")
    add_pod(driven, "q", "c")
    assert place(driven, "p") is Outcome.BOUND
    assert place(driven, "q") is Outcome.WAITING
    assert waiting_for(driven, "q") == (
        "0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod "
        "access mode. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found "
        "for incoming pod."
    )


def test_claims_grow_if_their_class_lets_them(driven: Driven) -> None:
    add_node(driven, "node-a")
    driven.client.create(CLAIMS, claim(storageClassName="standard"), namespace="default")
    bigger = {"spec": {"resources": {"requests": {"storage": "3Gi"}}}}
    with pytest.raises(ApiError, match="Only bound persistent volume claims can be expanded|spec is immutable"):
        driven.client.patch(CLAIMS, "default", "c", MERGE, bigger)
    add_pod(driven, "p", "c")
    place(driven, "p")
    driven.settle()
    driven.client.patch(CLAIMS, "default", "c", MERGE, bigger)
    driven.settle()
    grown = of_claim(driven)
    assert grown["status"]["capacity"] == {"storage": "3Gi"}
    assert of_volume(driven, grown["spec"]["volumeName"])["spec"]["capacity"] == {"storage": "3Gi"}
    assert told(driven, "VolumeResizeSuccessful") == ["Resize volume succeeded"]
    driven.client.patch(CLASSES, "", "standard", MERGE, {"allowVolumeExpansion": False})
    more = {"spec": {"resources": {"requests": {"storage": "4Gi"}}}}
    with pytest.raises(ApiError, match="the storageclass that provisions the pvc must support resize"):
        driven.client.patch(CLAIMS, "default", "c", MERGE, more)


def test_a_claim_without_a_class_gets_the_default_one(driven: Driven) -> None:
    driven.client.create(CLAIMS, claim("early"), namespace="default")
    mark = {"metadata": {"annotations": {facts.IS_DEFAULT_CLASS: "true"}}}
    driven.client.patch(CLASSES, "", "standard", MERGE, mark)
    driven.client.create(CLAIMS, claim("late"), namespace="default")
    driven.client.create(CLAIMS, claim("none", storageClassName=""), namespace="default")
    assert of_claim(driven, "late")["spec"]["storageClassName"] == "standard"
    driven.settle()
    assert of_claim(driven, "early")["spec"]["storageClassName"] == "standard"
    assert of_claim(driven, "none")["spec"]["storageClassName"] == ""


def ephemeral_pod(driven: Driven, name: str = "p") -> None:
    spec = claim(storageClassName="standard")["spec"]
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}
    body = {"containers": [{"name": "c", "image": "x"}], "volumes": [volume]}
    driven.client.create(
        "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}, namespace="default"
    )


def test_a_pod_brings_its_claim_along(driven: Driven) -> None:
    add_node(driven, "node-a")
    ephemeral_pod(driven)
    assert place(driven, "p") is Outcome.WAITING
    assert waiting_for(driven, "p") == (
        "0/1 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "
        '"p-scratch". not found'
    )
    driven.settle()
    made = of_claim(driven, "p-scratch")
    assert made["metadata"]["labels"] == {"a": "b"}
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Pod", "p", True)
    assert place(driven, "p") is Outcome.BINDING
    driven.settle()
    assert place(driven, "p") is Outcome.BOUND
    driven.client.delete("pods", "default", "p", grace=0)
    driven.settle()
    assert driven.client.find(CLAIMS, "default", "p-scratch") is None
    assert driven.client.list(VOLUMES, None).items == []


def test_a_claim_of_that_name_that_is_not_the_pods_is_told(driven: Driven) -> None:
    add_node(driven, "node-a")
    driven.client.create(CLAIMS, claim("p-scratch"), namespace="default")
    ephemeral_pod(driven)
    driven.settle(0.004)
    assert told(driven, "FailedBinding")[-1] == (
        'ephemeral volume scratch: PVC "default/p-scratch" was not created for pod "default/p" (pod is not owner)'
    )
    assert place(driven, "p") is Outcome.WAITING
    assert "(pod is not owner)" in waiting_for(driven, "p")
