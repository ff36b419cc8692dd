"""Workloads in the registry: generations, selectors, scale, and the doors to a running pod's containers."""

from __future__ import annotations

from typing import Any

import pytest
from registry_samples import pod, refusal

from podlab.apis.types import Manifest
from podlab.registry import patch
from podlab.registry.client import Client
from podlab.registry.operations import WriteOptions

LABELS = {"app": "a"}
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def body(kind: str, name: str = "x", **spec: Any) -> Manifest:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}]}}
    wanted = {"selector": {"matchLabels": LABELS}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": wanted}


def made(client: Client, kind: str, **spec: Any) -> Manifest:
    return client.create(f"{kind.lower()}s.apps", body(kind, **spec), namespace="default").obj


def merged(client: Client, resource: str, change: Manifest, *, subresource: str = "", name: str = "x") -> Manifest:
    written = client.patch(resource, "default", name, patch.MERGE_PATCH, change, subresource=subresource)
    return written.obj


def generation(obj: Manifest) -> int:
    return int(obj["metadata"]["generation"])


# Generations


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_the_generation_counts_changes_of_spec_only(client: Client, kind: str) -> None:
    resource = f"{kind.lower()}s.apps"
    assert generation(made(client, kind)) == 1
    assert generation(merged(client, resource, {"metadata": {"labels": {"l": "v"}}})) == 1
    assert generation(merged(client, resource, {"spec": {"minReadySeconds": 5}})) == 2
    assert generation(merged(client, resource, {"status": {"observedGeneration": 2}}, subresource="status")) == 2
    assert client.get(resource, "default", "x").obj["status"]["observedGeneration"] == 2


def test_annotations_count_for_a_deployment(client: Client) -> None:
    made(client, "Deployment")
    assert generation(merged(client, "deployments.apps", {"metadata": {"annotations": {"a": "b"}}})) == 2


def test_a_daemon_set_counts_changes_of_its_template(client: Client) -> None:
    resource = "daemonsets.apps"

    def counted(obj: Manifest) -> str:
        return str(obj["metadata"]["annotations"][TEMPLATE_GENERATION])

    assert counted(made(client, "DaemonSet")) == "1"
    assert counted(merged(client, resource, {"spec": {"minReadySeconds": 5}})) == "1"
    assert counted(merged(client, resource, {"spec": {"template": {"spec": {"hostNetwork": True}}}})) == "2"
    forged = {"metadata": {"annotations": {TEMPLATE_GENERATION: "9"}}}
    assert counted(merged(client, resource, forged)) == "2"
    broken = {"metadata": {"annotations": {TEMPLATE_GENERATION: "x"}}}
    assert refusal(client.patch, resource, "default", "x", patch.MERGE_PATCH, broken).code == 400


def test_a_gated_field_of_a_stateful_set_is_dropped(client: Client) -> None:
    obj = made(client, "StatefulSet", updateStrategy={"rollingUpdate": {"maxUnavailable": 2}})
    assert obj["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}


def test_status_is_not_the_clients_at_the_main_door(client: Client) -> None:
    given = {**body("Deployment"), "status": {"replicas": 7}}
    assert client.create("deployments.apps", given, namespace="default").obj["status"] == {}
    assert merged(client, "deployments.apps", {"status": {"replicas": 7}})["status"] == {}


# Jobs


def job(client: Client, *, labels: Manifest | None = None, inner: Manifest | None = None, **spec: Any) -> Manifest:
    template: Manifest = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1.36"}]}}
    if inner:
        template["metadata"] = {"labels": inner}
    metadata: Manifest = {"name": "x", **({"labels": labels} if labels else {})}
    given = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template, **spec}}
    return client.create("jobs.batch", given, namespace="default").obj


def test_a_job_finds_its_pods_by_its_own_uid(client: Client) -> None:
    made_job = job(client)
    uid = made_job["metadata"]["uid"]
    assert made_job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    assert made_job["metadata"]["labels"] == {
        "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": "x", "controller-uid": uid,
        "job-name": "x",
    }  # fmt: skip


def test_labels_of_its_own_are_kept_as_they_are(client: Client) -> None:
    assert job(client, labels={"a": "b"}, inner={"a": "b"})["metadata"]["labels"] == {"a": "b"}


def test_a_manual_selector_is_left_alone(client: Client) -> None:
    made_job = job(client, inner=LABELS, manualSelector=True, selector={"matchLabels": LABELS})
    assert made_job["spec"]["selector"] == {"matchLabels": LABELS}
    assert made_job["metadata"]["labels"] == LABELS


# Scale


def scale(client: Client, resource: str = "deployments.apps") -> Manifest:
    return client.get(resource, "default", "x", subresource="scale").obj


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet"])
def test_a_scale_shows_and_sets_the_replicas(client: Client, kind: str) -> None:
    resource = f"{kind.lower()}s.apps"
    made(client, kind, replicas=2)
    shown = scale(client, resource)
    assert (shown["kind"], shown["spec"], shown["status"]) == (
        "Scale",
        {"replicas": 2},
        {"replicas": 0, "selector": "app=a"},
    )
    shown["spec"]["replicas"] = 5
    written = client.update(resource, "default", "x", shown, subresource="scale")
    assert (written.obj["kind"], written.obj["spec"]) == ("Scale", {"replicas": 5})
    stored = client.get(resource, "default", "x")
    assert (stored.obj["spec"]["replicas"], generation(stored.obj)) == (5, 2)
    assert written.obj["metadata"]["resourceVersion"] == str(stored.revision)


def test_a_replication_controller_has_a_scale_too(client: Client) -> None:
    given = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "x"},
        "spec": {"selector": {"b": "2", "a": "1"}, "template": {
            "metadata": {"labels": {"a": "1", "b": "2"}}, "spec": body("ReplicaSet")["spec"]["template"]["spec"],
        }},
    }  # fmt: skip
    client.create("replicationcontrollers", given, namespace="default")
    assert scale(client, "replicationcontrollers")["status"]["selector"] == "a=1,b=2"
    merged(client, "replicationcontrollers", {"spec": {"replicas": 3}}, subresource="scale")
    assert client.get("replicationcontrollers", "default", "x").obj["spec"]["replicas"] == 3


def test_a_scale_that_is_old_or_of_another_object_is_a_conflict(client: Client) -> None:
    made(client, "Deployment")
    old = scale(client)
    merged(client, "deployments.apps", {"spec": {"replicas": 3}}, subresource="scale")
    error = refusal(client.update, "deployments.apps", "default", "x", old, subresource="scale")
    assert (error.code, "the object has been modified" in error.message) == (409, True)
    stranger = {"metadata": {"uid": "1"}, "spec": {"replicas": 1}}
    error = refusal(client.patch, "deployments.apps", "default", "x", patch.MERGE_PATCH, stranger, subresource="scale")
    assert error.message.startswith('Operation cannot be fulfilled on deployments/scale.apps "x": Precondition failed')


def test_a_dry_run_of_a_scale_changes_nothing(client: Client) -> None:
    made(client, "Deployment")
    written = client.patch(
        "deployments.apps", "default", "x", patch.MERGE_PATCH, {"spec": {"replicas": 4}}, subresource="scale",
        options=WriteOptions(dry_run=True),
    )  # fmt: skip
    assert written.obj["spec"] == {"replicas": 4}
    assert client.get("deployments.apps", "default", "x").obj["spec"]["replicas"] == 1


# Ephemeral containers and resize


def debugged(client: Client, *names: str, **more: Any) -> Manifest:
    containers = [{"name": name, "image": "busybox:1.36"} for name in names]
    change = {"spec": {"ephemeralContainers": containers, **more}, "metadata": {"labels": {"l": "v"}}}
    return merged(client, "pods", change, subresource="ephemeralcontainers", name="p")


def test_only_ephemeral_containers_pass_their_door(client: Client) -> None:
    client.create("pods", pod(), namespace="default")
    after = debugged(client, "e", hostname="h")
    assert [item["name"] for item in after["spec"]["ephemeralContainers"]] == ["e"]
    assert "hostname" not in after["spec"]
    assert "labels" not in after["metadata"]
    assert generation(after) == 2


def test_an_ephemeral_container_stays(client: Client) -> None:
    client.create("pods", pod(), namespace="default")
    debugged(client, "e")
    error = refusal(debugged, client, "f")
    assert 'existing ephemeral containers "e" may not be removed' in error.message


AMOUNTS = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}}


def sized(client: Client, **more: Any) -> None:
    container = {"name": "c", "image": "busybox:1.36", "resources": AMOUNTS}
    client.create("pods", pod(containers=[container], **more), namespace="default")


def resized(client: Client, *containers: Manifest, field: str = "containers") -> Manifest:
    change = {"spec": {field: list(containers)}}
    written = client.patch("pods", "default", "p", patch.STRATEGIC_MERGE_PATCH, change, subresource="resize")
    return written.obj


def test_a_resize_changes_resources_and_nothing_else(client: Client) -> None:
    sized(client)
    after = resized(client, {"name": "c", "image": "other", "resources": {"requests": {"cpu": "150m"}}})
    container = after["spec"]["containers"][0]
    assert (container["image"], container["resources"]["requests"]["cpu"]) == ("busybox:1.36", "150m")
    assert generation(after) == 2


REFUSED: dict[str, tuple[Manifest, str]] = {
    "of something else": (
        {"name": "c", "resources": {"requests": {"ephemeral-storage": "1Gi"}}},
        "spec: Forbidden: only cpu and memory resources are mutable",
    ),
    "with a container more": (
        {"name": "d", "image": "busybox:1.36"},
        "spec.containers: Forbidden: containers may not be added or removed on resize",
    ),
    "without a request": (
        {"name": "c", "resources": {"requests": {"cpu": None}, "limits": {"cpu": None}}},
        "[spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed, "
        "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed]",
    ),
    "to another quality of service": (
        {"name": "c", "resources": {"requests": {"cpu": "200m", "memory": "128Mi"}}},
        'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_resize_may_not_go_too_far(client: Client, case: str) -> None:
    sized(client)
    change, message = REFUSED[case]
    assert refusal(resized, client, change).message == f'Pod "p" is invalid: {message}'


def test_init_containers_that_end_are_resized_as_others(client: Client) -> None:
    sized(client, initContainers=[{"name": "i", "image": "busybox:1.36", "resources": AMOUNTS}])
    done = resized(client, {"name": "i", "resources": {"requests": {"cpu": "150m"}}}, field="initContainers")
    assert done["spec"]["initContainers"][0]["resources"]["requests"]["cpu"] == "150m"
    error = refusal(
        resized, client, {"name": "i", "resources": {"requests": {"example.com/x": "1"}}}, field="initContainers"
    )
    assert "spec.initContainers[0]: Forbidden: only cpu and memory resources for init or sidecar" in error.message


# Binding as a client sends it


def bind(client: Client, **target: str) -> Any:
    given = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": target}
    return client.bind_as_told("default", "p", given)


def test_a_binding_must_name_a_node(client: Client) -> None:
    client.create("pods", pod(), namespace="default")
    error = refusal(bind, client, kind="Service")
    assert (error.code, error.message) == (
        500,
        '[target.kind: Unsupported value: "Service": supported values: "Node", "<empty>", target.name: Required value]',
    )
    bind(client, name="node-a")
    assert client.get("pods", "default", "p").obj["spec"]["nodeName"] == "node-a"


def test_a_binding_is_of_the_pod_in_its_path(client: Client) -> None:
    given = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "q"}, "target": {"name": "n"}}
    error = refusal(client.bind_as_told, "default", "p", given)
    assert error.message == "name in URL does not match name in Binding object"
