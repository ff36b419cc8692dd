"""The official Python client against a whole lab: objects, watches that go on after a break, logs, server-side apply.

Its streams (exec, attach, port-forward) are in test_lab_streams.py.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pytest
import yaml
from kubernetes import client as k8s
from kubernetes import dynamic, utils, watch
from kubernetes.stream import portforward, stream
from urllib3.exceptions import HTTPError

from tests.whole_lab import ROOT, Lab, eventually

SAMPLES = ROOT / "docs" / "samples"
NAMESPACE = "python"
pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def api(sim_lab: Lab) -> Iterator[k8s.ApiClient]:
    made = kubernetes.config.new_client_from_config(str(sim_lab.kubeconfig))
    namespace = k8s.V1Namespace(metadata=k8s.V1ObjectMeta(name=NAMESPACE))
    k8s.CoreV1Api(made).create_namespace(namespace)
    yield made
    made.close()


@pytest.fixture(scope="module")
def core(api: k8s.ApiClient) -> k8s.CoreV1Api:
    return k8s.CoreV1Api(api)


def config_map(name: str, **data: str) -> k8s.V1ConfigMap:
    meta = k8s.V1ObjectMeta(name=name, labels={"made": "here"})
    return k8s.V1ConfigMap(api_version="v1", kind="ConfigMap", metadata=meta, data=data)


@pytest.fixture
def pod(core: k8s.CoreV1Api) -> str:
    """The name of a pod that runs and prints a line a second."""
    manifest = yaml.safe_load((SAMPLES / "hello.yaml").read_text())
    name = str(manifest["metadata"]["name"])
    if name not in [item.metadata.name for item in core.list_namespaced_pod(NAMESPACE).items]:
        core.create_namespaced_pod(NAMESPACE, manifest)

    def running() -> bool:
        return bool(core.read_namespaced_pod_status(name, NAMESPACE).status.phase == "Running")

    eventually("the pod runs", running, 60)
    return name


def test_an_object_is_made_read_changed_and_removed(core: k8s.CoreV1Api) -> None:
    made = core.create_namespaced_config_map(NAMESPACE, config_map("a", k="v"))
    assert core.read_namespaced_config_map("a", NAMESPACE).metadata.uid == made.metadata.uid
    made.data = {"k": "w"}
    assert core.replace_namespaced_config_map("a", NAMESPACE, made).data == {"k": "w"}
    assert core.patch_namespaced_config_map("a", NAMESPACE, {"data": {"x": "y"}}).data == {"k": "w", "x": "y"}
    patch = [{"op": "remove", "path": "/data/k"}]
    assert core.patch_namespaced_config_map("a", NAMESPACE, patch).data == {"x": "y"}
    with pytest.raises(k8s.ApiException) as stale:
        core.replace_namespaced_config_map("a", NAMESPACE, made)
    assert (stale.value.status, stale.value.reason) == (409, "Conflict")
    core.delete_namespaced_config_map("a", NAMESPACE)
    with pytest.raises(k8s.ApiException) as gone:
        core.read_namespaced_config_map("a", NAMESPACE)
    assert gone.value.status == 404
    assert 'configmaps \\"a\\" not found' in gone.value.body


def test_a_list_comes_in_pages_and_is_removed_as_one(core: k8s.CoreV1Api) -> None:
    for name in ("p1", "p2", "p3"):
        core.create_namespaced_config_map(NAMESPACE, config_map(name))
    first = core.list_namespaced_config_map(NAMESPACE, label_selector="made=here", limit=2)
    rest = core.list_namespaced_config_map(
        NAMESPACE, label_selector="made=here", limit=2, _continue=first.metadata._continue
    )
    assert [item.metadata.name for item in (*first.items, *rest.items)] == ["p1", "p2", "p3"]
    core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="made=here")
    assert core.list_namespaced_config_map(NAMESPACE, label_selector="made=here").items == []


def test_a_dry_run_stores_nothing(core: k8s.CoreV1Api) -> None:
    assert core.create_namespaced_config_map(NAMESPACE, config_map("dry"), dry_run="All").metadata.uid
    with pytest.raises(k8s.ApiException):
        core.read_namespaced_config_map("dry", NAMESPACE)


def test_other_kinds(api: k8s.ApiClient, core: k8s.CoreV1Api) -> None:
    """Quantities, dates, int-or-strings and required fields survive the client's own checks."""
    apps = k8s.AppsV1Api(api)
    meta, labels = k8s.V1ObjectMeta(name="dep"), {"app": "dep"}
    container = k8s.V1Container(
        name="c", image="busybox:1.36", resources=k8s.V1ResourceRequirements(limits={"cpu": "0.5"})
    )
    template = k8s.V1PodTemplateSpec(
        metadata=k8s.V1ObjectMeta(labels=labels), spec=k8s.V1PodSpec(containers=[container])
    )
    spec = k8s.V1DeploymentSpec(replicas=1, selector=k8s.V1LabelSelector(match_labels=labels), template=template)
    made = apps.create_namespaced_deployment(NAMESPACE, k8s.V1Deployment(metadata=meta, spec=spec))
    assert made.spec.template.spec.containers[0].resources.limits == {"cpu": "500m"}
    assert made.spec.strategy.rolling_update.max_surge == "25%"
    assert apps.read_namespaced_deployment_scale("dep", NAMESPACE).spec.replicas == 1
    assert apps.patch_namespaced_deployment_scale("dep", NAMESPACE, {"spec": {"replicas": 2}}).spec.replicas == 2
    assert core.list_node().items[0].status.capacity["pods"] == "110"
    assert core.list_event_for_all_namespaces(limit=1).items[0].involved_object.kind
    assert k8s.VersionApi(api).get_code().minor == "36"
    assert "apps" in [group.name for group in k8s.ApisApi(api).get_api_versions().groups]
    apps.delete_namespaced_deployment("dep", NAMESPACE)


def test_who_may_what(api: k8s.ApiClient, core: k8s.CoreV1Api) -> None:
    about = k8s.V1ResourceAttributes(verb="create", resource="pods", namespace=NAMESPACE)
    review = k8s.V1SelfSubjectAccessReview(spec=k8s.V1SelfSubjectAccessReviewSpec(resource_attributes=about))
    assert k8s.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed
    request = k8s.AuthenticationV1TokenRequest(spec=k8s.V1TokenRequestSpec(audiences=[], expiration_seconds=600))
    token = core.create_namespaced_service_account_token("default", NAMESPACE, request).status.token
    asked = k8s.V1TokenReview(spec=k8s.V1TokenReviewSpec(token=token))
    found = k8s.AuthenticationV1Api(api).create_token_review(asked).status
    assert found.user.username == f"system:serviceaccount:{NAMESPACE}:default"


def test_files_become_objects(api: k8s.ApiClient, core: k8s.CoreV1Api, tmp_path: Path) -> None:
    text = "\n---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {NAMESPACE}}}" for name in ("f1", "f2")
    )
    (tmp_path / "two.yaml").write_text(text)
    utils.create_from_yaml(api, str(tmp_path / "two.yaml"))
    assert core.read_namespaced_config_map("f2", NAMESPACE)


def test_server_side_apply_with_a_conflict(api: k8s.ApiClient) -> None:
    maps = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ssa"}, "data": {"k": "1"}}
    made = maps.server_side_apply(body=body, namespace=NAMESPACE, field_manager="one")
    assert made.data.k == "1"
    body["data"] = {"k": "2"}
    with pytest.raises(dynamic.exceptions.ConflictError) as conflict:
        maps.server_side_apply(body=body, namespace=NAMESPACE, field_manager="two")
    assert "conflict with" in str(conflict.value.body)
    assert ".data.k" in str(conflict.value.body)
    taken = maps.server_side_apply(body=body, namespace=NAMESPACE, field_manager="two", force_conflicts=True)
    assert taken.data.k == "2"
    assert [entry.manager for entry in taken.metadata.managedFields] == ["two"]


# Watches


class Following:
    """A watch of ConfigMaps in a thread; the names of what came, and how it ended."""

    def __init__(self, core: k8s.CoreV1Api, **options: Any) -> None:
        self.watch = watch.Watch()
        self.seen: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self._core, self._options = core, options
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for event in self.watch.stream(self._core.list_namespaced_config_map, NAMESPACE, **self._options):
                self.seen.append((event["type"], event["object"].metadata.name))
        except (HTTPError, k8s.ApiException) as error:
            self.error = error

    def await_event(self, kind: str, name: str) -> None:
        eventually(f"{kind} {name}", lambda: (kind, name) in self.seen)

    def await_end(self) -> Exception | None:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.error

    def stop(self) -> None:
        self.watch.stop()
        self.await_end()


def head(core: k8s.CoreV1Api) -> str:
    return str(core.list_namespaced_config_map(NAMESPACE).metadata.resource_version)


def test_a_watch_sees_every_change_in_order(core: k8s.CoreV1Api) -> None:
    following = Following(core, resource_version=head(core))
    core.create_namespaced_config_map(NAMESPACE, config_map("w", k="1"))
    core.patch_namespaced_config_map("w", NAMESPACE, {"data": {"k": "2"}})
    core.delete_namespaced_config_map("w", NAMESPACE)
    following.await_event("DELETED", "w")
    assert following.seen == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")]
    following.stop()


def test_a_watch_that_the_server_ends_goes_on_by_itself(core: k8s.CoreV1Api) -> None:
    first = Following(core, resource_version=head(core), timeout_seconds=1)
    core.create_namespaced_config_map(NAMESPACE, config_map("t1"))
    assert first.await_end() is None
    core.create_namespaced_config_map(NAMESPACE, config_map("t2"))
    second = Following(core, resource_version=first.watch.resource_version, timeout_seconds=1)
    assert second.await_end() is None
    assert (first.seen, second.seen) == ([("ADDED", "t1")], [("ADDED", "t2")])


def test_a_watch_goes_on_after_the_server_was_killed(sim_lab: Lab, core: k8s.CoreV1Api) -> None:
    following = Following(core, resource_version=head(core))
    core.create_namespaced_config_map(NAMESPACE, config_map("before"))
    following.await_event("ADDED", "before")
    sim_lab.kill("web")
    following.await_end()  # by itself, or with the broken connection as an error
    core.create_namespaced_config_map(NAMESPACE, config_map("meanwhile"))
    resumed = Following(core, resource_version=following.watch.resource_version)
    core.create_namespaced_config_map(NAMESPACE, config_map("after"))
    resumed.await_event("ADDED", "after")
    assert resumed.seen == [("ADDED", "meanwhile"), ("ADDED", "after")]
    resumed.stop()


def test_a_watch_from_too_long_ago_is_told_so_and_begins_anew(sim_lab: Lab, core: k8s.CoreV1Api) -> None:
    old = head(core)
    core.create_namespaced_config_map(NAMESPACE, config_map("newer"))
    compaction = "from podlab.storage import compaction; compaction.compact(0)"
    command = [sys.executable, "manage.py", "shell", "-c", compaction]
    subprocess.run(command, cwd=ROOT, env=sim_lab.environment, check=True, capture_output=True)
    late = Following(core, resource_version=old)
    error = late.await_end()
    assert isinstance(error, k8s.ApiException)
    assert error.status == 410
    assert "too old resource version" in str(error.reason)
    listed = core.list_namespaced_config_map(NAMESPACE)
    assert "newer" in [item.metadata.name for item in listed.items]
    anew = Following(core, resource_version=listed.metadata.resource_version)
    core.delete_namespaced_config_map("newer", NAMESPACE)
    anew.await_event("DELETED", "newer")
    anew.stop()


# Logs and streams


def test_a_log_is_read_and_followed(core: k8s.CoreV1Api, pod: str) -> None:
    following = watch.Watch()
    lines = []
    for line in following.stream(core.read_namespaced_pod_log, pod, NAMESPACE):
        lines.append(line)
        if len(lines) == 3:
            following.stop()
    assert lines == ["tick 1", "tick 2", "tick 3"]
    assert core.read_namespaced_pod_log(pod, NAMESPACE, limit_bytes=4) == "tick"
    assert core.read_namespaced_pod_log(pod, NAMESPACE, tail_lines=1, timestamps=True).count(" tick ") == 1


def test_exec_and_port_forward(core: k8s.CoreV1Api, pod: str) -> None:
    """On a node of the simulator; on Docker they are in test_lab_streams.py."""
    said = stream(core.connect_get_namespaced_pod_exec, pod, NAMESPACE, command=["hostname"], stdout=True)
    assert said == f"{pod}\n"
    caller = portforward(core.connect_get_namespaced_pod_portforward, pod, NAMESPACE, ports="8080").socket(8080)
    caller.setblocking(True)
    caller.settimeout(20)
    caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    received = b""
    while data := caller.recv(4096):
        received += data
    assert received.endswith(f"hello from {pod}\n".encode())


def test_a_pod_is_evicted_and_seen_to_go(core: k8s.CoreV1Api, pod: str) -> None:
    eviction = k8s.V1Eviction(
        metadata=k8s.V1ObjectMeta(name=pod), delete_options=k8s.V1DeleteOptions(grace_period_seconds=1)
    )
    core.create_namespaced_pod_eviction(pod, NAMESPACE, eviction)
    following = watch.Watch()
    selector = f"metadata.name={pod}"
    for event in following.stream(core.list_namespaced_pod, NAMESPACE, field_selector=selector, timeout_seconds=60):
        if event["type"] == "DELETED":
            following.stop()
    assert core.list_namespaced_pod(NAMESPACE, field_selector=selector).items == []
