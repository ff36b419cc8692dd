"""The kubelet with its real neighbours: store, registry, hub and a Docker engine, on real time."""

from __future__ import annotations

import pytest
from docker_node import NODE, Node, eventually

from podlab.clock import pause
from podlab.storage import history

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]


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


def test_exit_1_restarts_at_once_then_backs_off_for_ten_seconds(node: Node) -> None:
    node.run("echo boom; exit 1")
    eventually(lambda: node.events("BackOff"))
    eventually(lambda: (node.main()["state"].get("waiting") or {}).get("reason") == "CrashLoopBackOff")
    assert node.main()["lastState"]["terminated"]["exitCode"] == 1
    assert node.main()["restartCount"] == 1
    eventually(lambda: node.main()["restartCount"] == 2)
    uid = node.pod["metadata"]["uid"]
    eventually(lambda: len(history.runs_of("main", uid)) >= 3)  # a status may be there a moment before the run's row
    first, second, third = sorted(history.runs_of("main", uid), key=lambda run: run.attempt)[:3]
    assert second.started_at is not None
    assert third.started_at is not None
    assert first.finished_at is not None
    assert second.finished_at is not None
    assert (second.started_at - first.finished_at).total_seconds() < 3
    assert 10 <= (third.started_at - second.finished_at).total_seconds() < 15
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
