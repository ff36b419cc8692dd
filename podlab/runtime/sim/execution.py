"""One command that exec runs inside a simulated container: a probe, a hook, a terminal's command."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.clock import Clock, Timer
from podlab.runtime.calls import ExecResult
from podlab.runtime.node_files import MAX_FILE, NodeFile
from podlab.runtime.sim import commands
from podlab.runtime.sim.container import SimContainer
from podlab.runtime.sim.machine import Process
from podlab.runtime.sim.network import Call
from podlab.runtime.sim.shell import Io

Changes = dict[str, NodeFile | None]
Changed = Callable[[SimContainer, Changes], None]


def changed(before: Mapping[str, NodeFile], after: Mapping[str, NodeFile]) -> Changes:
    """What became of a container's own files."""
    found: Changes = {path: file for path, file in after.items() if before.get(path) != file}
    return found | {path: None for path in before if path not in after}


class Execution:
    """Calls `done` once: when the command ends, or at the timeout, when it is stopped. Files that it made or removed in
    the container are told to `changed`, because a later replay of the container cannot know of them."""

    def __init__(
        self,
        clock: Clock,
        container: SimContainer,
        argv: tuple[str, ...],
        call: Call,
        done: Callable[[ExecResult], None],
        changed: Changed,
    ) -> None:
        self._clock = clock
        self._container = container
        self._argv = argv
        self._call = call
        self._done: Callable[[ExecResult], None] | None = done
        self._changed = changed
        # stdout before stderr, as the kubelet joins them.
        self._out: list[str] = []
        self._err: list[str] = []
        self._files: dict[str, NodeFile] = {}
        self._process: Process | None = None
        self._timeout: Timer | None = None
        self._began = clock.now()

    def begin(self) -> None:
        container = self._container
        machine = container.machine
        assert machine is not None
        machine.advance(container.micros())
        if machine.end is not None:
            container.settle()
            self._answer(ExecResult(-1, "", 0.0, error=f"container {container.id[:12]} is not running"))
            return
        if not commands.exists(machine, self._argv[0]):
            text = f'exec: "{self._argv[0]}": executable file not found in $PATH: unknown'
            self._answer(ExecResult(126, "", 0.0, error=f"OCI runtime exec failed: exec failed: {text}"))
            return
        self._files = dict(machine.files.own)
        io = Io(out=self._out.append, err=self._err.append, stdin="")
        program = commands.start(machine, list(self._argv), io, pid1=False, lenient=True)
        self._timeout = self._clock.call_later(self._call.timeout, self._too_slow)
        self._process = machine.spawn(program, self._ended)
        machine.advance(container.micros())
        container.settle()

    def _ended(self, code: int) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
        self._note_files()
        took = (self._clock.now() - self._began).total_seconds() + self._call.latency
        self._answer(ExecResult(code & 0xFF, self._output(), took, stderr="".join(self._err)[:MAX_FILE]))

    def _too_slow(self) -> None:
        machine = self._container.machine
        if machine is not None and self._process is not None:
            machine.stop(self._process)
            self._container.settle()
        self._note_files()
        self._answer(ExecResult(-1, self._output(), self._call.timeout, timed_out=True), at_once=True)

    def _output(self) -> str:
        return "".join([*self._out, *self._err])[:MAX_FILE]

    def _note_files(self) -> None:
        machine = self._container.machine
        assert machine is not None
        if changes := changed(self._files, machine.files.own):
            self._changed(self._container, changes)

    def _answer(self, result: ExecResult, *, at_once: bool = False) -> None:
        done, self._done = self._done, None
        if done is None:
            return
        wait = 0.0 if at_once else self._call.latency
        self._clock.call_later(wait, lambda: done(result))
