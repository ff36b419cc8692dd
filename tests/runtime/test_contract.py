"""What every runtime does alike. A kubelet relies on nothing else."""

from __future__ import annotations

import pytest

from podlab.runtime.calls import ExecResult
from podlab.runtime.errors import CreateFailed, NotFound, StartFailed
from podlab.runtime.images import PullResult
from podlab.runtime.interface import ContainerResources, ContainerState, PodRef, SandboxConfig
from tests.runtime.awaiting import ended, result, up
from tests.runtime.labs import Lab
from tests.runtime.pods import IMAGE, POLITE, STUBBORN, Pod

# Sandboxes


def test_a_sandbox_is_ready_and_has_an_address(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    (sandbox,) = pod.runtime.pod_status(pod.ref).sandboxes
    assert (sandbox.id, sandbox.pod, sandbox.attempt, sandbox.ready) == (pod.sandbox_id, pod.ref, 0, True)
    assert sandbox.ip.count(".") == 3


def test_running_a_sandbox_twice_is_running_it_once(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    first = pod.sandbox_id
    assert pod.open().sandbox_id == first
    assert Pod(lab.runtime(), pod.ref).open().sandbox_id == first
    assert len(pod.runtime.pod_status(pod.ref).sandboxes) == 1


def test_a_new_attempt_is_a_new_sandbox_and_comes_first(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    pod.runtime.stop_sandbox(pod.sandbox_id)
    pod.open(attempt=1)
    assert [(one.attempt, one.ready) for one in pod.runtime.pod_status(pod.ref).sandboxes] == [(1, True), (0, False)]


def test_a_running_container_can_be_given_other_resources(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = up(lab, pod, pod.shell(POLITE, memory_limit=64 * 2**20, cpu_limit_milli=100))
    wish = ContainerResources(cpu_request_milli=50, cpu_limit_milli=200, memory_limit=96 * 2**20)
    pod.runtime.update_container(container_id, wish)
    found = pod.status(container_id)
    assert found is not None
    assert (found.state, found.attempt) == (ContainerState.RUNNING, 0)
    pod.runtime.signal_container(container_id, "TERM")
    ended(lab, pod, container_id)
    pod.runtime.update_container(container_id, wish)
    pod.runtime.remove_container(container_id)
    pod.runtime.update_container(container_id, wish)


def test_stopping_a_sandbox_ends_its_containers(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = up(lab, pod, pod.shell(STUBBORN))
    pod.runtime.stop_sandbox(pod.sandbox_id)
    assert ended(lab, pod, container_id).exit_code == 137
    lab.eventually(lambda: not pod.runtime.pod_status(pod.ref).sandboxes[0].ready)
    pod.runtime.stop_sandbox(pod.sandbox_id)


def test_removing_a_sandbox_leaves_nothing_and_may_be_repeated(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    pod.shell(STUBBORN)
    for _ in range(2):
        pod.runtime.stop_sandbox(pod.sandbox_id)
        pod.runtime.remove_sandbox(pod.sandbox_id)
    assert pod.runtime.list_pods() == {}
    status = pod.runtime.pod_status(pod.ref)
    assert (status.pod, status.sandboxes, status.containers) == (pod.ref, (), ())


# Containers


def test_the_life_of_a_container(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.create("sleep", "3600", hash="h1", grace_seconds=7)
    created = pod.status(container_id)
    assert created is not None
    assert (created.state, created.name, created.attempt, created.pod) == (ContainerState.CREATED, "main", 0, pod.ref)
    assert (created.hash, created.grace_seconds, created.image) == ("h1", 7, IMAGE)
    assert created.sandbox_id == pod.sandbox_id
    assert created.image_id
    assert (created.started_at, created.finished_at, created.exit_code) == (None, None, None)

    pod.runtime.start_container(container_id)
    running = pod.status(container_id)
    assert running is not None
    assert running.state is ContainerState.RUNNING
    assert running.started_at is not None
    assert (running.finished_at, running.exit_code) == (None, None)

    pod.runtime.signal_container(container_id, "KILL")
    dead = ended(lab, pod, container_id)
    assert (dead.exit_code, dead.reason, dead.started_at) == (137, "Error", running.started_at)
    assert dead.finished_at is not None
    assert dead.finished_at >= running.started_at

    pod.runtime.remove_container(container_id)
    assert pod.runtime.pod_status(pod.ref).containers == ()
    pod.runtime.remove_container(container_id)


def test_creating_and_starting_twice_is_once(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.create("sleep", "3600")
    assert pod.create("sleep", "3600") == container_id
    pod.runtime.start_container(container_id)
    before = pod.status(container_id)
    pod.runtime.start_container(container_id)
    assert pod.create("sleep", "3600") == container_id
    assert pod.status(container_id) == before


def test_a_run_that_ended_is_not_started_again(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.shell("exit 3")
    before = ended(lab, pod, container_id)
    pod.runtime.start_container(container_id)
    assert pod.status(container_id) == before


EXITS = {
    "success": ("true", 0, "Completed"),
    "failure": ("exit 1", 1, "Error"),
    "another code": ("exit 42", 42, "Error"),
    "a shell's command not found": ("exit 127", 127, "Error"),
}


@pytest.mark.parametrize("case", EXITS)
def test_exit_codes(lab: Lab, case: str) -> None:
    script, code, reason = EXITS[case]
    pod = Pod(lab.runtime()).open()
    found = ended(lab, pod, pod.shell(script))
    assert (found.exit_code, found.reason) == (code, reason)
    assert found.started_at is not None
    assert found.finished_at is not None
    assert found.started_at <= found.finished_at


def test_restarts_are_new_containers_newest_first(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    for attempt in range(3):
        ended(lab, pod, pod.shell(f"exit {attempt}", attempt=attempt))
    found = pod.runtime.pod_status(pod.ref).containers
    assert [(one.attempt, one.exit_code) for one in found] == [(2, 2), (1, 1), (0, 0)]


@pytest.mark.parametrize("command", ["nope", "/bin/nope"])
def test_a_command_that_is_not_there_is_a_start_error(lab: Lab, command: str) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.create(command)
    with pytest.raises(StartFailed, match="nope"):
        pod.runtime.start_container(container_id)
    found = pod.status(container_id)
    assert found is not None
    assert (found.state, found.reason, found.exit_code) == (ContainerState.EXITED, "StartError", 128)
    assert "nope" in found.message
    assert found.started_at is not None
    assert found.started_at.year == 1970
    assert found.finished_at is not None
    assert found.finished_at.year > 2000


def test_a_missing_image_cannot_be_created(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    with pytest.raises(CreateFailed, match="registry.invalid/nothing:1"):
        pod.create("true", image="registry.invalid/nothing:1")
    assert pod.runtime.pod_status(pod.ref).containers == ()


def test_starting_what_is_gone_says_so(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.create("true")
    pod.runtime.remove_container(container_id)
    with pytest.raises(NotFound):
        pod.runtime.start_container(container_id)


# Signals


def test_term_ends_a_polite_container_at_once(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = up(lab, pod, pod.shell(POLITE))
    pod.runtime.signal_container(container_id, "TERM")
    found = ended(lab, pod, container_id)
    assert (found.exit_code, found.reason) == (0, "Completed")


def test_a_stubborn_container_ends_by_kill_only(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = up(lab, pod, pod.shell(STUBBORN))
    pod.runtime.signal_container(container_id, "TERM")
    answer: ExecResult = result(lab, lambda done: pod.runtime.exec_sync(container_id, ("true",), 10, done))
    assert answer.exit_code == 0
    pod.runtime.signal_container(container_id, "KILL")
    assert ended(lab, pod, container_id).exit_code == 137


def test_signalling_what_does_not_run_is_success(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.create("sleep", "3600")
    pod.runtime.start_container(container_id)
    pod.runtime.signal_container(container_id, "KILL")
    ended(lab, pod, container_id)
    pod.runtime.signal_container(container_id, "TERM")
    pod.runtime.remove_container(container_id)
    pod.runtime.signal_container(container_id, "KILL")


# Whose is what


def test_a_node_sees_its_own_pods_only(lab: Lab) -> None:
    here, there = Pod(lab.runtime(node="node-a")).open(), Pod(lab.runtime(node="node-b")).open()
    assert set(here.runtime.list_pods()) == {here.ref.uid}
    assert set(there.runtime.list_pods()) == {there.ref.uid}
    assert here.runtime.pod_status(there.ref).sandboxes == ()


def test_two_labs_do_not_see_each_other_even_with_the_same_pod(lab: Lab) -> None:
    ref = PodRef("default", "web", "the-same-uid")
    one, two = Pod(lab.runtime(lab="one"), ref).open(), Pod(lab.runtime(lab="two"), ref).open()
    one.run("sleep", "3600")
    assert one.sandbox_id != two.sandbox_id
    assert len(one.runtime.list_pods()[ref.uid].containers) == 1
    assert two.runtime.list_pods()[ref.uid].containers == ()
    two.runtime.remove_sandbox(two.sandbox_id)
    assert one.runtime.pod_status(ref).sandboxes[0].ready
    assert two.runtime.list_pods() == {}


def test_a_restarted_runtime_sees_the_same(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    running = pod.run("sleep", "3600", name="runs")
    done = pod.shell("exit 5", name="ends")
    failed = pod.create("nope", name="fails")
    with pytest.raises(StartFailed):
        pod.runtime.start_container(failed)
    ended(lab, pod, done)
    before = pod.runtime.list_pods()
    again = Pod(lab.restart(pod.runtime), pod.ref, pod.sandbox_id)
    assert again.runtime.list_pods() == before
    assert again.runtime.pod_status(pod.ref) == before[pod.ref.uid]
    again.runtime.signal_container(running, "KILL")
    assert ended(lab, again, running).exit_code == 137


# Images and the machine


def test_an_image_that_is_there(lab: Lab) -> None:
    found = lab.runtime().image(IMAGE)
    assert found is not None
    assert found.ref == IMAGE
    assert found.id
    assert found.size > 0


def test_an_image_that_is_not_there(lab: Lab) -> None:
    assert lab.runtime().image("registry.invalid/nothing:1") is None


def test_a_pull_that_fails_says_why(lab: Lab) -> None:
    runtime = lab.runtime()
    found: PullResult = result(lab, lambda done: runtime.pull_image("registry.invalid/nothing:1", done))
    assert found.image is None
    assert "registry.invalid" in found.error


def test_the_machine_has_something_to_give(lab: Lab) -> None:
    runtime = lab.runtime()
    found = runtime.machine()
    assert found.cpu_milli >= 1000
    assert found.memory_bytes > 2**28
    assert found.runtime_version.startswith(f"{runtime.name}://")
    assert found.simulated == (runtime.name == "sim")


def test_stats_of_a_running_container(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.run("sleep", "3600")
    found = pod.runtime.stats(container_id)
    assert found is not None
    assert found.memory_bytes > 0
    assert found.cpu_nano_cores >= 0
    pod.runtime.remove_container(container_id)
    assert pod.runtime.stats(container_id) is None


def test_what_a_container_has_written_is_counted(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = up(lab, pod, pod.shell("echo 0123456789 > /tmp/x; " + POLITE))
    assert 10 <= pod.runtime.written_bytes(container_id) < 100_000
    stats = pod.runtime.stats(container_id)
    assert stats is not None
    assert stats.pids >= 1


def test_a_handler_that_is_not_here_makes_no_sandbox(lab: Lab) -> None:
    runtime, ref = lab.runtime(), Pod(lab.runtime()).ref
    with pytest.raises(CreateFailed, match='no runtime for "kata" is configured'):
        runtime.run_sandbox(SandboxConfig(pod=ref, attempt=0, hostname="p", handler="kata"))
    made = runtime.run_sandbox(SandboxConfig(pod=ref, attempt=0, hostname="p", handler=runtime.name))
    runtime.remove_sandbox(made)
