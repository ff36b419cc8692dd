"""A whole lab on real Docker: what `docker ps` shows, back-off, probes, kill -9 of each process, no orphans."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.whole_lab import Lab, eventually

SAMPLES = Path(__file__).resolve().parent.parent.parent / "docs" / "samples"
pytestmark = [pytest.mark.lab, pytest.mark.docker]


def container_status(lab: Lab, pod: str) -> dict[str, Any]:
    found = (lab.pod(pod) or {}).get("status", {}).get("containerStatuses", [])
    return found[0] if found else {}


def apply_ready(lab: Lab, name: str) -> None:
    manifest = (SAMPLES / "hello.yaml").read_text().replace("name: hello", f"name: {name}", 1)
    lab.kubectl("apply", "-f", "-", stdin=manifest)
    lab.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def test_docker_shows_pause_and_container_sharing_one_network(docker_lab: Lab) -> None:
    apply_ready(docker_lab, "hello")
    mine = [name for name in docker_lab.containers() if "_hello_" in name]
    assert len(mine) == 2, mine
    web = next(name for name in mine if "POD" not in name)
    inspected = json.loads(subprocess.run(["docker", "inspect", web], capture_output=True, check=True).stdout)[0]
    assert inspected["HostConfig"]["NetworkMode"].startswith("container:")
    assert inspected["HostConfig"]["IpcMode"].startswith("container:")
    assert "hello" in docker_lab.kubectl("logs", "hello") or "tick" in docker_lab.kubectl("logs", "hello")


def test_exit_1_backs_off_and_restarts(docker_lab: Lab) -> None:
    docker_lab.kubectl("apply", "-f", str(SAMPLES / "crash-loop.yaml"))

    def backing_off() -> str:
        waiting = container_status(docker_lab, "crash-loop").get("state", {}).get("waiting", {})
        return waiting.get("message", "") if waiting.get("reason") == "CrashLoopBackOff" else ""

    message = eventually("CrashLoopBackOff", backing_off, 60)
    assert message.startswith("back-off 10s restarting failed container=app pod=crash-loop_default(")
    assert "giving up" in docker_lab.kubectl("logs", "crash-loop")
    # As on a node that keeps one dead container of a name.
    assert docker_lab.kubectl("logs", "crash-loop", "--previous").startswith(
        "unable to retrieve container logs for docker://"
    )
    eventually("the second restart", lambda: container_status(docker_lab, "crash-loop").get("restartCount", 0) >= 2, 60)
    docker_lab.kubectl("delete", "pod", "crash-loop", "--timeout=60s")


def test_failing_liveness_kills_and_restarts_with_its_reason(docker_lab: Lab) -> None:
    docker_lab.kubectl("apply", "-f", str(SAMPLES / "failing-liveness.yaml"))
    eventually("a restart", lambda: container_status(docker_lab, "failing-liveness").get("restartCount", 0) >= 1, 60)
    events = docker_lab.kubectl("get", "events", "--field-selector", "involvedObject.name=failing-liveness")
    assert "Liveness probe failed: cat: can't open '/tmp/healthy'" in events
    assert "Container app failed liveness probe, will be restarted" in events
    docker_lab.kubectl("delete", "pod", "failing-liveness", "--timeout=60s")


def test_deletion_leaves_no_container(docker_lab: Lab) -> None:
    apply_ready(docker_lab, "short-lived")
    docker_lab.kubectl("delete", "pod", "short-lived", "--timeout=60s")
    eventually("its containers are gone", lambda: not [n for n in docker_lab.containers() if "_short-lived_" in n], 30)


@pytest.mark.parametrize("role", ["node", "control", "web", "redis", "sim"])
def test_kill_9_of_each_process_restarts_no_container(docker_lab: Lab, role: str) -> None:
    name = f"steady-{role}"
    apply_ready(docker_lab, name)
    before = container_status(docker_lab, name)
    docker_lab.kill(role)
    apply_ready(docker_lab, f"after-{role}")  # the lab works
    after = container_status(docker_lab, name)
    assert after["containerID"] == before["containerID"]
    assert after["restartCount"] == 0
    lines = docker_lab.kubectl("logs", name).splitlines()
    eventually("the log goes on", lambda: len(docker_lab.kubectl("logs", name).splitlines()) > len(lines) + 1, 30)
    numbers = [int(line.split()[1]) for line in docker_lab.kubectl("logs", name).splitlines() if "tick" in line]
    assert numbers == list(range(1, len(numbers) + 1)), "a log line was lost or doubled"
    docker_lab.kubectl("delete", "pod", name, f"after-{role}", "--timeout=60s")


def test_a_pod_deleted_while_the_node_is_down_leaves_no_orphan(docker_lab: Lab) -> None:
    apply_ready(docker_lab, "orphan")
    docker_lab.kubectl("delete", "pod", "orphan", "--wait=false", "--grace-period=10")
    docker_lab.kill("node")
    eventually("the pod is gone", lambda: docker_lab.pod("orphan") is None, 60)
    eventually("its containers are gone", lambda: not [n for n in docker_lab.containers() if "_orphan_" in n], 60)
    soon = '{"spec": {"terminationGracePeriodSeconds": 5}}'  # its process knows no TERM
    run = ("run", "forced", "--image=busybox:1.36", "--restart=Never", f"--overrides={soon}")
    docker_lab.kubectl(*run, "--", "sleep", "3600")
    docker_lab.kubectl("wait", "--for=condition=Ready", "pod/forced", "--timeout=60s")
    docker_lab.kubectl("delete", "pod", "forced", "--force", "--grace-period=0")
    docker_lab.kill("node")
    eventually("the forced one is gone", lambda: not [n for n in docker_lab.containers() if "_forced_" in n], 60)


def test_two_labs_do_not_see_each_other(docker_lab: Lab, tmp_path: Path) -> None:
    other = Lab(tmp_path / "other", "docker")
    apply_ready(docker_lab, "neighbour")
    try:
        other.start()
        assert not other.containers()
        assert other.pod("neighbour") is None
        assert container_status(docker_lab, "neighbour")["restartCount"] == 0
    finally:
        other.stop()
    assert [name for name in docker_lab.containers() if "_neighbour_" in name]
    docker_lab.kubectl("delete", "pod", "neighbour", "--timeout=60s")


def test_a_claim_outlives_its_pod_and_goes_with_its_folder(docker_lab: Lab) -> None:
    for visits in (1, 2):
        docker_lab.kubectl("apply", "-f", str(SAMPLES / "claim.yaml"))
        docker_lab.kubectl("wait", "--for=condition=Ready", "pod/notes", "--timeout=60s")
        eventually("its line", lambda n=visits: docker_lab.kubectl("logs", "notes").strip() == str(n), 20)
        docker_lab.kubectl("delete", "pod", "notes", "--timeout=60s")
    volume = docker_lab.kubectl("get", "pvc", "notes", "-o", "jsonpath={.spec.volumeName}")
    path = Path(docker_lab.kubectl("get", "pv", volume, "-o", "jsonpath={.spec.local.path}"))
    assert path.name == volume
    assert len((path / "visits").read_text().splitlines()) == 2
    docker_lab.kubectl("delete", "pvc", "notes", "--timeout=60s")
    eventually("the folder is gone", lambda: not path.exists(), 90)
