"""Real kubectl, in every version there is, against the API over TLS. No kubelet runs here: pods stay Pending."""

from __future__ import annotations

import json
import subprocess

import pytest
from kubectl_server import Server

pytestmark = pytest.mark.kubectl

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  containers:
  - name: c
    image: busybox:1.36
    command: [sleep, "3600"]
"""


@pytest.fixture
def pod(server: Server, namespace: str) -> str:
    """A pod called web; its namespace."""
    server.run("apply", "-n", namespace, "-f", "-", stdin=POD)
    return namespace


def test_get_shows_the_columns_of_kubernetes(server: Server, pod: str) -> None:
    lines = server.run("get", "pods", "-n", pod).splitlines()
    assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert lines[1].split()[:4] == ["web", "0/1", "Pending", "0"]
    wide = server.run("get", "pod", "web", "-n", pod, "-o", "wide").splitlines()
    assert wide[0].split()[5:7] == ["IP", "NODE"]
    everywhere = server.run("get", "pods", "-A", "--show-labels")
    assert pod in everywhere
    assert "app=web" in everywhere


def test_get_gives_the_object(server: Server, pod: str) -> None:
    found = json.loads(server.run("get", "pod", "web", "-n", pod, "-o", "json"))
    assert (found["kind"], found["spec"]["restartPolicy"]) == ("Pod", "Always")
    assert "kind: Pod" in server.run("get", "pod", "web", "-n", pod, "-o", "yaml")
    listed = json.loads(server.run("get", "pods", "-n", pod, "-o", "json"))
    assert [item["metadata"]["name"] for item in listed["items"]] == ["web"]
    assert server.run("get", "pods", "-n", pod, "-o", "name").strip() == "pod/web"


def test_what_is_not_there(server: Server, namespace: str) -> None:
    text = server.run("get", "pod", "none", "-n", namespace, code=1)
    assert 'Error from server (NotFound): pods "none" not found' in text


def test_apply_creates_then_updates(server: Server, namespace: str) -> None:
    assert "pod/web created" in server.run("apply", "-n", namespace, "-f", "-", stdin=POD)
    assert "pod/web unchanged" in server.run("apply", "-n", namespace, "-f", "-", stdin=POD)
    changed = POD.replace("busybox:1.36", "busybox:1.37")
    assert "pod/web configured" in server.run("apply", "-n", namespace, "-f", "-", stdin=changed)
    image = server.run("get", "pod", "web", "-n", namespace, "-o", "jsonpath={.spec.containers[0].image}")
    assert image == "busybox:1.37"


def test_apply_with_a_server_side_dry_run_stores_nothing(server: Server, namespace: str) -> None:
    out = server.run("apply", "-n", namespace, "--dry-run=server", "-f", "-", stdin=POD)
    assert "created (server dry run)" in out
    server.run("get", "pod", "web", "-n", namespace, code=1)


def test_an_unknown_field_is_refused_by_the_server(server: Server, namespace: str) -> None:
    text = server.run("apply", "-n", namespace, "-f", "-", stdin=POD + "  bogus: 1\n", code=1)
    assert "strict decoding error: unknown field" in text
    assert "spec.bogus" in text
    warned = server.run("apply", "-n", namespace, "--validate=warn", "-f", "-", stdin=POD + "  bogus: 1\n", code=None)
    assert "pod/web created" in warned


def test_describe(server: Server, pod: str) -> None:
    text = server.run("describe", "pod", "web", "-n", pod)
    assert "Name:             web" in text
    assert "Events:" in text


def test_watch_sees_a_change_and_the_end(server: Server, pod: str) -> None:
    command = server.command("get", "pods", "-n", pod, "-w", "-o", "name")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=server.environment()) as watching:
        assert watching.stdout is not None
        try:
            assert watching.stdout.readline().strip() == "pod/web"
            server.run("label", "pod", "web", "-n", pod, "x=y")
            assert watching.stdout.readline().strip() == "pod/web"
        finally:
            watching.terminate()


def test_label_annotate_and_patch(server: Server, pod: str) -> None:
    server.run("label", "pod", "web", "-n", pod, "x=y", "app-")
    server.run("annotate", "pod", "web", "-n", pod, "note=well")
    server.run("patch", "pod", "web", "-n", pod, "-p", '{"metadata":{"labels":{"z":"1"}}}')
    server.run(
        "patch", "pod", "web", "-n", pod, "--type=json", "-p", '[{"op":"add","path":"/metadata/labels/j","value":"1"}]'
    )
    server.run("patch", "pod", "web", "-n", pod, "--type=merge", "-p", '{"metadata":{"labels":{"z":null}}}')
    metadata = json.loads(server.run("get", "pod", "web", "-n", pod, "-o", "json"))["metadata"]
    assert metadata["labels"] == {"x": "y", "j": "1"}
    assert metadata["annotations"]["note"] == "well"


def test_delete_waits_until_the_pod_is_gone(server: Server, pod: str) -> None:
    assert 'pod "web" deleted' in server.run("delete", "pod", "web", "-n", pod)
    server.run("get", "pod", "web", "-n", pod, code=1)


def test_create_from_a_file(server: Server, namespace: str) -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\nstringData: {word: sesame}\n"
    )
    out = server.run("create", "-n", namespace, "-f", "-", stdin=text)
    assert out.split("\n")[:2] == ["configmap/settings created", "secret/hidden created"]
    again = server.run("create", "-n", namespace, "-f", "-", stdin=text, code=1)
    assert 'configmaps "settings" already exists' in again
    word = server.run("get", "secret", "hidden", "-n", namespace, "-o", "jsonpath={.data.word}")
    assert word == "c2VzYW1l"


def test_run_makes_a_pod(server: Server, namespace: str) -> None:
    server.run("run", "quick", "-n", namespace, "--image=busybox:1.36", "--", "true")
    assert "quick" in server.run("get", "pods", "-n", namespace, "-l", "run=quick")


def test_explain_reads_the_schema(server: Server) -> None:
    text = server.run("explain", "pod.spec.containers.livenessProbe")
    assert "failureThreshold" in text
    assert "Periodic probe of container liveness" in text


def test_api_resources_lists_what_is_served(server: Server) -> None:
    lines = server.run("api-resources").splitlines()
    pods = next(line for line in lines if line.startswith("pods "))
    assert pods.split() == ["pods", "po", "v1", "true", "Pod"]
    assert "Server Version: v1.36" in server.run("version", code=None)


def test_logs_of_a_pod_without_a_node_are_empty(server: Server, pod: str) -> None:
    assert server.run("logs", "web", "-n", pod) == ""


def test_another_cluster_lives_below_its_path(server: Server, pod: str) -> None:
    assert "node-x" in server.run("get", "nodes", cluster="other")
    assert pod not in server.run("get", "namespaces", cluster="other")
    assert "node-a" in server.run("get", "nodes")


def test_wait_and_rollout_style_watches_end(server: Server, pod: str) -> None:
    text = server.run("wait", "pod/web", "-n", pod, "--for=condition=Ready", "--timeout=1s", code=1)
    assert "timed out waiting for the condition" in text
