"""A whole lab without Docker: start, a pod's life through kubectl, stop, and a quick second start."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.whole_lab import ROOT, Lab, eventually

SAMPLES = Path(__file__).resolve().parent.parent.parent / "docs" / "samples"
pytestmark = pytest.mark.lab


def test_the_sample_pod_runs_and_is_labelled_simulated(sim_lab: Lab) -> None:
    assert "SIMULATED" in sim_lab.said
    sim_lab.kubectl("apply", "-f", str(SAMPLES / "hello.yaml"))
    sim_lab.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=60s")
    pod = sim_lab.pod("hello")
    assert pod is not None
    assert pod["status"]["phase"] == "Running"
    node = sim_lab.api("GET", f"/api/v1/nodes/{pod['spec']['nodeName']}")[1]
    assert node["metadata"]["labels"]["podlab.dev/simulated"] == "true"


def test_logs_arrive_while_they_are_followed(sim_lab: Lab) -> None:
    sim_lab.kubectl("apply", "-f", str(SAMPLES / "hello.yaml"))
    sim_lab.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=60s")
    eventually("three ticks", lambda: "tick 3" in sim_lab.kubectl("logs", "hello"), 30)


def test_a_failing_liveness_probe_restarts_the_container(sim_lab: Lab) -> None:
    sim_lab.kubectl("apply", "-f", str(SAMPLES / "failing-liveness.yaml"))

    def restarted() -> bool:
        pod = sim_lab.pod("failing-liveness")
        statuses = (pod or {}).get("status", {}).get("containerStatuses", [])
        return bool(statuses) and statuses[0]["restartCount"] >= 1

    eventually("a restart", restarted, 60)
    events = sim_lab.kubectl("get", "events", "--field-selector", "involvedObject.name=failing-liveness")
    assert "Unhealthy" in events
    assert "Container app failed liveness probe, will be restarted" in events


def test_delete_takes_the_pod_away_after_its_grace(sim_lab: Lab) -> None:
    sim_lab.kubectl("apply", "-f", str(SAMPLES / "hello.yaml"))
    sim_lab.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=60s")
    sim_lab.kubectl("delete", "pod", "hello", "--timeout=60s")
    assert sim_lab.pod("hello") is None


def test_files_that_hold_secrets_are_private(sim_lab: Lab) -> None:
    for name in ("kubeconfig", "secret-key", "pki/ca.key", "pki/server.key", "pki/admin.token"):
        mode = stat.S_IMODE((sim_lab.data / name).stat().st_mode)
        assert mode == 0o600, name


def test_there_is_one_pid_file_per_process(sim_lab: Lab) -> None:
    for role in ("redis", "control", "sim", "web"):
        os.kill(sim_lab.pid(role), 0)


@pytest.mark.parametrize("role", ["web", "sim", "control", "redis"])
def test_a_killed_process_comes_back_and_nothing_is_lost(sim_lab: Lab, role: str) -> None:
    sim_lab.kubectl("delete", "pod", "survivor", "--ignore-not-found", "--timeout=60s")
    manifest = (SAMPLES / "hello.yaml").read_text().replace("name: hello", "name: survivor", 1)
    sim_lab.kubectl("apply", "-f", "-", stdin=manifest)
    sim_lab.kubectl("wait", "--for=condition=Ready", "pod/survivor", "--timeout=60s")
    before = sim_lab.pod("survivor")
    sim_lab.kill(role)
    after = eventually("the pod is there", lambda: sim_lab.pod("survivor"), 30)
    assert before is not None
    for pod in (before, after):
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    assert (
        after["status"]["containerStatuses"][0]["containerID"]
        == before["status"]["containerStatuses"][0]["containerID"]
    )
    ticks = sim_lab.kubectl("logs", "survivor").splitlines()
    eventually("the log goes on", lambda: len(sim_lab.kubectl("logs", "survivor").splitlines()) > len(ticks) + 1, 30)
    lines = sim_lab.kubectl("logs", "survivor").splitlines()
    assert lines == sorted(set(lines), key=lines.index), "a log line came twice"


def test_the_second_start_finds_everything_and_is_quick(sim_lab: Lab) -> None:
    sim_lab.kubectl("apply", "-f", str(SAMPLES / "hello.yaml"))
    sim_lab.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=60s")
    before = sim_lab.pod("hello")
    sim_lab.stop()
    assert not list((sim_lab.data / "pids").glob("*.pid"))
    sim_lab.start()
    after = sim_lab.pod("hello")
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_killed_supervisor_takes_its_processes_along_and_the_next_start_goes_on(sim_lab: Lab) -> None:
    sim_lab.kubectl("apply", "-f", str(SAMPLES / "hello.yaml"))
    sim_lab.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=60s")
    before = sim_lab.pod("hello")
    pids = {role: sim_lab.pid(role) for role in ("redis", "control", "sim", "web")}
    assert sim_lab.process is not None
    sim_lab.process.send_signal(signal.SIGKILL)
    sim_lab.process.wait()
    for role, pid in pids.items():
        eventually(f"{role} is gone", lambda pid=pid: not Path(f"/proc/{pid}").exists(), 30)
    sim_lab.start()
    after = sim_lab.pod("hello")
    assert before is not None
    assert after is not None
    assert after["status"]["containerStatuses"] == before["status"]["containerStatuses"]


def test_make_up_and_make_down(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "data", "sim")
    lab.command = ["make", "up"]
    lab.start()
    process, lab.process = lab.process, None
    assert process is not None
    subprocess.run(["make", "down"], cwd=ROOT, env=lab.environment, check=True, capture_output=True, timeout=60)
    assert process.wait(30) == 0
    assert not list((lab.data / "pids").glob("*.pid"))


def test_a_second_lab_on_the_same_folder_is_refused(sim_lab: Lab) -> None:
    done = subprocess.run(
        sim_lab.command, cwd=ROOT, env=sim_lab.environment, text=True, capture_output=True, timeout=30
    )
    assert done.returncode == 1
    assert "is running already; `make down` stops it" in done.stderr


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_tools_find_their_doors_on_both_ports(sim_lab: Lab, path: str) -> None:
    with urllib.request.urlopen(f"{sim_lab.url}{path}", timeout=10) as answer:
        assert answer.status == 200
    assert sim_lab.kubectl("get", "--raw", path)


def test_the_api_answers_on_the_port_for_people_too_by_token(sim_lab: Lab) -> None:
    request = urllib.request.Request(
        f"{sim_lab.url}/api/v1/namespaces/default", headers={"Authorization": f"Bearer {sim_lab.token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert b'"kind":"Namespace"' in answer.read()
