"""Runs shell scripts in a `Machine`: sequences, && and ||, loops, if, case, functions, background jobs, `wait`, traps,
redirects, pipes of finished text. Words are expanded in `shell_expansion`; commands are in `commands`, servers in `servers`.

True to the kernel and to ash where it matters for pods: a shell as PID 1 ignores TERM unless it has a trap; a trap runs
after the foreground command ended, or at once during `wait`; `sh -c 'one command'` becomes that command.
"""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

from podlab.runtime.sim import chance
from podlab.runtime.sim.files import MISSING, FileError
from podlab.runtime.sim.machine import SECOND, Machine, Program, Wait
from podlab.runtime.sim.shell_expansion import MAX_TEXT, expand
from podlab.runtime.sim.shell_syntax import parse
from podlab.runtime.sim.shell_tree import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    If,
    Loop,
    Node,
    Pipeline,
    Redirect,
    Sequence,
    Simple,
    Unsupported,
)

# Scripts that spin without sleeping must not stop the laboratory.
FREE_TURNS = 1000
FIRST_COST = SECOND // 100
# Functions that call themselves, scripts that run each other.
MAX_DEPTH = 40

SIGNALS = {1: "HUP", 2: "INT", 3: "QUIT", 9: "KILL", 10: "USR1", 12: "USR2", 15: "TERM"}
NUMBERS = {name: number for number, name in SIGNALS.items()}


class Exit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Return(Exception):
    """From a function or a script that was read with `.`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class LoopControl(Exception):
    def __init__(self, *, again: bool) -> None:
        super().__init__(again)
        self.again = again


@dataclass(frozen=True, slots=True)
class Io:
    out: Callable[[str], None]
    err: Callable[[str], None]
    stdin: str | None = None  # None = nothing will ever come


def signal_name(text: str) -> str:
    if text.isdigit():
        return SIGNALS.get(int(text), text)
    return text.upper().removeprefix("SIG")


@dataclass(slots=True)
class Shell:
    """One shell process. `run_command` starts a command by its argv (injected, so that commands may start others)."""

    machine: Machine
    io: Io
    run_command: Callable[[Shell, list[str]], Program]
    pid1: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    last: int = 0
    errexit: bool = False
    traps: dict[str, str] = field(default_factory=dict)
    draws: int = 0
    exported: set[str] = field(default_factory=set)
    functions: dict[str, Command] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()  # $1 and so on
    name: str = "sh"  # $0
    depth: int = 0

    def __post_init__(self) -> None:
        self.functions = dict(self.functions)
        self.exported = set(self.exported)

    def environment(self) -> dict[str, str]:
        """What a program that it starts sees."""
        return {name: value for name, value in self.variables.items() if name in self.exported}

    def leave(self, code: int) -> None:
        raise Exit(code)

    def path(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self.folder, name))

    def value(self, name: str) -> str:
        if name == "?":
            return str(self.last)
        if name == "$":
            return "1" if self.pid1 else "7"
        if name == "#":
            return str(len(self.arguments))
        if name == "0":
            return self.name
        if name == "!":
            return "8"
        if name.isdigit():
            return self.arguments[int(name) - 1] if int(name) <= len(self.arguments) else ""
        if name == "RANDOM":
            self.draws += 1
            return str(int(chance.fraction(self.machine.setting.seed, "random", self.draws) * 32768))
        return self.variables.get(name, "")

    def script(self, source: str) -> Program:
        """A whole script; its exit code is the program's."""
        try:
            code = yield from self.sequence(parse(source))
        except Exit as leave:
            code = leave.code
        if "EXIT" in self.traps:
            body = self.traps.pop("EXIT")
            try:
                yield from self.sequence(parse(body))
            except Exit as leave:
                code = leave.code
        return code

    def sequence(self, tree: Sequence, *, tested: bool = False) -> Program:
        """`tested`: part of a condition, where a failure does not end an `sh -e`."""
        self.last = 0 if not tree.items else self.last
        for item in tree.items:
            if item.background:
                self._start_job(replace(item, background=False))
                self.last = 0
            else:
                self.last = yield from self._and_or(item)
                if self.errexit and self.last and not tested and not item.rest and not item.first.negated:
                    raise Exit(self.last)
            yield from self._run_traps()
        return self.last

    def _run_traps(self) -> Program:
        while self.pid1 and self.machine.pending:
            yield from self.trapped(self.machine.pending.pop(0))
        return 0

    def trapped(self, signal: str) -> Program:
        """Run the trap of a signal; `$?` is afterwards what it was before."""
        kept = self.last
        yield from self.sequence(parse(self.traps.get(signal, "")))
        self.last = kept
        return 0

    def _start_job(self, item: AndOr) -> None:
        job = replace(self, variables=dict(self.variables), pid1=False, traps={})

        def run() -> Program:
            try:
                return (yield from job._and_or(item))
            except Exit as leave:
                return leave.code

        self.machine.spawn(run())

    def _and_or(self, item: AndOr) -> Program:
        code = yield from self._pipeline(item.first)
        for operator, pipeline in item.rest:
            self.last = code
            if (code == 0) == (operator == "&&"):
                code = yield from self._pipeline(pipeline)
        return code

    def _pipeline(self, pipeline: Pipeline) -> Program:
        kept, text = self.io, self.io.stdin
        code = 0
        try:
            for index, command in enumerate(pipeline.commands):
                parts: list[str] = []
                last = index == len(pipeline.commands) - 1
                self.io = replace(kept, stdin=text) if last else replace(kept, stdin=text, out=parts.append)
                code = yield from self._command(command)
                text = "".join(parts)[:MAX_TEXT] if not last else self.io.stdin
        finally:
            # What `read` took of the input is gone for what follows, unless a pipe gave it.
            self.io = replace(kept, stdin=text) if len(pipeline.commands) == 1 else kept
        return int(code == 0) if pipeline.negated else code

    def _command(self, command: Command) -> Program:
        kept = self.io
        try:
            for redirect in command.redirects:
                failure = yield from self._redirect(redirect)
                if failure:
                    kept.err(failure)
                    return 1
            return (yield from self._node(command.node))
        finally:
            redirected = any(redirect.fd == 0 for redirect in command.redirects)
            self.io = kept if redirected else replace(kept, stdin=self.io.stdin)

    def _node(self, node: Node) -> Program:
        if isinstance(node, Simple):
            return (yield from self._simple(node))
        if isinstance(node, Loop):
            return (yield from self._loop(node))
        if isinstance(node, For):
            return (yield from self._for(node))
        if isinstance(node, If):
            return (yield from self._if(node))
        if isinstance(node, Case):
            return (yield from self._case(node))
        if isinstance(node, Function):
            self.functions[node.name] = node.body
            return 0
        if node.subshell:
            inner = replace(self, variables=dict(self.variables), pid1=False, traps={})
            try:
                return (yield from inner.sequence(node.body))
            except Exit as leave:
                return leave.code
        return (yield from self.sequence(node.body))

    def _simple(self, node: Simple) -> Program:
        kept = dict(self.variables)
        for name, word in node.assigns:
            values = yield from expand(self, word, split=False)
            self.variables[name] = values[0]
        words: list[str] = []
        for word in node.words:
            words += yield from expand(self, word, split=True)
        if not words:
            return self.last if any(piece.kind == "command" for _, word in node.assigns for piece in word) else 0
        exported = set(self.exported)
        self.exported |= {name for name, _ in node.assigns}
        try:
            if words[0] in self.functions:
                return (yield from self._call(words))
            return (yield from self.run_command(self, words))
        finally:
            self.exported &= exported | (self.exported - {name for name, _ in node.assigns})
            if node.assigns:
                self.variables = kept

    def _call(self, words: list[str]) -> Program:
        if self.depth >= MAX_DEPTH:
            raise Unsupported("too deep")
        kept, self.arguments = self.arguments, tuple(words[1:])
        self.depth += 1
        try:
            return (yield from self._command(self.functions[words[0]]))
        except Return as done:
            return done.code
        finally:
            self.arguments = kept
            self.depth -= 1

    def _case(self, node: Case) -> Program:
        text = (yield from expand(self, node.word, split=False))[0]
        for patterns, body in node.branches:
            for pattern in patterns:
                wanted = (yield from expand(self, pattern, split=False))[0]
                if fnmatch.fnmatchcase(text, wanted.replace("[^", "[!")):
                    return (yield from self.sequence(body))
        return 0

    def _loop(self, node: Loop) -> Program:
        code, spins = 0, 0
        while True:
            since = self.machine.now
            condition = yield from self.sequence(node.condition, tested=True)
            if (condition == 0) == node.until:
                return code
            try:
                code = yield from self.sequence(node.body)
            except LoopControl as control:
                if not control.again:
                    return 0
            spins += self.machine.now == since
            if spins > FREE_TURNS and self.machine.now == since:
                yield Wait(micros=min(FIRST_COST << min((spins - FREE_TURNS) // 50, 10), SECOND))
                yield from self._run_traps()

    def _for(self, node: For) -> Program:
        values: list[str] = []
        for word in node.words:
            values += yield from expand(self, word, split=True)
        code = 0
        for value in values:
            self.variables[node.name] = value
            try:
                code = yield from self.sequence(node.body)
            except LoopControl as control:
                if not control.again:
                    break
        return code

    def _if(self, node: If) -> Program:
        for condition, body in node.branches:
            if (yield from self.sequence(condition, tested=True)) == 0:
                return (yield from self.sequence(body))
        return (yield from self.sequence(node.otherwise)) if node.otherwise is not None else 0

    def _redirect(self, redirect: Redirect) -> Generator[Wait, str | None, str]:
        if redirect.op == "<<":
            self.io = replace(self.io, stdin=(yield from expand(self, redirect.target, split=False))[0])
            return ""
        target = (yield from expand(self, redirect.target, split=False))[0]
        if redirect.op == ">&":
            sink = self.io.out if target == "1" else self.io.err
            self.io = replace(self.io, err=sink) if redirect.fd == 2 else replace(self.io, out=sink)
            return ""
        path, files = self.path(target), self.machine.files
        try:
            if redirect.op == "<":
                self.io = replace(self.io, stdin=files.open(path))
                return ""
            device = self._device(path)
            if device is None:
                if redirect.op == ">>" and files.find(path) is not None:
                    files.append(path, "")
                else:
                    files.save(path, "")

                def device(text: str) -> None:
                    files.append(path, text)

        except FileError as error:
            verb, what = ("open", "no such file") if redirect.op == "<" else ("create", "nonexistent directory")
            told = what if str(error) == MISSING else str(error)
            return f"sh: can't {verb} {target}: {told}\n"
        self.io = replace(self.io, err=device) if redirect.fd == 2 else replace(self.io, out=device)
        return ""

    def _device(self, path: str) -> Callable[[str], None] | None:
        if path in {"/dev/null", "/dev/tty"}:
            return lambda text: None
        if path in {"/dev/stdout", "/proc/1/fd/1", "/proc/self/fd/1"}:
            return lambda text: self.machine.out("stdout", text)
        if path in {"/dev/stderr", "/proc/1/fd/2", "/proc/self/fd/2"}:
            return lambda text: self.machine.out("stderr", text)
        return None

    def substitute(self, body: Sequence) -> Generator[Wait, str | None, str]:
        """$(…): what the commands print."""
        parts: list[str] = []
        inner = replace(
            self, io=replace(self.io, out=parts.append), variables=dict(self.variables), pid1=False, traps={}
        )
        try:
            self.last = yield from inner.sequence(body)
        except Exit as leave:
            self.last = leave.code
        return "".join(parts)[:MAX_TEXT].rstrip("\n")


__all__ = ["Exit", "Io", "LoopControl", "Return", "Shell", "Unsupported", "signal_name"]
