"""What a person meets in a simulated container: a small shell, honest about what it cannot do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from podlab.runtime.sim.connection import Connection
from podlab.runtime.sim.network import Listener
from podlab.runtime.sim.terminal import Echo, EndOfInput, Interrupt, Line, Terminal
from podlab.runtime.streaming import StreamOptions
from tests.runtime.pods import Pod
from tests.runtime.sim_lab import SimLab
from tests.runtime.test_stream_contract import Heard

WITH_INPUT = StreamOptions(stdin=True)
TERMINAL = StreamOptions(stdin=True, stderr=False, tty=True)

KEYS: dict[str, tuple[bytes, list[object]]] = {
    "a line": (b"ls\r", [Echo("l"), Echo("s"), Echo("\n"), Line("ls")]),
    "backspace takes a letter back": (
        b"lx\x7fs\r",
        [Echo("l"), Echo("x"), Echo("\b \b"), Echo("s"), Echo("\n"), Line("ls")],
    ),
    "backspace at the beginning does nothing": (b"\x7f\b\r", [Echo("\n"), Line("")]),
    "Ctrl-U takes the line back": (b"ab\x15\r", [Echo("a"), Echo("b"), Echo("\b \b\b \b"), Echo("\n"), Line("")]),
    "Ctrl-C throws the line away": (b"ab\x03", [Echo("a"), Echo("b"), Echo("^C\n"), Interrupt()]),
    "Ctrl-D on an empty line is the end": (b"\x04", [EndOfInput()]),
    "Ctrl-D in a line is nothing": (b"a\x04", [Echo("a")]),
    "arrows are swallowed": (b"\x1b[A\x1b[3~a", [Echo("a")]),
    "letters of several bytes": ("ä\r".encode(), [Echo("ä"), Echo("\n"), Line("ä")]),
}


@pytest.mark.parametrize("sentence", KEYS)
def test_on_a_terminal(sentence: str) -> None:
    keys, heard = KEYS[sentence]
    whole, by_byte = Terminal(tty=True), Terminal(tty=True)
    assert whole.hear(keys) == heard
    assert [item for at in range(len(keys)) for item in by_byte.hear(keys[at : at + 1])] == heard


def test_a_pipe_is_cut_into_lines_and_the_last_one_counts() -> None:
    pipe = Terminal(tty=False)
    assert pipe.hear(b"one\ntw") == [Line("one")]
    assert pipe.hear(b"o\nthree") == [Line("two")]
    assert pipe.end() == [Line("three", ended=False), EndOfInput()]


@pytest.fixture
def sim() -> SimLab:
    return SimLab()


def started(sim: SimLab, *command: str, **more: object) -> tuple[Pod, str]:
    pod = Pod(sim.runtime()).open()
    return pod, pod.run(*(command or ("sleep", "3600")), **more)


def ask(sim: SimLab, *argv: str, stdin: bytes | None = None) -> Heard:
    pod, container = started(sim)
    heard = Heard()
    session = pod.runtime.exec_stream(container, argv, StreamOptions(stdin=stdin is not None), heard)
    if stdin is not None:
        session.write(stdin)
        session.close_input()
    sim.eventually(lambda: heard.end)
    return heard


UNKNOWN = {
    "a program": ("python3", "-c", "print(1)"),
    "an applet that is not simulated": ("tar", "cf", "-", "/etc"),
    "a program inside a script": ("sh", "-c", "python3 -V"),
}


@pytest.mark.parametrize("sentence", UNKNOWN)
def test_says_plainly_that_it_does_not_simulate(sim: SimLab, sentence: str) -> None:
    heard = ask(sim, *UNKNOWN[sentence])
    assert heard.end == (127, "")
    assert heard.stdout == b""
    assert b"simulat" in heard.stderr


@pytest.mark.parametrize("script", ["select x in a; do :; done", "echo ${a[0]} <<E", "(((", "$((1/0))"])
def test_a_script_beyond_the_shell_ends_with_a_complaint(sim: SimLab, script: str) -> None:
    heard = ask(sim, "sh", "-c", script)
    assert heard.end is not None
    assert heard.end[0] not in {0, None}
    assert b"podlab:" in heard.stderr


def test_the_environment_of_the_container_is_seen(sim: SimLab) -> None:
    pod, container = started(sim, env=(("COLOUR", "green"),))
    heard = Heard()
    pod.runtime.exec_stream(container, ("env",), StreamOptions(), heard)
    sim.eventually(lambda: heard.end)
    assert b"COLOUR=green\n" in heard.stdout
    assert b"HOSTNAME=web\n" in heard.stdout


def test_files_that_were_written_stay_through_a_crash(sim: SimLab) -> None:
    pod, container = started(sim)
    for argv, stdin in ((("sh", "-c", "cat > /tmp/note"), b"first\n"), (("tee", "/tmp/two"), b"second\n")):
        heard = Heard()
        session = pod.runtime.exec_stream(container, argv, WITH_INPUT, heard)
        session.write(stdin)
        session.close_input()
        assert heard.end == (0, "")
    pod.runtime = sim.restart(pod.runtime)
    heard = Heard()
    pod.runtime.exec_stream(container, ("cat", "/tmp/note", "/tmp/two"), StreamOptions(), heard)
    assert heard.stdout == b"first\nsecond\n"


READING = {
    "a reader alone": (("cat",), b"text\n"),
    "a reader in a script": (("sh", "-c", "cat; echo done"), b"text\ndone\n"),
    "a reader behind a path": (("/bin/cat", "-"), b"text\n"),
    "a reader before a pipe": (("sh", "-c", "cat|tail -n 1"), b"text\n"),
}


@pytest.mark.parametrize("sentence", READING)
def test_input_is_waited_for_by(sim: SimLab, sentence: str) -> None:
    argv, stdout = READING[sentence]
    heard = ask(sim, *argv, stdin=b"text\n")
    assert (heard.stdout, heard.end) == (stdout, (0, ""))


@pytest.mark.parametrize("stdin", [True, False])
def test_a_shell_as_main_process_lives_as_long_as_its_input(sim: SimLab, stdin: bool) -> None:
    pod, container = started(sim, "sh", stdin=stdin)
    sim.clock.advance(sim.clock.now() + timedelta(seconds=1))
    status = pod.status(container)
    assert status is not None
    assert (status.finished_at is None) is stdin


def test_a_script_that_ends_in_a_shell_is_one(sim: SimLab) -> None:
    best = "command -v bash >/dev/null 2>&1 && exec bash || exec sh"
    heard = ask(sim, "sh", "-c", best, stdin=b"echo sum $((20+3))\nexit 3\n")
    assert (heard.stdout, heard.end) == (b"sum 23\n", (3, ""))


def test_a_command_that_reads_nothing_does_not_wait(sim: SimLab) -> None:
    pod, container = started(sim)
    heard = Heard()
    pod.runtime.exec_stream(container, ("echo", "hi"), WITH_INPUT, heard)
    assert (heard.stdout, heard.end) == (b"hi\n", (0, ""))


def test_ctrl_c_ends_the_command_and_not_the_shell(sim: SimLab) -> None:
    pod, container = started(sim)
    heard = Heard()
    session = pod.runtime.exec_stream(container, ("sh",), TERMINAL, heard)
    session.write(b"sleep 1000\r")
    session.write(b"\x03")
    session.write(b"echo still $?\r")
    assert heard.stdout.endswith(b"^C\r\n/ # echo still $?\r\nstill 130\r\n/ # ")
    assert heard.end is None


def test_a_shell_waits_for_its_command_in_lab_time(sim: SimLab) -> None:
    pod, container = started(sim)
    heard = Heard()
    session = pod.runtime.exec_stream(container, ("sh",), WITH_INPUT, heard)
    session.write(b"sleep 10\necho awake\n")
    before = sim.clock.now()
    assert heard.stdout == b""
    sim.eventually(lambda: heard.stdout)
    assert 9.9 < (sim.clock.now() - before).total_seconds() < 10.2


def test_a_closed_node_ends_its_streams(sim: SimLab) -> None:
    pod, container = started(sim)
    command, attached = Heard(), Heard()
    runtime = sim.runtime()
    runtime.exec_stream(container, ("sleep", "1000"), StreamOptions(), command)
    runtime.attach(container, StreamOptions(), attached)
    assert runtime.streaming
    sim.restart(runtime)
    assert command.end == attached.end == (None, "the stream was closed")
    assert not runtime.streaming


def connection(listener: Listener) -> tuple[Connection, Heard]:
    heard = Heard()
    return Connection(lambda: listener, heard, lambda session: None), heard


def site(micros: int, path: str) -> tuple[int, str]:
    return (200, f"<p>{path}</p>") if path != "/missing" else (404, "404 Not Found\n")


WEB = Listener(open=True, site=site)
BAD_REQUESTS = {
    b"nonsense\r\n\r\n": b"HTTP/1.1 400 ",
    b"GET noslash HTTP/1.1\r\n\r\n": b"HTTP/1.1 400 ",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n": b"HTTP/1.1 411 ",
    b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n": b"HTTP/1.1 411 ",
    b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000: b"HTTP/1.1 431 ",
}


@pytest.mark.parametrize("request_bytes", BAD_REQUESTS, ids=lambda data: repr(data[:30]))
def test_a_simulated_server_refuses(request_bytes: bytes) -> None:
    session, heard = connection(WEB)
    session.write(request_bytes)
    assert heard.stdout.startswith(BAD_REQUESTS[request_bytes])
    assert heard.end == (None, "")


def test_a_simulated_server_keeps_the_connection() -> None:
    session, heard = connection(WEB)
    session.write(b"GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Le")
    session.write(b"ngth: 5\r\n\r\n12345HEAD /c HTTP/1.1\r\n\r\nGET /missing HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert heard.stdout.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert b"<p>/a</p>" in heard.stdout
    assert b"<p>/b</p>" in heard.stdout
    assert b"<p>/c</p>" not in heard.stdout
    assert b"HTTP/1.1 404 Not Found\r\n" in heard.stdout
    assert heard.end == (None, "")


def test_a_server_that_stopped_hangs_up() -> None:
    session, heard = connection(Listener(open=False))
    session.write(b"GET / HTTP/1.1\r\n\r\n")
    assert (heard.stdout, heard.end) == (b"", (None, ""))
