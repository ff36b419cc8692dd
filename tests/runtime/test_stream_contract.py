"""Streams into containers: what every runtime does, real or simulated."""

from __future__ import annotations

import threading

import pytest

from podlab.glance import container_files
from podlab.glance.container_files import Command
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.streaming import StreamOptions
from tests.runtime.labs import Lab
from tests.runtime.pods import WEB_SERVER, Pod

WITH_INPUT = StreamOptions(stdin=True)
TERMINAL = StreamOptions(stdin=True, stderr=False, tty=True)


class Heard:
    """Collects a stream."""

    def __init__(self) -> None:
        self.stdout = b""
        self.stderr = b""
        self.end: tuple[int | None, str] | None = None
        self.ends = 0

    def output(self, stream: str, data: bytes) -> None:
        if stream == "stderr":
            self.stderr += data
        else:
            self.stdout += data

    def ended(self, exit_code: int | None, error: str) -> None:
        self.ends += 1
        self.end = (exit_code, error)


@pytest.fixture
def sleeper(lab: Lab) -> tuple[Pod, str]:
    pod = Pod(lab.runtime()).open()
    container = pod.run("sleep", "3600")
    lab.eventually(lambda: (found := pod.status(container)) and found.started_at)
    return pod, container


COMMANDS = {
    "output and success": (("echo", "hi", "there"), b"hi there\n", b"", 0),
    "standard error apart": (("sh", "-c", "echo out; echo err >&2"), b"out\n", b"err\n", 0),
    "an exit code": (("sh", "-c", "exit 7"), b"", b"", 7),
    "the hostname of the pod": (("hostname",), b"web\n", b"", 0),
}


@pytest.mark.parametrize("sentence", COMMANDS)
def test_exec_gives(lab: Lab, sleeper: tuple[Pod, str], sentence: str) -> None:
    argv, stdout, stderr, code = COMMANDS[sentence]
    pod, container = sleeper
    heard = Heard()
    pod.runtime.exec_stream(container, argv, StreamOptions(), heard)
    lab.eventually(lambda: heard.end)
    assert (heard.stdout, heard.stderr, heard.end) == (stdout, stderr, (code, ""))


def test_a_command_reads_its_input_to_the_end(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, container = sleeper
    heard = Heard()
    session = pod.runtime.exec_stream(container, ("cat",), WITH_INPUT, heard)
    session.write(b"one\ntwo\n")
    session.write("drei ä\n".encode())
    session.close_input()
    lab.eventually(lambda: heard.end)
    assert heard.stdout.decode() == "one\ntwo\ndrei ä\n"
    assert heard.end == (0, "")


def test_the_commands_that_look_at_files_answer_alike(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, container = sleeper

    def said(command: Command) -> bytes:
        heard = Heard()
        session = pod.runtime.exec_stream(container, command.argv, StreamOptions(stdin=bool(command.stdin)), heard)
        if command.stdin:
            session.write(command.stdin)
            session.close_input()
        lab.eventually(lambda: heard.end)
        assert heard.end == (0, ""), heard.stderr
        return heard.stdout

    script = (
        "mkdir -p '/tmp/of it/-rf'; cd '/tmp/of it'; printf 'grün' > \"it's\"; chmod 640 \"it's\"; ln -s \"it's\" here"
    )
    said(Command(("sh", "-c", script)))
    listed = container_files.entries(said(container_files.listing("/tmp/of it", "MARK")), "MARK")[1:]
    assert [(one.name, one.letters, one.target) for one in container_files.in_order(listed)] == [
        ("-rf", "drwxr-xr-x", ""),
        ("here", "lrwxrwxrwx", "it's"),
        ("it's", "-rw-r-----", ""),
    ]
    (behind,) = container_files.entries(said(container_files.look("/tmp/of it/here", "MARK")), "MARK")
    assert (behind.kind, behind.size, behind.owner) == ("file", 5, "root:root")
    assert said(container_files.content("/tmp/of it/here", 4)).decode() == "grü"
    through_input = Command(("xargs", "-0", "head"), b"-c\x002\x00/tmp/of it/it's\x00")
    assert said(through_input) == b"gr"


def test_a_shell_takes_one_line_after_the_other(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, container = sleeper
    heard = Heard()
    session = pod.runtime.exec_stream(container, ("sh",), WITH_INPUT, heard)
    session.write(b"name=world\necho hello $name\n")
    lab.eventually(lambda: heard.stdout)
    session.write(b"cd /tmp; pwd\nexit 3\n")
    lab.eventually(lambda: heard.end)
    assert heard.stdout == b"hello world\n/tmp\n"
    assert heard.end == (3, "")


def test_a_terminal_echoes_prompts_and_ends(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, container = sleeper
    heard = Heard()
    session = pod.runtime.exec_stream(container, ("sh",), TERMINAL, heard)
    session.resize(100, 30)
    lab.eventually(lambda: b"# " in heard.stdout)
    session.write(b"echo a$((1+1))b\r")
    lab.eventually(lambda: b"a2b\r\n" in heard.stdout)
    assert b"echo a$((1+1))b\r\n" in heard.stdout
    assert heard.stderr == b""
    session.write(b"exit 4\r")
    lab.eventually(lambda: heard.end)
    assert heard.end == (4, "")


def test_control_d_leaves_a_terminal(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, container = sleeper
    heard = Heard()
    session = pod.runtime.exec_stream(container, ("sh",), TERMINAL, heard)
    lab.eventually(lambda: b"# " in heard.stdout)
    session.write(b"\x04")
    lab.eventually(lambda: heard.end)
    assert heard.end == (0, "")


def test_who_leaves_ends_the_command_once(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, container = sleeper
    before = threading.active_count()
    heard = Heard()
    session = pod.runtime.exec_stream(container, ("sleep", "1000"), WITH_INPUT, heard)
    session.close()
    lab.eventually(lambda: heard.end)
    session.close()
    session.write(b"too late")
    session.close_input()
    session.resize(1, 1)
    assert heard.end is not None
    assert heard.end[1]
    assert heard.ends == 1
    lab.eventually(lambda: threading.active_count() <= before)


def test_a_container_that_ends_takes_its_commands_along(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, container = sleeper
    heard = Heard()
    pod.runtime.exec_stream(container, ("sh", "-c", "echo on; sleep 1000"), StreamOptions(), heard)
    lab.eventually(lambda: heard.stdout)  # a command that has not started yet ends with 126 instead
    pod.runtime.signal_container(container, "KILL")
    lab.eventually(lambda: heard.end)
    assert heard.end == (137, "")
    assert heard.ends == 1


def test_there_is_no_exec_without_a_running_container(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, container = sleeper
    pod.runtime.signal_container(container, "KILL")
    lab.eventually(lambda: (found := pod.status(container)) and found.finished_at)
    with pytest.raises(RuntimeFailure, match="not running"):
        pod.runtime.exec_stream(container, ("ls",), StreamOptions(), Heard())
    with pytest.raises(RuntimeFailure):
        pod.runtime.exec_stream("0" * 64, ("ls",), StreamOptions(), Heard())


def test_attach_shows_what_comes_and_ends_with_the_container(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container = pod.shell("echo before; sleep 2; echo after; echo aside >&2; sleep 1")
    lab.eventually(lambda: (found := pod.status(container)) and found.started_at)
    heard = Heard()
    pod.runtime.attach(container, StreamOptions(), heard)
    lab.eventually(lambda: heard.end)
    assert heard.stdout.endswith(b"after\n")
    assert heard.stderr == b"aside\n"
    assert heard.end == (None, "")


def test_who_detaches_leaves_the_container_running(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, container = sleeper
    heard = Heard()
    session = pod.runtime.attach(container, StreamOptions(), heard)
    session.close()
    lab.eventually(lambda: heard.end)
    found = pod.status(container)
    assert found is not None
    assert found.finished_at is None


def test_a_server_in_the_pod_can_be_dialled(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    pod.shell(WEB_SERVER)
    heard = Heard()

    def dialled() -> bool:
        try:
            session = pod.runtime.dial(pod.ref, 8080, heard)
        except RuntimeFailure:
            return False
        session.write(b"GET /ok.txt HTTP/1.1\r\nHost: web\r\n")
        session.write(b"Connection: close\r\n\r\n")
        return True

    lab.eventually(dialled)
    lab.eventually(lambda: heard.end)
    head, _, body = heard.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b"yes\n"
    assert heard.end == (None, "")


def test_a_port_on_which_nobody_listens_is_refused_in_gos_words(lab: Lab, sleeper: tuple[Pod, str]) -> None:
    pod, _ = sleeper
    with pytest.raises(RuntimeFailure, match=r"^dial tcp [\d.]+:81: connect: connection refused$"):
        pod.runtime.dial(pod.ref, 81, Heard())
