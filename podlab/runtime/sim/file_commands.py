"""Commands about files: test, touch, rm, ls and their like."""

from __future__ import annotations

import re
from collections.abc import Callable

from podlab.runtime.sim.shell import Shell
from podlab.runtime.sim.shell_syntax import Unsupported

# Folders of any image; of their contents nothing is known.
SYSTEM_FOLDERS = frozenset(
    [
        "/",
        "/bin",
        "/dev",
        "/etc",
        "/home",
        "/lib",
        "/mnt",
        "/opt",
        "/proc",
        "/root",
        "/run",
        "/sbin",
        "/srv",
        "/sys",
        "/tmp",
        "/usr",
        "/usr/bin",
        "/usr/local",
        "/var",
    ]
)


def _touch(shell: Shell, argv: list[str]) -> int:
    files = shell.machine.files
    for word in argv[1:]:
        path = shell.path(word)
        if not word.startswith("-") and files.read(path) is None and not files.write(path, ""):
            shell.io.err(f"touch: {word}: Read-only file system\n")
            return 1
    return 0


def _rm(shell: Shell, argv: list[str]) -> int:
    force = any(word.startswith("-") and "f" in word for word in argv[1:])
    files = shell.machine.files
    for word in (word for word in argv[1:] if not word.startswith("-")):
        path = shell.path(word)
        inside = files.under(path)
        if files.read(path) is None and not inside:
            if not force:
                shell.io.err(f"rm: can't remove '{word}': No such file or directory\n")
                return 1
            continue
        files.write(path, None)
        for name in inside:
            files.write(f"{path}/{name}", None)
    return 0


def _copy(shell: Shell, argv: list[str]) -> int:
    words = [word for word in argv[1:] if not word.startswith("-")]
    if len(words) != 2:
        raise Unsupported(argv[0])
    text = shell.machine.files.read(shell.path(words[0]))
    if text is None:
        shell.io.err(f"{argv[0]}: can't stat '{words[0]}': No such file or directory\n")
        return 1
    shell.machine.files.write(shell.path(words[1]), text)
    if argv[0].endswith("mv"):
        shell.machine.files.write(shell.path(words[0]), None)
    return 0


def _ls(shell: Shell, argv: list[str]) -> int:
    code = 0
    for word in [word for word in argv[1:] if not word.startswith("-")] or ["."]:
        path = shell.path(word)
        if shell.machine.files.read(path) is not None:
            shell.io.out(word + "\n")
            continue
        names = shell.machine.files.under(path)
        if not names and path not in SYSTEM_FOLDERS:
            code = 1
            shell.io.err(f"ls: {word}: No such file or directory\n")
        shell.io.out("".join(name + "\n" for name in names if not name.startswith(".")))
    return code


def _test(shell: Shell, argv: list[str]) -> int:
    words = argv[1:]
    if argv[0] in {"[", "[["}:
        closing = "]" * len(argv[0])
        if not words or words[-1] != closing:
            shell.io.err(f"sh: missing {closing}\n")
            return 2
        words = words[:-1]
    negated = False
    while words[:1] == ["!"]:
        negated, words = not negated, words[1:]
    return int(_holds(shell, words) == negated)


def _holds(shell: Shell, words: list[str]) -> bool:
    files = shell.machine.files
    if len(words) <= 1:
        return bool(words and words[0])
    if len(words) == 2:
        operator, value = words
        path = shell.path(value)
        if operator in {"-f", "-e", "-r", "-w", "-x"}:
            return files.read(path) is not None or (operator == "-e" and bool(files.under(path)))
        checks: dict[str, bool] = {"-z": not value, "-n": bool(value), "-s": bool(files.read(path))}
        if operator == "-d":
            return bool(files.under(path)) or path in SYSTEM_FOLDERS
        if operator in checks:
            return checks[operator]
    if len(words) == 3:
        left, operator, right = words
        if operator in {"=", "=="}:
            return left == right
        if operator == "!=":
            return left != right
        numbers: dict[str, Callable[[int, int], bool]] = {
            "-eq": lambda a, b: a == b,
            "-ne": lambda a, b: a != b,
            "-lt": lambda a, b: a < b,
            "-le": lambda a, b: a <= b,
            "-gt": lambda a, b: a > b,
            "-ge": lambda a, b: a >= b,
        }
        if operator in numbers and re.fullmatch(r"-?\d+", left) and re.fullmatch(r"-?\d+", right):
            return numbers[operator](int(left), int(right))
    raise Unsupported("test " + " ".join(words))


def _mkdir(shell: Shell, argv: list[str]) -> int:
    for word in (word for word in argv[1:] if not word.startswith("-")):
        if not shell.machine.files.write(shell.path(word) + "/.", ""):  # a name that makes the folder be there
            shell.io.err(f"mkdir: can't create directory '{word}': Read-only file system\n")
            return 1
    return 0


def _dd(shell: Shell, argv: list[str]) -> int:
    options = dict(word.split("=", 1) for word in argv[1:] if "=" in word)
    if "of" in options:
        shell.machine.files.write(shell.path(options["of"]), "")
    return 0


COMMANDS: dict[str, Callable[[Shell, list[str]], int]] = {
    "[": _test,
    "[[": _test,
    "cp": _copy,
    "dd": _dd,
    "ls": _ls,
    "mkdir": _mkdir,
    "mv": _copy,
    "rm": _rm,
    "rmdir": _rm,
    "test": _test,
    "touch": _touch,
}
