"""Commands that read and write text: echo, cat, grep, date and their like. Those about files are in `file_commands`."""

from __future__ import annotations

import re
from collections.abc import Callable

from podlab.runtime.sim.machine import SECOND, Program, Wait
from podlab.runtime.sim.shell import Shell
from podlab.runtime.sim.shell_syntax import Unsupported

GIB_SECONDS = SECOND  # how long `tail /dev/zero` takes to eat one GiB
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "0": "\0", '"': '"', "a": "\a"}


def unescape(text: str) -> str:
    return re.sub(r"\\([ntr\\0\"a])", lambda match: ESCAPES[match[1]], text)


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


def _inputs(shell: Shell, name: str, paths: list[str]) -> tuple[list[str], bool]:
    """The texts of files, or of standard input; complaints go to stderr."""
    if not paths or paths == ["-"]:
        return [shell.io.stdin or ""], True
    texts, fine = [], True
    for path in paths:
        text = "" if path == "/dev/null" else shell.machine.files.read(shell.path(path))
        if text is None:
            shell.io.err(f"{name}: can't open '{path}': No such file or directory\n")
            fine = False
        else:
            texts.append(text)
    return texts, fine


def _cat(shell: Shell, argv: list[str]) -> int | Program:
    if len(argv) == 1 and shell.io.stdin is None and shell.pid1:
        return 0
    texts, fine = _inputs(shell, argv[0], [word for word in argv[1:] if not re.fullmatch(r"-\w+", word)])
    for text in texts:
        shell.io.out(text)
    return 0 if fine else 1


def _count(argv: list[str], default: int) -> tuple[int, list[str]]:
    """`-n N`, `-N` or `-nN`, and the other words."""
    count, rest, words = default, [], list(argv[1:])
    while words:
        word = words.pop(0)
        if word == "-n" and words:
            word = "-" + words.pop(0).lstrip("-")
        match = re.fullmatch(r"-n?(\d+)", word)
        if match:
            count = int(match[1])
        else:
            rest.append(word)
    return count, rest


def _head(shell: Shell, argv: list[str]) -> int:
    count, paths = _count(argv, 10)
    texts, fine = _inputs(shell, "head", paths)
    shell.io.out("".join("".join(text.splitlines(keepends=True)[:count]) for text in texts))
    return 0 if fine else 1


def _tail(shell: Shell, argv: list[str]) -> int | Program:
    count, words = _count(argv, 10)
    follow = any(re.fullmatch(r"-\w*[fF]\w*", word) for word in words)
    paths = [word for word in words if not word.startswith("-")]
    if "/dev/zero" in paths:
        return _swallow_memory(shell)
    known = [path for path in paths if path == "/dev/null" or shell.machine.files.read(shell.path(path)) is not None]
    texts, fine = _inputs(shell, "tail", known if follow else paths)
    shell.io.out("".join("".join(text.splitlines(keepends=True)[-count:]) for text in texts if count))
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


def _grep(shell: Shell, argv: list[str]) -> int:
    flags = "".join(word[1:] for word in argv[1:] if re.fullmatch(r"-[a-zA-Z]+", word))
    words = [word for word in argv[1:] if not re.fullmatch(r"-[a-zA-Z]+", word)]
    if not words or set(flags) - set("qivwEFnsh"):
        raise Unsupported("grep")
    try:
        pattern = re.compile(re.escape(words[0]) if "F" in flags else words[0], re.I if "i" in flags else 0)
    except re.error:
        raise Unsupported("grep") from None
    texts, _ = _inputs(shell, "grep", words[1:])
    lines = [line for text in texts for line in text.splitlines() if bool(pattern.search(line)) != ("v" in flags)]
    if "q" not in flags:
        shell.io.out("".join(line + "\n" for line in lines))
    return 0 if lines else 1


def _wc(shell: Shell, argv: list[str]) -> int:
    texts, fine = _inputs(shell, "wc", [word for word in argv[1:] if not word.startswith("-")])
    text = "".join(texts)
    counts = {"-l": text.count("\n"), "-w": len(text.split()), "-c": len(text.encode())}
    wanted = [counts[word] for word in argv[1:] if word in counts] or list(counts.values())
    shell.io.out(" ".join(map(str, wanted)) + "\n")
    return 0 if fine else 1


def _sort(shell: Shell, argv: list[str]) -> int:
    flags = {word for word in argv[1:] if word.startswith("-")}
    if flags - {"-u", "-r"}:
        raise Unsupported("sort")
    texts, fine = _inputs(shell, "sort", [word for word in argv[1:] if not word.startswith("-")])
    lines = sorted("".join(texts).splitlines(), reverse="-r" in flags)
    shell.io.out("".join(line + "\n" for line in (dict.fromkeys(lines) if "-u" in flags else lines)))
    return 0 if fine else 1


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


def _env(shell: Shell, argv: list[str]) -> int:
    wanted = argv[1:]
    if wanted:
        shell.io.out("".join(shell.variables.get(name, "") + "\n" for name in wanted))
        return 0 if all(name in shell.variables for name in wanted) else 1
    shell.io.out("".join(f"{name}={value}\n" for name, value in shell.variables.items()))
    return 0


def _hostname(shell: Shell, argv: list[str]) -> int:
    setting = shell.machine.setting
    shell.io.out((setting.ip if "-i" in argv[1:] else setting.hostname) + "\n")
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
    "grep": _grep,
    "head": _head,
    "hostname": _hostname,
    "id": _says(lambda shell: str(shell.machine.setting.user)),
    "printenv": _env,
    "printf": _printf,
    "pwd": _says(lambda shell: shell.folder),
    "seq": _seq,
    "sort": _sort,
    "tail": _tail,
    "tee": _tee,
    "uname": _says(lambda shell: "Linux"),
    "wc": _wc,
    "whoami": _says(lambda shell: "root" if shell.machine.setting.user == 0 else "app"),
}
