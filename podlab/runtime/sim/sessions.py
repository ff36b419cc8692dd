"""Open streams into simulated containers: a command or an interactive shell (exec), the output (attach).

`runtime` makes them; the world that owns the runtime serialises every call. What the simulator cannot run it says, with
exit code 127. Files that a command changes are told to `changed`, as in `execution`.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable
from datetime import datetime

from podlab.apis.types import LogLine
from podlab.runtime.node_files import NodeFile
from podlab.runtime.sim import commands, servers, text_commands
from podlab.runtime.sim.container import SimContainer
from podlab.runtime.sim.execution import Changed, changed
from podlab.runtime.sim.machine import KILLED, Machine, Process, Program
from podlab.runtime.sim.output import Follower
from podlab.runtime.sim.shell import Exit, Io, LoopControl, Shell
from podlab.runtime.sim.shell_syntax import Unsupported, parse
from podlab.runtime.sim.terminal import Echo, EndOfInput, Heard, Interrupt, Line, Terminal
from podlab.runtime.streaming import StreamOptions, StreamSink

logger = logging.getLogger(__name__)

NOT_SIMULATED = 127
INTERRUPTED = 130
MAX_INPUT = 256 * 1024
_BECOMES_SHELL = re.compile(r"(?:^|[;&|]\s*)exec\s+(?:/bin/)?(?:ash|bash|sh)\s*$")
# Commands that read their standard input when no file is named: they wait for its end.
_READERS = frozenset(
    {"base64", "cat", "cut", "grep", "head", "sed", "sort", "tail", "tee", "tr", "uniq", "wc", "xargs"}
)


def simulated(machine: Machine, argv: list[str]) -> bool:
    """Whether the simulator knows what this command does."""
    name = commands.base_name(argv[0])
    known = name in commands.COMMANDS or name in text_commands.COMMANDS or name in commands.SHELLS or name == "exec"
    server = servers.of_command(argv)
    return known or (server is not None and bool(server.ports))  # and not whatever an interpreter may run


class _Session:
    """What both kinds have in common: an end that comes once, and hears when the container ends."""

    def __init__(
        self, container: SimContainer, options: StreamOptions, sink: StreamSink, gone: Callable[[object], None]
    ) -> None:
        self._container, self._options, self._sink, self._gone = container, options, sink, gone
        self._over = False

    def _say(self, stream: str, text: str) -> None:
        if self._over or not text:
            return
        if self._options.tty:
            stream, text = "stdout", text.replace("\r\n", "\n").replace("\n", "\r\n")
        if getattr(self._options, stream):
            self._sink.output(stream, text.encode())

    def _end(self, code: int | None, error: str = "") -> None:
        if not self._over:
            self._over = True
            self._gone(self)
            self._sink.ended(code, error)

    def close(self) -> None:
        self._end(None, "the stream was closed")


class AttachSession(_Session):
    """The container's lines as they come. Input goes nowhere: a simulated process reads none."""

    def __init__(
        self,
        container: SimContainer,
        options: StreamOptions,
        sink: StreamSink,
        gone: Callable[[object], None],
        now: datetime,
    ) -> None:
        super().__init__(container, options, sink, gone)
        self._follower = Follower(self._line, lambda: self._end(None))
        container.follow(self._follower, now)

    def _line(self, line: LogLine) -> None:
        self._say(line.stream, line.text + ("" if line.partial else "\n"))

    def _end(self, code: int | None, error: str = "") -> None:
        self._follower.close()
        super()._end(code, error)

    def write(self, data: bytes) -> None:
        """Nobody reads it."""

    def close_input(self) -> None:
        """Nobody reads it."""

    def resize(self, width: int, height: int) -> None:
        """Nothing depends on the window."""


class CommandSession(_Session):
    """A command, or a shell that takes one line after the other."""

    def __init__(
        self,
        container: SimContainer,
        argv: tuple[str, ...],
        options: StreamOptions,
        sink: StreamSink,
        gone: Callable[[object], None],
        changed: Changed,
    ) -> None:
        super().__init__(container, options, sink, gone)
        assert container.machine is not None
        self._machine: Machine = container.machine
        self._argv = list(argv)
        self._changed = changed
        self._terminal = Terminal(tty=options.tty)
        self._interactive = _is_shell(self._argv)
        self._lines: deque[str] = deque()
        self._input: list[str] | None = None  # collected for a command that reads to the end
        self._no_more = not options.stdin
        self._process: Process | None = None
        self._leaving: int | None = None
        self._files: dict[str, NodeFile] = {}
        io = Io(out=lambda text: self._say("stdout", text), err=lambda text: self._say("stderr", text), stdin="")
        self._shell = Shell(self._machine, io, self._run_command, folder=self._machine.setting.working_dir or "/")
        self._shell.variables = self._machine.setting.environment()
        self._shell.exported = set(self._shell.variables)
        self._follower = Follower(lambda line: None, lambda: self._end(KILLED))

    def begin(self) -> None:
        self._container.follow(self._follower, self._machine.wall())
        self._machine.advance(self._container.micros())
        if self._interactive:
            self._next_line()
        elif self._options.stdin and _reads_input(self._argv):
            self._input = []
        else:
            self._start(self._command(""))
        self._move()

    def write(self, data: bytes) -> None:
        self._hear(self._terminal.hear(data))

    def close_input(self) -> None:
        self._hear(self._terminal.end())

    def resize(self, width: int, height: int) -> None:
        """Nothing depends on the window."""

    def _end(self, code: int | None, error: str = "") -> None:
        self._follower.close()
        process, self._process = self._process, None
        if process is not None:
            self._machine.stop(process)
            self._note_files()
        super()._end(code, error)

    def _hear(self, heard: list[Heard]) -> None:
        for item in heard:
            if self._over:
                return
            if isinstance(item, Echo):
                self._say("stdout", item.text)
            elif isinstance(item, Line):
                self._take(item)
            elif isinstance(item, Interrupt):
                self._interrupt()
            else:
                self._end_of_input()
        self._move()

    def _move(self) -> None:
        """Let the machine do what is due now."""
        if not self._over and self._container.running:
            self._machine.advance(self._container.micros())
            self._container.settle()

    def _take(self, line: Line) -> None:
        if self._interactive:
            self._lines.append(line.text)
            if self._process is None:
                self._next_line()
        elif self._input is not None and sum(map(len, self._input)) < MAX_INPUT:
            self._input.append(line.text + ("\n" if line.ended else ""))

    def _end_of_input(self) -> None:
        self._no_more = True
        if self._interactive:
            if self._process is None:
                self._next_line()
        elif self._input is not None:
            text, self._input = "".join(self._input), None
            self._start(self._command(text))

    def _interrupt(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._machine.stop(process)
            self._note_files()
        if not self._interactive:
            self._end(INTERRUPTED)
            return
        self._lines.clear()
        self._shell.last = INTERRUPTED
        self._next_line()

    def _next_line(self) -> None:
        """The next command of a shell, or its prompt, or its end."""
        if self._leaving is not None:
            self._end(self._leaving)
            return
        while self._lines:
            line = self._lines.popleft()
            if line.strip() and not line.lstrip().startswith("#"):
                self._start(self._script(line))
                return
        if self._no_more:
            self._end(self._shell.last)
        elif self._options.tty:
            mark = "#" if self._machine.setting.user == 0 else "$"
            self._say("stdout", f"{self._shell.folder} {mark} ")

    def _start(self, program: Program) -> None:
        self._files = dict(self._machine.files.own)
        self._process = self._machine.spawn(program, self._ended)

    def _ended(self, code: int) -> None:
        self._process = None
        self._note_files()
        if self._over or not self._container.running:
            return
        if self._interactive:
            self._next_line()
        else:
            self._end(code & 0xFF)

    def _note_files(self) -> None:
        changes = changed(self._files, self._machine.files.own)
        if changes and self._container.running:
            self._changed(self._container, changes)

    # Programs

    def _script(self, line: str) -> Program:
        """A line of a shell. `exit` leaves the shell, everything else leaves its code."""
        try:
            code = yield from self._guarded(line, self._shell)
        except Exit as leave:
            self._leaving = code = leave.code
        return code

    def _guarded(self, source: str, shell: Shell) -> Program:
        try:
            code = yield from shell.sequence(parse(source))
        except LoopControl:
            code = 0
        except Unsupported as what:
            shell.io.err(f"podlab: the simulated shell does not understand this: {what}\n")
            code = 2
        except (Exit, GeneratorExit):
            raise
        except Exception:
            logger.exception("the simulated shell failed")
            shell.io.err("podlab: the simulated shell cannot run this\n")
            code = 2
        shell.last = code
        return code

    def _command(self, text: str) -> Program:
        """The command that was asked for, with all of its input."""
        shell = self._shell
        shell.io = Io(out=shell.io.out, err=shell.io.err, stdin=text)
        try:
            if commands.base_name(self._argv[0]) in commands.SHELLS and "-c" in self._argv[1:-1]:
                return (yield from self._guarded(self._argv[self._argv.index("-c") + 1], shell))
            return (yield from self._run_command(shell, self._argv))
        except Exit as leave:
            return leave.code
        except (LoopControl, Unsupported) as what:
            shell.io.err(f"podlab: the simulator cannot run this: {what}\n")
            return NOT_SIMULATED
        except GeneratorExit:
            raise
        except Exception:
            logger.exception("the simulator failed at %s", self._argv[0])
            shell.io.err("podlab: the simulator cannot run this\n")
            return NOT_SIMULATED

    def _run_command(self, shell: Shell, argv: list[str]) -> Program:
        if not simulated(self._machine, argv) and self._machine.files.read(shell.path(argv[0])) is None:
            exists = commands.exists(self._machine, argv[0]) and self._machine.setting.applets_only
            what = "is not simulated" if exists else "is not known to the simulator"
            shell.io.err(f"podlab: {argv[0]}: {what}: this container has no processes\n")
            return NOT_SIMULATED
        return (yield from commands.run(shell, argv))


def _is_shell(argv: list[str]) -> bool:
    """A shell that is given neither a command nor a script reads its input line by line; so does one whose script ends in
    `exec sh`, which is how terminals look for the best shell there is."""
    if commands.base_name(argv[0]) not in commands.SHELLS:
        return False
    if len(argv) == 3 and argv[1] == "-c":
        return _BECOMES_SHELL.search(argv[2]) is not None
    return all(word.startswith("-") and "c" not in word for word in argv[1:])


def _reads_input(argv: list[str]) -> bool:
    return any(commands.base_name(word) in _READERS for part in argv for word in re.split(r"[^\w./-]+", part))


__all__ = ["AttachSession", "CommandSession", "EndOfInput", "simulated"]
