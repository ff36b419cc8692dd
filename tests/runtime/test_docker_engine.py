"""What only the Docker runtime promises: on the engine, beside other people's containers, and through its restarts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from podlab import settings
from podlab.logs import reader
from podlab.logs.writer import LogWriter
from podlab.runtime.calls import ExecResult
from podlab.runtime.docker import DockerRuntime, naming
from podlab.runtime.docker.engine import answers
from podlab.runtime.docker.labels import LAB, Scope
from podlab.runtime.errors import CreateFailed, RuntimeFailure, Unavailable
from podlab.runtime.interface import Mount, RuntimeEvent
from tests.runtime.labs import DockerLab
from tests.runtime.pods import IMAGE, POLITE, STUBBORN, Lines, Pod

pytestmark = pytest.mark.docker


@pytest.fixture
def api() -> Iterator[Any]:
    made = docker.APIClient(base_url=settings.PODLAB_DOCKER_HOST, version="auto")
    yield made
    made.close()


@pytest.fixture
def pod(docker_lab: DockerLab) -> Pod:
    return Pod(docker_lab.runtime()).open()


def output(lab: DockerLab, pod: Pod, script: str, **more: object) -> str:
    lines = Lines(pod.runtime, pod.shell(script, **more))
    lab.eventually(lambda: lines.ended)
    return lines.text


def test_the_engine_answers() -> None:
    assert answers(settings.PODLAB_DOCKER_HOST)


def test_containers_share_network_ipc_and_hostname(docker_lab: DockerLab, pod: Pod) -> None:
    look = "hostname; readlink /proc/self/ns/net; readlink /proc/self/ns/ipc"
    one, two = output(docker_lab, pod, look, name="one"), output(docker_lab, pod, look, name="two")
    assert one == two
    assert one.startswith("web\nnet:")
    assert "ipc:" in one


def test_docker_never_restarts_or_checks_by_itself(pod: Pod, api: Any) -> None:
    for container_id in (pod.sandbox_id, pod.create("true")):
        found = api.inspect_container(container_id)
        assert found["HostConfig"]["RestartPolicy"]["Name"] in {"", "no"}
        assert found["Config"]["Healthcheck"]["Test"] == ["NONE"]
        assert found["HostConfig"]["OomScoreAdj"] >= 0


def test_the_configuration_arrives(docker_lab: DockerLab, pod: Pod, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "given").write_text("from outside\n")
    script = "echo $A; pwd; id -u; id -g; cat /v/given; touch /v/x /x 2>/dev/null || echo read-only"
    found = output(
        docker_lab,
        pod,
        script,
        env=(("A", "one two=3"),),
        working_dir="/etc",
        run_as_user=1000,
        run_as_group=2000,
        mounts=(Mount(host_path=str(tmp_path), container_path="/v", read_only=True),),
        read_only_rootfs=True,
    )
    assert found == "one two=3\n/etc\n1000\n2000\nfrom outside\nread-only\n"


def test_args_without_a_command_and_a_command_with_args(docker_lab: DockerLab, pod: Pod) -> None:
    one = pod.runtime.create_container(pod.sandbox_id, pod.config("echo", name="both", args=("a", "b")))
    pod.runtime.start_container(one)
    lines = Lines(pod.runtime, one)
    docker_lab.eventually(lambda: lines.ended)
    assert lines.text == "a b\n"
    two = pod.runtime.create_container(pod.sandbox_id, pod.config(name="args", args=("echo", "c")))
    pod.runtime.start_container(two)
    lines = Lines(pod.runtime, two)
    docker_lab.eventually(lambda: lines.ended)
    assert lines.text == "c\n"


def test_limits_are_the_kubelets_translation(pod: Pod, api: Any) -> None:
    container_id = pod.create("true", memory_limit=64 * 2**20, cpu_limit_milli=500, cpu_request_milli=250)
    host = api.inspect_container(container_id)["HostConfig"]
    assert (host["Memory"], host["MemorySwap"]) == (64 * 2**20, 64 * 2**20)
    assert (host["CpuShares"], host["CpuPeriod"], host["CpuQuota"]) == (256, 100_000, 50_000)


def test_what_an_image_wants_to_be_stopped_with_takes_the_place_of_term(
    docker_lab: DockerLab, pod: Pod, api: Any
) -> None:
    image = f"podlab-test/stopsignal:{pod.ref.uid}"
    made = api.commit(pod.create("true", name="base"), *image.split(":"), conf={"StopSignal": "SIGUSR1"})
    try:
        script = "trap 'exit 7' USR1; trap 'exit 8' TERM; echo up; while true; do sleep 3600 & wait; done"
        container_id = pod.shell(script, image=image)
        lines = Lines(pod.runtime, container_id)
        docker_lab.eventually(lambda: "up" in lines.text)
        pod.runtime.signal_container(container_id, "TERM")
        docker_lab.eventually(lambda: lines.ended)
        found = pod.status(container_id)
        assert found is not None
        assert found.exit_code == 7
        pod.runtime.remove_container(container_id)
    finally:
        api.remove_image(made["Id"], force=True)


def test_out_of_memory_is_told_apart(docker_lab: DockerLab, pod: Pod) -> None:
    seen: list[RuntimeEvent] = []
    pod.runtime.events(seen.append)
    container_id = pod.run("tail", "/dev/zero", memory_limit=20 * 2**20)

    def reason() -> str:
        found = pod.status(container_id)
        return found.reason if found else ""

    assert docker_lab.eventually(reason) == "OOMKilled"
    docker_lab.eventually(lambda: RuntimeEvent(pod.ref.uid, container_id, "oom") in seen)


REFUSED = {
    "too little memory": ({"memory_limit": 4096}, "memory limit"),
    "a group without a user": ({"run_as_group": 5}, "runAsGroup is specified without a runAsUser"),
    "a folder that is not there": (
        {"mounts": (Mount(host_path="/nonexistent/podlab", container_path="/v"),)},
        "bind source path does not exist",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_engine_refuses_is_a_create_failure_in_its_words(pod: Pod, case: str) -> None:
    changes, text = REFUSED[case]
    with pytest.raises(CreateFailed, match=text):
        pod.create("true", **changes)


def test_an_image_without_a_command_needs_one(pod: Pod) -> None:
    with pytest.raises(CreateFailed, match="No command specified"):
        pod.runtime.create_container(pod.sandbox_id, pod.config())


def test_a_strangers_container_is_invisible_and_never_touched(docker_lab: DockerLab, pod: Pod, api: Any) -> None:
    """Even if it holds the very name, and even if it wears a part of our labels."""
    own = Scope(api.inspect_container(pod.sandbox_id)["Config"]["Labels"][LAB], "main", "node-a")
    name = naming.container_name(own, pod.ref, "main", 0)
    stranger = api.create_container(IMAGE, ["sleep", "3600"], name=name, labels={LAB: own.lab})["Id"]
    try:
        api.start(stranger)
        with pytest.raises(RuntimeFailure, match="does not belong to this node"):
            pod.create("true")
        pod.runtime.stop_sandbox(pod.sandbox_id)
        pod.runtime.remove_sandbox(pod.sandbox_id)
        assert pod.runtime.list_pods() == {}
        assert api.inspect_container(stranger)["State"]["Running"]
    finally:
        api.remove_container(stranger, force=True)


def test_the_sandbox_of_a_missing_network_leaves_nothing(docker_lab: DockerLab) -> None:
    made = docker_lab.runtime(network="podlab-there-is-no-such-network")
    with pytest.raises(RuntimeFailure, match="no-such-network"):
        Pod(made).open()
    assert made.list_pods() == {}


def test_a_sandbox_that_was_killed_is_not_ready(docker_lab: DockerLab, pod: Pod, api: Any) -> None:
    api.kill(pod.sandbox_id)
    (found,) = pod.runtime.pod_status(pod.ref).sandboxes
    assert (found.ready, found.ip) == (False, "")


def test_a_command_that_overran_its_time_is_killed(docker_lab: DockerLab, pod: Pod, api: Any) -> None:
    container_id = pod.shell(STUBBORN)
    reports: list[ExecResult] = []
    pod.runtime.exec_sync(container_id, ("sleep", "777"), 0.5, reports.append)
    assert docker_lab.eventually(lambda: reports)[0].timed_out
    docker_lab.eventually(lambda: not any("777" in " ".join(row) for row in api.top(container_id)["Processes"]))
    assert pod.status(container_id).state == "running"  # type: ignore[union-attr]


def test_many_commands_at_once(docker_lab: DockerLab, pod: Pod) -> None:
    container_id = pod.shell(POLITE)
    reports: list[ExecResult] = []
    for number in range(40):
        pod.runtime.exec_sync(container_id, ("sh", "-c", f"echo {number}; exit {number}"), 30, reports.append)
    docker_lab.eventually(lambda: len(reports) == 40)
    assert {(one.exit_code, one.output) for one in reports} == {(number, f"{number}\n") for number in range(40)}


def test_long_and_odd_lines(docker_lab: DockerLab, pod: Pod) -> None:
    """The engine cuts lines at 16 KiB; the parts stay one line. It keeps logs as JSON, so bytes that are no UTF-8 are
    lost to it before we see them."""
    script = "head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'a\\377b\\n\\n'; printf end"
    lines = Lines(pod.runtime, pod.shell(script))
    docker_lab.eventually(lambda: lines.ended)
    assert lines.text == "x" * 40000 + "\na\ufffdb\n\nend"
    assert [line.partial for line in lines.lines] == [True, True, False, False, False, True]


def test_a_log_may_be_followed_before_the_start(docker_lab: DockerLab, pod: Pod) -> None:
    container_id = pod.create("echo", "hello")
    lines = Lines(pod.runtime, container_id)
    pod.runtime.start_container(container_id)
    docker_lab.eventually(lambda: lines.ended, within=5)
    assert lines.text == "hello\n"


def test_a_terminal(docker_lab: DockerLab, pod: Pod) -> None:
    lines = Lines(pod.runtime, pod.shell("echo one; echo two", tty=True))
    docker_lab.eventually(lambda: lines.ended)
    assert [line.text for line in lines.lines] == ["one\r", "two\r"]


BURST = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done"
EXPECTED = "".join(f"line {number}\n" for number in range(20_000))


def test_a_pump_that_is_cut_again_and_again_writes_every_line_once(
    docker_lab: DockerLab, pod: Pod, tmp_path: Path
) -> None:
    """As a worker that is killed and started: new writer, new follower, going on where the file ends."""
    container_id = pod.shell(BURST)
    path = tmp_path / "0.log"
    for limit in (1, 100, 3000, 7000, 10**9):
        writer = LogWriter(path, max_bytes=200_000, max_files=1000)
        count = 0
        full, ended = threading.Event(), threading.Event()

        def write(line: Any, writer: LogWriter = writer, limit: int = limit, full: threading.Event = full) -> None:
            nonlocal count
            if count < limit:  # whatever comes later is lost with the worker
                count += 1
                writer.write(line)
            else:
                full.set()

        subscription = pod.runtime.follow_logs(container_id, write, ended.set, writer.resume_since)
        docker_lab.eventually(lambda full=full, ended=ended: full.is_set() or ended.is_set(), 60)  # type: ignore[misc]
        subscription.close()
        writer.close()
    assert b"".join(reader.read(path)).decode() == EXPECTED


class Proxy:
    """A door to the engine that can be shut: what a restart of dockerd looks like from outside."""

    def __init__(self, path: Path) -> None:
        self.url = f"unix://{path}"
        self._path = path
        self._target = settings.PODLAB_DOCKER_HOST.removeprefix("unix://")
        self._pairs: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.open()

    def open(self) -> None:
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen(64)
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        assert self._listener is not None
        self._path.unlink()
        for one in (self._listener, *self._pairs):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._pairs.clear()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            self._pairs += (near, far)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    if not settings.PODLAB_DOCKER_HOST.startswith("unix:"):
        pytest.fail("this test reaches the engine through its Unix socket")
    made = Proxy(tmp_path / "d.sock")
    yield made
    made.shut()


def through(proxy: Proxy, pod: Pod, api: Any) -> DockerRuntime:
    lab = api.inspect_container(pod.sandbox_id)["Config"]["Labels"][LAB]
    return DockerRuntime(lab=lab, cluster="main", node="node-a", base_url=proxy.url)


def test_logs_and_events_survive_a_restart_of_the_engine(
    docker_lab: DockerLab, pod: Pod, api: Any, proxy: Proxy
) -> None:
    behind = through(proxy, pod, api)
    seen: list[RuntimeEvent] = []
    behind.events(seen.append)
    container_id = pod.shell("i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); usleep 30000; done")
    lines = Lines(behind, container_id)
    for _ in range(3):
        before = len(lines.lines)
        docker_lab.eventually(lambda before=before: len(lines.lines) > before)  # type: ignore[misc]
        proxy.shut()
        with pytest.raises(Unavailable):
            behind.list_pods()
        proxy.open()
    docker_lab.eventually(lambda: lines.ended)
    assert lines.text == "".join(f"line {number}\n" for number in range(60))
    docker_lab.eventually(lambda: RuntimeEvent(pod.ref.uid, container_id, "died") in seen)
    behind.close()


def test_close_ends_everything_at_once(docker_lab: DockerLab, pod: Pod, api: Any, proxy: Proxy) -> None:
    of_others = set(threading.enumerate())  # the pod's own runtime keeps a thread of its pool
    behind = through(proxy, pod, api)
    container_id = pod.shell(POLITE)
    behind.events(lambda event: None)
    lines = [Lines(behind, container_id) for _ in range(5)]
    reports: list[ExecResult] = []
    for _ in range(5):
        behind.exec_sync(container_id, ("sleep", "3600"), 0, reports.append)
    docker_lab.eventually(lambda: all(one.lines for one in lines))
    docker_lab.eventually(lambda: str(api.top(container_id)["Processes"]).count("sleep 3600") >= 6)
    assert len([one.name for one in set(threading.enumerate()) - of_others if _works(one)]) >= 11
    behind.close()
    docker_lab.eventually(lambda: not [one for one in set(threading.enumerate()) - of_others if _works(one)], 5)
    assert [one.ended for one in lines] == [0] * 5


def _works(thread: threading.Thread) -> bool:
    return thread.name.startswith(("logs ", "docker "))


def test_the_pause_process_reaps_orphans_as_first_of_its_namespace(docker_lab: DockerLab, pod: Pod, api: Any) -> None:
    host = api.create_host_config(pid_mode=f"container:{pod.sandbox_id}", network_mode="none")
    # The inner shell ends before its child, whose new parent is then process 1.
    script = "sh -c '(sleep 0.2; exit 3) & exit 0'; sleep 1; ps -o stat,comm"
    own = api.inspect_container(pod.sandbox_id)["Config"]["Labels"]
    container_id = api.create_container(IMAGE, ["sh", "-c", script], labels={LAB: own[LAB]}, host_config=host)["Id"]
    try:
        api.start(container_id)
        api.wait(container_id, timeout=20)
        processes = api.logs(container_id).decode()
    finally:
        api.remove_container(container_id, force=True)
    assert "pause" in processes
    assert "Z" not in [line.split()[0] for line in processes.splitlines()[1:]]


def test_a_pause_image_that_was_removed_is_made_again(docker_lab: DockerLab, api: Any) -> None:
    made = docker_lab.runtime()
    made._pause._ready = "podlab/pause:removed"  # as if it had been there when the node began
    assert Pod(made).open().sandbox_id
