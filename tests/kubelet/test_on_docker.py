"""The kubelet with its real neighbours: store, registry, hub and a Docker engine, on real time."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from podlab import settings
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.clock import monotonic, pause, wall_now
from podlab.kubelet.node_host import NodeHost
from podlab.registry import clusters
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.runtime.docker import DockerRuntime
from podlab.storage import history
from podlab.storage.hub import Hub

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]
T = TypeVar("T")
NODE = "node-a"


@pytest.fixture(scope="module")
def busybox() -> None:
    script = Path(__file__).parents[1] / "images" / "build.sh"
    subprocess.run([str(script)], check=True, timeout=120)


class Node:
    """One Docker node of cluster main, whose agent can be replaced."""

    def __init__(self, folder: Path) -> None:
        self._lab = f"test-{uuid.uuid4().hex[:8]}"
        self._folder = folder
        clusters.ensure_main("docker")
        self.client = Client("main", system("test"), wall_now)
        self._hub: Hub | None = None
        self._host: NodeHost | None = None
        self.boot()

    def boot(self) -> None:
        self._hub = Hub(poll=0.05, redis=False)
        self._host = NodeHost(
            cluster="main",
            nodes=(NODE,),
            make_runtime=self.runtime,
            hub=self._hub,
            data=self._folder,
            send=_no_broker,
        )
        self._host.start()

    def crash(self) -> None:
        assert self._host is not None
        assert self._hub is not None
        self._host.stop()
        self._hub.close()

    def runtime(self, node: str = NODE) -> DockerRuntime:
        return DockerRuntime(
            lab=self._lab,
            cluster="main",
            node=node,
            base_url=settings.PODLAB_DOCKER_HOST,
            pause_image=settings.PODLAB_PAUSE_IMAGE,
            network=settings.PODLAB_DOCKER_NETWORK,
        )

    def close(self) -> None:
        self.crash()
        runtime = self.runtime()
        for status in runtime.list_pods().values():
            for container in status.containers:
                runtime.remove_container(container.id)
            for sandbox in status.sandboxes:
                runtime.remove_sandbox(sandbox.id)
        runtime.close()

    def run(self, script: str, *, grace: int = 1, policy: str = "Always", **container: Any) -> None:
        main = {"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", script], **container}
        spec = {
            "containers": [main],
            "restartPolicy": policy,
            "terminationGracePeriodSeconds": grace,
            "automountServiceAccountToken": False,
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
        self.client.create("pods", pod, namespace="default")
        self.client.bind("default", "p", NODE)

    @property
    def pod(self) -> Manifest:
        return self.client.get("pods", "default", "p").obj

    def phase(self) -> str:
        return str(self.pod["status"]["phase"])

    def main(self) -> Manifest:
        return dict((self.pod["status"].get("containerStatuses") or [{}])[0])

    def waiting(self) -> str:
        return str((self.main().get("state") or {}).get("waiting", {}).get("reason", ""))

    def gone(self) -> bool:
        try:
            return not self.pod
        except ApiError as error:
            return error.code == 404

    def events(self, reason: str) -> list[str]:
        items = self.client.list("events", "default").items
        return [item.obj["message"] for item in items if item.obj["reason"] == reason]

    def listing(self) -> dict[str, Any]:
        runtime = self.runtime()
        try:
            return dict(runtime.list_pods())
        finally:
            runtime.close()

    def log(self, attempt: int = 0) -> str:
        uid = self.pod["metadata"]["uid"]
        path = self._folder / "logs" / "main" / "pods" / f"default_p_{uid}" / "main" / f"{attempt}.log"
        return path.read_text() if path.exists() else ""


def _no_broker(cluster: str, node: str, uid: str) -> None:
    raise ConnectionError("there is no broker in this test")


def eventually(condition: Callable[[], T], within: float = 20.0) -> T:
    until = monotonic() + within
    while not (found := condition()):
        assert monotonic() < until, f"not within {within} s; last seen: {found!r}"
        pause(0.02)
    return found


@pytest.fixture
def node(busybox: None, tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    made.close()


SERVE = "trap 'exit 0' TERM; echo up; while true; do sleep 3600 & wait; done"


def test_a_pod_runs_writes_its_log_and_goes_with_grace(node: Node) -> None:
    node.run(SERVE, grace=20)
    eventually(lambda: node.main().get("ready"))
    assert node.phase() == "Running"
    assert node.pod["status"]["podIP"]
    eventually(lambda: "stdout F up" in node.log())
    assert node.events("Started") == ["Container started"]
    node.client.delete("pods", "default", "p")
    eventually(node.gone, within=10)
    assert node.events("Killing") == ["Stopping container main"]
    assert node.listing() == {}


def test_exit_1_restarts_at_once_then_backs_off_ten_seconds(node: Node) -> None:
    node.run("echo boom; exit 1")
    eventually(lambda: node.waiting() == "CrashLoopBackOff")
    assert node.main()["restartCount"] == 1
    assert node.main()["lastState"]["terminated"]["exitCode"] == 1
    assert "back-off 10s restarting failed container=main" in node.main()["state"]["waiting"]["message"]
    eventually(lambda: node.main()["restartCount"] == 2, within=15)
    runs = history.runs_of("main", node.pod["metadata"]["uid"])
    first, second, third = sorted(runs, key=lambda run: run.attempt)[:3]
    assert second.started_at is not None
    assert third.started_at is not None
    assert first.finished_at is not None
    assert second.finished_at is not None
    assert (second.started_at - first.finished_at).total_seconds() < 3
    assert 10 <= (third.started_at - second.finished_at).total_seconds() < 13
    assert first.stop_why == "its process ended by itself with exit code 1"


def test_a_failing_liveness_probe_kills_and_restarts_with_a_why(node: Node) -> None:
    probe = {"exec": {"command": ["cat", "/tmp/ok"]}, "periodSeconds": 1, "failureThreshold": 2}
    node.run("touch /tmp/ok; sleep 2; rm /tmp/ok; sleep 60", livenessProbe=probe)
    eventually(lambda: node.main().get("restartCount") == 1)
    assert node.events("Killing") == ["Container main failed liveness probe, will be restarted"]
    assert node.events("Unhealthy") == ["Liveness probe failed: cat: can't open '/tmp/ok': No such file or directory\n"]
    uid = node.pod["metadata"]["uid"]
    first = next(run for run in history.runs_of("main", uid) if run.attempt == 0)
    assert first.stop_why.startswith("liveness probe failed 2 times in a row: cat: can't open")
    assert first.exit_code == 137
    eventually(lambda: any(row.caused == "restart" for row in history.probes_of("main", uid)))


def test_an_image_that_cannot_be_pulled_backs_off(node: Node) -> None:
    node.run("true", image="registry.invalid/x:1")
    eventually(lambda: node.waiting() == "ImagePullBackOff", within=60)
    assert node.events("BackOff") == ['Back-off pulling image "registry.invalid/x:1"']
    assert "Error: ErrImagePull" in node.events("Failed")
    assert node.phase() == "Pending"


def test_a_command_that_does_not_exist_fails_a_pod_that_never_restarts(node: Node) -> None:
    node.run("", policy="Never", command=["/bin/nope"])
    eventually(lambda: node.phase() == "Failed")
    assert node.main()["state"]["terminated"]["reason"] in ("ContainerCannotRun", "StartError")


def test_a_new_agent_takes_running_pods_over_without_touching_them(node: Node) -> None:
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1}
    node.run("i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done", readinessProbe=probe)
    eventually(lambda: node.main().get("ready"))
    before = node.main()
    version = node.pod["metadata"]["resourceVersion"]
    node.crash()
    pause(1)
    node.boot()
    seen = len(node.log().splitlines())
    eventually(lambda: len(node.log().splitlines()) > seen + 5)
    assert node.main() == before
    assert node.pod["metadata"]["resourceVersion"] == version
    numbers = [int(line.rsplit(" ", 1)[1]) for line in node.log().splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_containers_of_a_pod_that_vanished_meanwhile_are_removed(node: Node) -> None:
    node.run("sleep 3600", grace=1)
    eventually(lambda: node.main().get("ready"))
    node.crash()
    node.client.delete("pods", "default", "p", grace=0)
    assert node.gone()
    node.boot()
    eventually(lambda: node.listing() == {})


def test_a_container_that_dies_while_no_agent_is_there_is_restarted_by_the_next(node: Node) -> None:
    node.run("sleep 1; exit 3")
    eventually(lambda: node.main().get("ready"))
    node.crash()
    pause(2)
    node.boot()
    eventually(lambda: node.main()["restartCount"] == 1)
    assert node.main()["lastState"]["terminated"]["exitCode"] == 3


def test_the_end_of_the_termination_message_is_kept(node: Node) -> None:
    script = (
        "for i in $(seq 1000); do echo -n 0123456789; done > /dev/termination-log; echo -n end >> /dev/termination-log"
    )
    node.run(script, policy="Never")
    eventually(lambda: node.phase() == "Succeeded")
    message = node.main()["state"]["terminated"]["message"]
    assert len(message) == 4096
    assert message.endswith("789end")


def test_config_and_volumes_reach_the_container(node: Node) -> None:
    node.client.create("configmaps", {"metadata": {"name": "cfg"}, "data": {"msg": "hello"}}, namespace="default")
    main = {
        "name": "main",
        "image": "busybox:1.36",
        "command": ["sh", "-c", 'echo "$GREETING $(cat /c/msg) $ME"'],
        "env": [
            {"name": "GREETING", "valueFrom": {"configMapKeyRef": {"name": "cfg", "key": "msg"}}},
            {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "volumeMounts": [{"name": "c", "mountPath": "/c"}, {"name": "e", "mountPath": "/e"}],
    }
    spec = {
        "containers": [main],
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "volumes": [{"name": "c", "configMap": {"name": "cfg"}}, {"name": "e", "emptyDir": {}}],
    }
    node.client.create(
        "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}, namespace="default"
    )
    node.client.bind("default", "p", NODE)
    eventually(lambda: node.phase() == "Succeeded")
    assert node.log().splitlines()[0].endswith("stdout F hello hello p")
