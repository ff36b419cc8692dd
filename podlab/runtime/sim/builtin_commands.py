"""What a shell does itself: variables, functions, traps, jobs, leaving. The programs are in `commands`."""

from __future__ import annotations

import re
from collections.abc import Callable

from podlab.runtime.sim import text_commands
from podlab.runtime.sim.files import MISSING, NO_FOLDER
from podlab.runtime.sim.machine import Program, Wait
from podlab.runtime.sim.shell import Exit, LoopControl, Return, Shell, signal_name
from podlab.runtime.sim.shell_syntax import parse


def _wait(shell: Shell, argv: list[str]) -> Program:
    signal = yield Wait(jobs=True, interruptible=shell.pid1)
    if signal is None:
        return 0
    yield from shell.trapped(signal)
    return 128 + 15


def _trap(shell: Shell, argv: list[str]) -> int:
    if len(argv) < 3:
        return 0
    body, names = argv[1], [signal_name(word) for word in argv[2:]]
    for name in names:
        name = "EXIT" if name in {"0", "EXIT"} else name
        shell.traps.pop(name, None)
        if shell.pid1:
            shell.machine.handled.discard(name)
        if body not in {"", "-"}:
            shell.traps[name] = body
            if shell.pid1 and name != "EXIT":
                shell.machine.handled.add(name)
    return 0


def _kill(shell: Shell, argv: list[str]) -> int:
    name, targets = "TERM", argv[1:]
    if targets[:1] == ["-s"]:
        name, targets = signal_name(targets[1]), targets[2:]
    elif targets and targets[0].startswith("-"):
        name, targets = signal_name(targets[0][1:]), targets[1:]
    for target in targets:
        if not re.fullmatch(r"%?\d+", target):
            shell.io.err(f"sh: invalid number '{target}'\n")
            return 1
        if target != "1":
            shell.io.err(f"sh: can't kill pid {target}: No such process\n")
            return 1
        if name != "0":
            shell.machine.signal(name, outside=False)
    return 0


def _exit(shell: Shell, argv: list[str]) -> int:
    raise Exit(int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else shell.last)


def _break(shell: Shell, argv: list[str]) -> int:
    raise LoopControl(again=argv[0] == "continue")


def _export(shell: Shell, argv: list[str]) -> int:
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if equals:
            shell.variables[name] = value
        if argv[0] == "export":
            shell.exported.add(name)
    if len(argv) == 1 or argv[1:] == ["-p"]:
        shell.io.out("".join(f"export {name}='{value}'\n" for name, value in sorted(shell.environment().items())))
    return 0


def _eval(shell: Shell, argv: list[str]) -> Program:
    return (yield from shell.sequence(parse(" ".join(argv[1:]))))


def _source(shell: Shell, argv: list[str]) -> Program:
    text = shell.machine.files.read(shell.path(argv[1])) if len(argv) > 1 else None
    if text is None:
        shell.io.err(f"sh: .: can't open '{argv[1] if len(argv) > 1 else ''}': No such file or directory\n")
        return 1
    try:
        return (yield from shell.sequence(parse(text)))
    except Return as done:
        return done.code


def _return(shell: Shell, argv: list[str]) -> int:
    raise Return(int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else shell.last)


def _shift(shell: Shell, argv: list[str]) -> int:
    count = int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else 1
    if count > len(shell.arguments):
        return 1
    shell.arguments = shell.arguments[count:]
    return 0


def _unset(shell: Shell, argv: list[str]) -> int:
    for name in argv[1:]:
        shell.variables.pop(name, None)
    return 0


def _set(shell: Shell, argv: list[str]) -> int:
    if "--" in argv[1:]:
        shell.arguments = tuple(argv[argv.index("--") + 1 :])
        argv = argv[: argv.index("--")]
    elif argv[1:] and argv[1][:1] not in {"-", "+"}:
        shell.arguments = tuple(argv[1:])
        return 0
    for word in argv[1:]:
        if word[:1] in {"-", "+"} and "e" in word:
            shell.errexit = word[0] == "-"
    return 0


def _cd(shell: Shell, argv: list[str]) -> int:
    word = argv[1] if len(argv) > 1 else shell.variables.get("HOME", "/")
    path, files = shell.path(word), shell.machine.files
    found = files.find(path)
    if (found is None and files.strict) or (found is not None and not found.is_folder):
        why = MISSING if found is None else NO_FOLDER
        shell.io.err(f"sh: cd: line 0: can't cd to {word}: {why}\n")
        return 2
    shell.folder = path
    if "PWD" in shell.variables:
        shell.variables["PWD"] = path
    return 0


def _nothing(shell: Shell, argv: list[str]) -> int:
    return 0


def _fails(shell: Shell, argv: list[str]) -> int:
    return 1


BUILTINS: dict[str, Callable[[Shell, list[str]], int | Program]] = {
    ":": _nothing,
    "break": _break,
    "cd": _cd,
    "continue": _break,
    "exit": _exit,
    "export": _export,
    "local": _export,
    "readonly": _export,
    "eval": _eval,
    ".": _source,
    "source": _source,
    "return": _return,
    "shift": _shift,
    "read": text_commands.read,
    "set": _set,
    "trap": _trap,
    "unset": _unset,
    "wait": _wait,
    "kill": _kill,
    "true": _nothing,
    "false": _fails,
    "umask": _nothing,
    "sync": _nothing,
}
