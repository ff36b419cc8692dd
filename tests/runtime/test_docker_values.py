"""The parts of the Docker runtime that need no engine: frames, status values, the pause program."""

from __future__ import annotations

import platform
import signal
import struct
import subprocess
import tarfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from podlab.runtime.calls import ExecResult
from podlab.runtime.docker import labels, naming, pause, status
from podlab.runtime.docker.engine import answers
from podlab.runtime.docker.frames import split
from podlab.runtime.docker.images import Layers
from podlab.runtime.docker.labels import Scope
from podlab.runtime.docker.runtime import DockerRuntime
from podlab.runtime.errors import Unavailable
from podlab.runtime.interface import ContainerConfig, ContainerState, PodRef, SandboxConfig

SCOPE = Scope("lab", "main", "node-a")
POD = PodRef("default", "web", "8a7b")


@pytest.mark.parametrize("size", [1, 3, 8, 9, 1000])
def test_frames_do_not_care_about_the_chunks_they_come_in(size: int) -> None:
    frames = [(1, b"out\n"), (2, b""), (2, b"err\n"), (1, b"x" * 300)]
    data = b"".join(struct.pack(">BxxxL", kind, len(text)) + text for kind, text in frames)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    expected = [("stdout" if kind == 1 else "stderr", text) for kind, text in frames]
    assert list(split(chunks)) == expected
    assert list(split([data[:-1]])) == expected[:-1]


def test_names_are_kubernetes_own_behind_the_nodes_prefix() -> None:
    assert naming.container_name(SCOPE, POD, "main", 3) == f"{SCOPE.prefix}_k8s_main_web_default_8a7b_3"
    assert naming.sandbox_name(SCOPE, POD, 0) == f"{SCOPE.prefix}_k8s_POD_web_default_8a7b_0"


def test_every_part_of_the_scope_changes_the_names() -> None:
    scopes = [SCOPE, Scope("other", "main", "node-a"), Scope("lab", "other", "node-a"), Scope("lab", "main", "node-b")]
    assert len({scope.prefix for scope in scopes}) == 4


def test_a_pods_labels_cannot_pretend_to_be_somebody_elses() -> None:
    forged = {labels.LAB: "other", labels.TYPE: labels.CONTAINER, labels.POD_UID: "other", "app": "web"}
    found = labels.of_sandbox(SCOPE, SandboxConfig(pod=POD, attempt=0, hostname="web", labels=forged))
    assert (found[labels.LAB], found[labels.TYPE], found[labels.POD_UID]) == ("lab", labels.SANDBOX, "8a7b")
    assert found["app"] == "web"


NEVER = "0001-01-01T00:00:00Z"
STARTED, FINISHED = "2026-11-21T02:00:01.5Z", "2026-11-21T02:00:03.123456789Z"
MADE = datetime(2026, 11, 21, 2, 0, 0, tzinfo=UTC)
AT = datetime(2026, 11, 21, 2, 0, 1, 500000, tzinfo=UTC)
TO = datetime(2026, 11, 21, 2, 0, 3, 123456, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BASE = {"OOMKilled": False, "ExitCode": 0, "Error": "", "StartedAt": STARTED, "FinishedAt": FINISHED}
STATES: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "created": (
        {"Status": "created", "StartedAt": NEVER, "FinishedAt": NEVER},
        (ContainerState.CREATED, None, None, None, ""),
    ),
    "running": ({"Status": "running", "FinishedAt": NEVER}, (ContainerState.RUNNING, AT, None, None, "")),
    "completed": ({"Status": "exited"}, (ContainerState.EXITED, AT, TO, 0, "Completed")),
    "failed": ({"Status": "exited", "ExitCode": 3}, (ContainerState.EXITED, AT, TO, 3, "Error")),
    "exited 127 by itself": ({"Status": "exited", "ExitCode": 127}, (ContainerState.EXITED, AT, TO, 127, "Error")),
    "out of memory": (
        {"Status": "exited", "ExitCode": 137, "OOMKilled": True},
        (ContainerState.EXITED, AT, TO, 137, "OOMKilled"),
    ),
    "half removed": ({"Status": "removing", "ExitCode": 137}, (ContainerState.EXITED, AT, TO, 137, "Error")),
    "ended before it began, by the engine's clocks": (
        {"Status": "exited", "FinishedAt": "2026-11-21T02:00:01.4Z"},
        (ContainerState.EXITED, AT, AT, 0, "Completed"),
    ),
    "could not start": (
        {"Status": "created", "ExitCode": 127, "Error": "OCI", "StartedAt": NEVER, "FinishedAt": NEVER},
        (ContainerState.EXITED, EPOCH, MADE, 128, "StartError"),
    ),
    "a state nobody knows": ({"Status": "dreaming"}, (ContainerState.UNKNOWN, AT, None, None, "")),
}


@pytest.mark.parametrize("case", STATES)
def test_container_states(case: str) -> None:
    changes, expected = STATES[case]
    config = ContainerConfig(pod=POD, name="main", attempt=2, image="busybox:1.36", hash="h", grace_seconds=9)
    found = status.container(
        {
            "Id": "c1",
            "Image": "sha256:abc",
            "Created": "2026-11-21T02:00:00Z",
            "Config": {"Labels": labels.of_container(SCOPE, "s1", config)},
            "State": BASE | changes,
        }
    )
    assert (found.state, found.started_at, found.finished_at, found.exit_code, found.reason) == expected
    assert (found.id, found.pod, found.name, found.attempt, found.sandbox_id) == ("c1", POD, "main", 2, "s1")
    assert (found.image, found.image_id, found.hash, found.grace_seconds) == ("busybox:1.36", "sha256:abc", "h", 9)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_pause_image_is_the_same_every_time(machine: str) -> None:
    assert pause.archive(machine) == pause.archive(machine)
    with tarfile.open(fileobj=BytesIO(pause.archive(machine))) as tar:
        (entry,) = tar.getmembers()
        data = tar.extractfile(entry)
        assert data is not None
        assert (entry.name, entry.mode, entry.mtime, data.read()) == ("pause", 0o755, 0, pause.program(machine))


def test_the_pause_program_differs_by_machine_and_an_unknown_one_is_refused() -> None:
    assert pause.tag("x86_64") != pause.tag("aarch64")
    with pytest.raises(ValueError, match="PODLAB_PAUSE_IMAGE"):
        pause.tag("pdp11")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_pause_program_waits_until_it_is_told(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "pause"
    file.write_bytes(pause.program(platform.machine()))
    file.chmod(0o755)
    with subprocess.Popen([str(file)]) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.send_signal(signal.SIGCHLD)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.send_signal(number)
        assert process.wait(5) == 0


def test_without_an_engine_everything_is_unavailable(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/nobody.sock"
    assert not answers(url)
    runtime = DockerRuntime(lab="l", cluster="main", node="n", base_url=url)
    for call in (runtime.machine, runtime.list_pods, lambda: runtime.remove_container("x"), lambda: runtime.image("x")):
        with pytest.raises(Unavailable, match="Docker engine"):
            call()
    reports: list[ExecResult] = []
    runtime.exec_sync("x", ("true",), 1, reports.append)
    runtime.close()
    with pytest.raises(Unavailable, match="closed"):
        runtime.exec_sync("x", ("true",), 1, reports.append)


def test_the_layers_of_a_pull_are_added_up() -> None:
    layers = Layers("a:1")

    def told(id: str, status: str, current: int = 0, total: int = 0) -> tuple[int, int, int, int]:
        detail = {"current": current, "total": total} if total else {}
        found = layers.told({"id": id, "status": status, "progressDetail": detail})
        return (found.layers_done, found.layers, found.current, found.total)

    assert told("1", "Pulling from team/a") == (0, 0, 0, 0)
    assert told("x", "Already exists") == (1, 1, 0, 0)
    assert told("y", "Pulling fs layer") == (1, 2, 0, 0)
    assert told("z", "Waiting") == (1, 3, 0, 0)
    assert told("y", "Downloading", 10, 100) == (1, 3, 10, 100)
    assert told("z", "Downloading", 5, 50) == (1, 3, 15, 150)
    assert told("y", "Download complete") == (1, 3, 105, 150)
    assert told("y", "Pull complete") == (2, 3, 105, 150)
    assert told("z", "Pull complete") == (3, 3, 150, 150)
