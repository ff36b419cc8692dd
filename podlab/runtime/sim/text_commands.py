"""Commands that read and write text: echo, cat, grep, date and their like. Those about files are in `file_commands`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from podlab.runtime.sim import arithmetic
from podlab.runtime.sim.inputs import Input, inputs
from podlab.runtime.sim.machine import SECOND, Program, Wait
from podlab.runtime.sim.shell import Shell
from podlab.runtime.sim.shell_syntax import Unsupported

GIB_SECONDS = SECOND  # how long `tail /dev/zero` takes to eat one GiB
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "a": "\a"}


def unescape(text: str) -> str:
    """Backslash sequences of echo -e and printf, octal and hexadecimal ones too."""

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 8))
        return chr(int(match[2], 16)) if match[2] else ESCAPES[match[3]]

    return re.sub(r"\\(?:(0?[0-7]{1,3})|x([0-9a-fA-F]{1,2})|([ntr\\\"a]))", one, text)


def read(shell: Shell, argv: list[str]) -> int:
    """A line of standard input into variables; the rest stays for the next `read`."""
    names = [word for word in argv[1:] if not word.startswith("-")] or ["REPLY"]
    text = shell.io.stdin or ""
    line, ended, rest = text.partition("\n")
    shell.io = replace(shell.io, stdin=rest)
    if "-r" not in argv[1:]:
        line = re.sub(r"\\(.)", r"\1", line)
    parts = line.strip(" \t").split(None, len(names) - 1) if len(names) > 1 else [line.strip(" \t")]
    for index, name in enumerate(names):
        shell.variables[name] = parts[index] if index < len(parts) else ""
    return int(not ended and not line)


def _echo(shell: Shell, argv: list[str]) -> int:
    words, newline, escapes = argv[1:], "\n", False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        flags = words.pop(0)
        newline = "" if "n" in flags else newline
        escapes = "e" in flags
    text = " ".join(words)
    shell.io.out((unescape(text) if escapes else text) + newline)
    return 0


def _printf(shell: Shell, argv: list[str]) -> int:
    if len(argv) < 2:
        return 1
    form, values = unescape(argv[1]), list(argv[2:])
    while True:
        text, used = "", 0
        for part in re.split(r"(%%|%[-0]?\d*(?:\.\d+)?[sdifx])", form):
            if part == "%%":
                text += "%"
            elif re.fullmatch(r"%.*[sdifx]", part):
                value = values[used] if used < len(values) else ""
                used += 1
                text += _formatted(part, value)
            else:
                text += part
        shell.io.out(text)
        values = values[used:]
        if not values or not used:
            return 0


def _formatted(form: str, value: str) -> str:
    if form[-1] == "s":
        return form % value
    try:
        return form.replace("i", "d") % (float(value) if form[-1] == "f" else int(value or "0"))
    except ValueError:
        return form.replace("i", "d") % 0


def _cat(shell: Shell, argv: list[str]) -> int | Program:
    if len(argv) == 1 and shell.io.stdin is None and shell.pid1:
        return 0
    texts, fine = inputs(shell, "cat", [word for word in argv[1:] if not re.fullmatch(r"-\w+", word)])
    numbered = any(re.fullmatch(r"-\w*n\w*", word) for word in argv[1:])
    if numbered:
        lines = [line for one in texts for line in one.lines()]
        shell.io.out("".join(f"{number:6d}\t{line}\n" for number, line in enumerate(lines, 1)))
    else:
        for one in texts:
            shell.io.out(one.text)
    return 0 if fine else 1


@dataclass(frozen=True, slots=True)
class _Part:
    """How much of a text head and tail show: so many lines or bytes; `from_start`: from that one on."""

    count: int = 10
    in_bytes: bool = False
    from_start: bool = False

    def of(self, text: str, *, end: bool) -> str:
        if not end:
            wanted = slice(0, self.count)
        elif self.from_start:
            wanted = slice(max(self.count - 1, 0), None)
        else:
            wanted = slice(-self.count, None) if self.count else slice(0, 0)
        if self.in_bytes:  # of a letter that is cut nothing is left: outputs are texts here
            return text.encode()[wanted].decode("utf-8", "ignore")
        return "".join(text.splitlines(keepends=True)[wanted])


def _part(argv: list[str]) -> tuple[_Part, list[str]]:
    """`-n N`, `-N`, `-c N`, `-n +N`, and the other words."""
    part, rest, words = _Part(), [], list(argv[1:])
    while words:
        word = words.pop(0)
        if word in {"-n", "-c"} and words:
            word += words.pop(0)
        match = re.fullmatch(r"-([nc]?)([+-]?)(\d+)([kb]?)", word)
        if match:
            factor = {"k": 1024, "b": 512}.get(match[4], 1)
            part = _Part(int(match[3]) * factor, match[1] == "c", match[2] == "+")
        elif word != "-q":
            rest.append(word)
    return part, rest


def _head(shell: Shell, argv: list[str]) -> int:
    part, paths = _part(argv)
    texts, fine = inputs(shell, "head", paths)
    _titled(shell, texts, lambda text: part.of(text, end=False))
    return 0 if fine else 1


def _titled(shell: Shell, texts: list[Input], cut: Callable[[str], str]) -> None:
    for number, one in enumerate(texts):
        if len(texts) > 1:
            shell.io.out(("\n" if number else "") + f"==> {one.name} <==\n")
        shell.io.out(cut(one.text))


def _tail(shell: Shell, argv: list[str]) -> int | Program:
    part, words = _part(argv)
    follow = any(re.fullmatch(r"-\w*[fF]\w*", word) for word in words)
    paths = [word for word in words if not word.startswith("-")]
    if "/dev/zero" in paths:
        return _swallow_memory(shell)
    known = [path for path in paths if shell.machine.files.read(shell.path(path)) is not None]
    texts, fine = inputs(shell, "tail", known if follow else paths)
    _titled(shell, texts, lambda text: part.of(text, end=True))
    return _follow(shell, known) if follow else int(not fine)


def _follow(shell: Shell, paths: list[str]) -> Program:
    """`tail -f`: what is written to these files later is passed on each second, as tail does."""
    files = shell.machine.files
    watched = [shell.path(path) for path in paths if path != "/dev/null"]
    seen = {path: len(files.read(path) or "") for path in watched}
    while watched:
        yield Wait(micros=SECOND)
        for path in watched:
            text = files.read(path) or ""
            shell.io.out(text[seen[path] :] if len(text) >= seen[path] else text)
            seen[path] = len(text)
    yield Wait()
    return 0


def _swallow_memory(shell: Shell) -> Program:
    """`tail /dev/zero` keeps all it reads: the classic way to meet the OOM killer."""
    limit = shell.machine.setting.memory_limit
    step = max((limit or 2**30) // 4, 1)
    for turn in range(1, 6):
        yield Wait(micros=step * GIB_SECONDS // 2**30)
        if not shell.machine.use_memory(step * turn):
            break
    yield Wait()
    return 0


def _tee(shell: Shell, argv: list[str]) -> int:
    text = shell.io.stdin or ""
    for path in (shell.path(word) for word in argv[1:] if word != "-a"):
        before = (shell.machine.files.read(path) or "") if "-a" in argv else ""
        shell.machine.files.write(path, before + text)
    shell.io.out(text)
    return 0


def _seq(shell: Shell, argv: list[str]) -> int:
    try:
        numbers = [int(word) for word in argv[1:]]
    except ValueError:
        raise Unsupported("seq") from None
    first, step, last = {1: (1, 1, numbers[0]), 2: (numbers[0], 1, numbers[-1])}.get(len(numbers), tuple(numbers[:3]))
    values = range(first, last + (1 if step > 0 else -1), step)[:100_000]
    shell.io.out("".join(f"{value}\n" for value in values))
    return 0


def _date(shell: Shell, argv: list[str]) -> int:
    form = next((word[1:] for word in argv[1:] if word.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    if "-I" in argv[1:] or "-Iseconds" in argv[1:]:
        form = "%Y-%m-%dT%H:%M:%S+0000" if "-Iseconds" in argv else "%Y-%m-%d"
    now = shell.machine.wall()
    shell.io.out(
        now.strftime(form.replace("%s", str(int(now.timestamp()))).replace("%N", f"{now.microsecond:06}000")) + "\n"
    )
    return 0


def _env(shell: Shell, argv: list[str]) -> int | Program:
    """All that a program would see; `env NAME=VALUE command` runs one."""
    words = [word for word in argv[1:] if word != "-i"]
    found = {} if "-i" in argv[1:] else shell.environment()
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        found[name] = value
    if words:
        inner = replace(shell, variables=found, exported=set(found), pid1=False, traps={})
        return shell.run_command(inner, words)
    shell.io.out("".join(f"{name}={value}\n" for name, value in found.items()))
    return 0


def _printenv(shell: Shell, argv: list[str]) -> int:
    found = shell.environment()
    if len(argv) == 1:
        shell.io.out("".join(f"{name}={value}\n" for name, value in found.items()))
    shell.io.out("".join(f"{found[name]}\n" for name in argv[1:] if name in found))
    return 0 if all(name in found for name in argv[1:]) else 1


def _expr(shell: Shell, argv: list[str]) -> int:
    """Two numbers and what is done with them."""
    if len(argv) != 4 or not all(re.fullmatch(r"-?\d+", word) for word in (argv[1], argv[3])):
        raise Unsupported("expr")
    value = arithmetic.evaluate(f"({argv[1]}) {argv[2]} ({argv[3]})", lambda name: "")
    shell.io.out(f"{value}\n")
    return int(not value)


def _hostname(shell: Shell, argv: list[str]) -> int:
    setting = shell.machine.setting
    shell.io.out((setting.ip if "-i" in argv[1:] else setting.hostname) + "\n")
    return 0


def _uname(shell: Shell, argv: list[str]) -> int:
    known = {"s": "Linux", "n": shell.machine.setting.hostname, "r": "simulated", "m": "x86_64", "o": "GNU/Linux"}
    flags = "".join(word[1:] for word in argv[1:]) or "s"
    shell.io.out(" ".join(value for name, value in known.items() if name in flags or "a" in flags) + "\n")
    return 0


def _says(text: Callable[[Shell], str]) -> Callable[[Shell, list[str]], int]:
    def command(shell: Shell, argv: list[str]) -> int:
        shell.io.out(text(shell) + "\n")
        return 0

    return command


COMMANDS: dict[str, Callable[[Shell, list[str]], int | Program]] = {
    "cat": _cat,
    "date": _date,
    "echo": _echo,
    "env": _env,
    "head": _head,
    "hostname": _hostname,
    "printenv": _printenv,
    "expr": _expr,
    "printf": _printf,
    "pwd": _says(lambda shell: shell.folder),
    "seq": _seq,
    "tail": _tail,
    "tee": _tee,
    "uname": _uname,
}
