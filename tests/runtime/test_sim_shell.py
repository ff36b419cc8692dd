"""What simulated scripts print, when, and how they end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from podlab.runtime.sim import commands
from podlab.runtime.sim.machine import SECOND, Files, Machine, Setting
from podlab.runtime.sim.shell import Io
from podlab.runtime.sim.shell_syntax import Unsupported, parse

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
HOUR = 3600.0


class Box:
    """A container with PID 1 running an argv."""

    def __init__(
        self, *argv: str, env: dict[str, str] | None = None, memory: int = 0, applets_only: bool = True
    ) -> None:
        self.output: list[tuple[float, str]] = []
        setting = Setting(
            started=START, hostname="web", env=env or {}, memory_limit=memory, applets_only=applets_only, seed="1"
        )
        self.machine = Machine(setting, Files(), self._emit)
        io = Io(out=lambda text: self.machine.out("stdout", text), err=lambda text: self.machine.out("stderr", text))
        self.machine.boot(commands.start(self.machine, list(argv), io, pid1=True))

    def _emit(self, micros: int, stream: str, text: str) -> None:
        self.output.append((micros / SECOND, text))

    def to(self, seconds: float) -> Box:
        self.machine.advance(round(seconds * SECOND))
        return self

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.output)

    @property
    def end(self) -> tuple[float, int] | None:
        end = self.machine.end
        return (end.at / SECOND, end.code) if end else None


ENDS: dict[str, tuple[str, float, int, str]] = {
    "nothing": ("true", 0, 0, ""),
    "an exit code": ("exit 3", 0, 3, ""),
    "sleep, then fail": ("sleep 1; exit 1", 1, 1, ""),
    "fractions and units": ("sleep 0.5 && sleep 1m", 60.5, 0, ""),
    "a failed && is skipped": ("false && echo no; echo yes", 0, 0, "yes\n"),
    "|| takes over": ("false || echo rescued", 0, 0, "rescued\n"),
    "the code of the last command": ("echo a; false", 0, 1, "a\n"),
    "negation": ("! true", 0, 1, ""),
    "a for loop with sleep": ("for i in 1 2 3; do echo m$i; sleep 0.5; done", 1.5, 0, "m1\nm2\nm3\n"),
    "seq and substitution": ("for i in $(seq 2 2 6); do echo -n $i,; done", 0, 0, "2,4,6,"),
    "a counter": ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; sleep 1; done; exit $i", 3, 3, "1\n2\n3\n"),
    "until a file is there": (
        "(sleep 1.5; touch /tmp/x) & until [ -f /tmp/x ]; do sleep 1; done; echo ok",
        2,
        0,
        "ok\n",
    ),
    "break and continue": ("while true; do echo a; break; done; echo b", 0, 0, "a\nb\n"),
    "if, elif, else": ("if [ a = b ]; then echo 1; elif [ -z '' ]; then echo 2; else echo 3; fi", 0, 0, "2\n"),
    "quotes": ("echo \"$HOME is '$X'\" 'and $X' a\\ b", 0, 0, "/root is 'set' and $X a b\n"),
    "defaults": ("echo ${NOPE:-none} ${X:-other}", 0, 0, "none set\n"),
    "redirect and read back": ("echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f", 0, 0, "one\ntwo\n"),
    "to nowhere": ("echo a > /dev/null; echo b >&2; cat /nope 2>/dev/null || echo c", 0, 0, "b\nc\n"),
    "a whole loop redirected": ("for i in 1 2; do echo $i; done > /tmp/f; wc -l < /tmp/f", 0, 0, "2\n"),
    "a pipe": ("echo a b c | grep -c x; echo hello | cat | tee /tmp/t; cat /tmp/t", 0, 0, ""),
    "background jobs and wait": ("sleep 2 & sleep 3 & wait; echo done", 3, 0, "done\n"),
    "sh -e stops": ("set -e; false; echo no", 0, 1, ""),
    "sh -e spares conditions": ("set -e; if false; then true; fi; false || true; echo yes", 0, 0, "yes\n"),
    "a command that busybox has not": ("nope", 0, 127, "sh: nope: not found\n"),
    "try until the third attempt": (
        "n=$(cat /tmp/n 2>/dev/null || echo 0); echo try $n; echo $((n+1)) > /tmp/n; sleep 1; [ $n -ge 2 ]",
        1,
        1,
        "try 0\n",
    ),
    "the wall clock": ("date +%H:%M:%S; sleep 90; date -Iseconds", 90, 0, "12:00:00\n2026-01-01T12:01:30+0000\n"),
    "printf": ("printf '%s has %d\\n' a 1 b 2", 0, 0, "a has 1\nb has 2\n"),
    "a name that does not resolve": ("wget -qO- http://db || exit 7", 0.1, 7, "wget: bad address 'db'\n"),
    "exec": ("echo a; exec sleep 2; echo never", 2, 0, "a\n"),
    "an exit trap": ("trap 'echo bye' EXIT; exit 4", 0, 4, "bye\n"),
    "a comment and new lines": ("# first\necho a # rest\n\nfalse ||\n  echo b", 0, 0, "a\nb\n"),
}
UNSUPPORTED_PIPE = "a pipe"


@pytest.mark.parametrize("case", [case for case in ENDS if case != UNSUPPORTED_PIPE])
def test_a_script_ends(case: str) -> None:
    script, seconds, code, text = ENDS[case]
    box = Box("sh", "-c", script, env={"X": "set"}).to(HOUR)
    assert (box.end, box.text) == ((seconds, code), text)


def test_pipes_hand_on_text() -> None:
    box = Box("sh", "-c", "printf 'b\\na\\nb\\n' | sort -u | tee /tmp/t | head -n 1; cat /tmp/t").to(1)
    assert box.text == "a\na\nb\n"


RUNS_ON = {
    "a loop": "while true; do echo tick; sleep 10; done",
    "a spinning loop": "while true; do true; done",
    "a spinning loop that prints": "while :; do echo spam; done",
    "waiting for a job": "sleep 3600 & sleep 1; wait",
    "following a file": "tail -f /dev/null",
    "syntax beyond the simulator": "select x in a b; do echo $x; done",
    "an option of an applet that is not simulated": "find . -L . | xargs vi",
    "sleep infinity": "sleep infinity",
}


@pytest.mark.parametrize("case", RUNS_ON)
def test_a_script_runs_on(case: str) -> None:
    box = Box("sh", "-c", RUNS_ON[case]).to(100)
    assert box.end is None
    assert len(box.output) < 20_000


def test_an_unknown_program_runs_until_it_is_stopped() -> None:
    box = Box("/app/server", "--port", "80", applets_only=False).to(HOUR)
    assert box.end is None
    box.machine.signal("TERM")
    box.to(HOUR + 5)
    assert box.end is not None
    assert box.end[1] == 0


def test_what_is_not_understood_says_so_when_parsed() -> None:
    for script in ("select x in a; do :; done", "cat <<< a", "function f { echo; }", "echo ${X/y/z}", "echo 'open"):
        with pytest.raises(Unsupported):
            parse(script)


TERM: dict[str, tuple[tuple[str, ...], tuple[float, int] | None, str]] = {
    "sleep as PID 1 has no handler": (("sleep", "3600"), None, ""),
    "sh -c 'sleep' becomes sleep": (("sh", "-c", "sleep 3600"), None, ""),
    "a shell without a trap": (("sh", "-c", "while true; do sleep 1; done"), None, ""),
    "a trap during wait runs at once": (
        ("sh", "-c", "trap 'echo TERM; exit 0' TERM; while true; do sleep 3600 & wait; done"),
        (10, 0),
        "TERM\n",
    ),
    "a trap waits for the foreground command": (
        ("sh", "-c", "trap 'echo bye; exit 9' TERM; while true; do sleep 7; done"),
        (14, 9),
        "bye\n",
    ),
    "a trap that takes its time": (
        ("sh", "-c", "trap 'sleep 3; exit 1' TERM; while true; do sleep 3600 & wait; done"),
        (13, 1),
        "",
    ),
    "an empty trap": (("sh", "-c", "trap '' TERM; while true; do sleep 3600 & wait; done"), None, ""),
    "a trap without exit goes on": (
        ("sh", "-c", "trap 'echo no' TERM; while true; do sleep 3600 & wait; done"),
        None,
        "no\n",
    ),
    "python as PID 1": (("python3", "-m", "http.server"), None, ""),
    "busybox httpd as PID 1": (("httpd", "-f", "-p", "8080"), None, ""),
    "a server that is only a child of the shell": (
        ("sh", "-c", "redis-server; true"),
        None,
        "* Ready to accept connections tcp\n",
    ),
}


@pytest.mark.parametrize("case", TERM)
def test_term_after_ten_seconds(case: str) -> None:
    argv, end, text = TERM[case]
    box = Box(*argv).to(10)
    box.machine.signal("TERM")
    box.to(30)
    assert (box.end, box.text) == (end, text)
    if end is None:
        box.machine.signal("KILL")
        assert box.end == (30, 137)


def test_nginx_ends_on_term_after_a_moment_and_stops_listening_at_once() -> None:
    box = Box("nginx", "-g", "daemon off;").to(10)
    assert list(box.machine.ports) == [80]
    box.machine.signal("TERM")
    assert not box.machine.ports
    box.to(11)
    assert box.end is not None
    assert box.end[1] == 0
    assert 10 < box.end[0] < 10.1


def test_kill_from_inside_cannot_kill_pid_1() -> None:
    box = Box("sh", "-c", "kill -9 $$; kill $$; echo alive").to(1)
    assert (box.end, box.text) == ((0, 0), "alive\n")


def test_a_process_that_eats_memory_meets_its_limit() -> None:
    box = Box("sh", "-c", "sleep 1; exec tail /dev/zero", memory=64 * 2**20).to(HOUR)
    assert box.machine.end is not None
    assert (box.machine.end.reason, box.machine.end.code) == ("OOMKilled", 137)
    assert 1 < box.machine.end.at / SECOND < 2


def test_a_database_without_a_password_refuses_to_start() -> None:
    box = Box("postgres").to(1)
    assert box.end == (0.2, 1)
    assert "POSTGRES_PASSWORD" in box.text
    assert Box("postgres", env={"POSTGRES_PASSWORD": "x"}).to(HOUR).end is None


def test_the_same_machine_makes_the_same_life() -> None:
    script = "for i in 1 2 3; do echo $RANDOM; sleep 0.$((RANDOM % 9 + 1)); done"
    first, second = Box("sh", "-c", script).to(HOUR), Box("sh", "-c", script)
    for step in range(100):
        second.to(step / 10)
    assert first.output == second.to(HOUR).output
    assert first.end == second.end
