"""Commands that make, change and remove files, and `test`. Those that look are in `look_commands`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from podlab.runtime.node_files import LINK
from podlab.runtime.sim.files import FileError
from podlab.runtime.sim.image_files import GROUPS, USERS
from podlab.runtime.sim.inputs import options
from podlab.runtime.sim.shell import Shell
from podlab.runtime.sim.shell_syntax import Unsupported

_UNITS = {"": 1, "c": 1, "w": 2, "b": 512, "k": 1024, "kb": 1000, "m": 2**20, "mb": 10**6, "g": 2**30, "gb": 10**9}


def _touch(shell: Shell, argv: list[str]) -> int:
    files, code = shell.machine.files, 0
    for word in options("touch", argv[1:], flags="cam").words:
        path = shell.path(word)
        try:
            if files.find(path) is None:
                files.save(path, "")
            elif (mount := files.mount_of(files.real(path))) is not None and files.volumes[mount].read_only:
                raise FileError("Read-only file system")
        except FileError as error:
            shell.io.err(f"touch: {word}: {error}\n")
            code = 1
    return code


def _rm(shell: Shell, argv: list[str]) -> int:
    given = options(argv[0], argv[1:], flags="rRfip")
    files, code = shell.machine.files, 0
    for word in given.words:
        path = shell.path(word)
        found = files.find(path, follow=False)
        try:
            if found is None:
                if "f" in given.flags:
                    continue
                raise FileError("No such file or directory")
            if found.is_folder and argv[0] == "rm" and not given.flags & {"r", "R"}:
                shell.io.err(f"rm: '{word}' is a directory\n")
                code = 1
                continue
            if argv[0] == "rmdir" and [name for name in files.under(path) if name != "."]:
                raise FileError("Directory not empty")
            files.remove(path)
        except FileError as error:
            code = 1
            what = f"can't remove '{word}'" if argv[0] == "rm" else f"'{word}'"
            shell.io.err(f"{argv[0]}: {what}: {error}\n")
    return code


def _copy(shell: Shell, argv: list[str]) -> int:
    given = options(argv[0], argv[1:], flags="rRafpLdvin")
    files, move = shell.machine.files, posixpath.basename(argv[0]) == "mv"
    if len(given.words) < 2:
        raise Unsupported(argv[0])
    *sources, target = given.words
    into = files.find(shell.path(target))
    code = 0
    for source in sources:
        place = shell.path(target)
        if into is not None and into.is_folder:
            place = posixpath.join(place, posixpath.basename(source.rstrip("/")))
        found = files.find(shell.path(source))
        try:
            if found is None:
                shell.io.err(f"{argv[0]}: can't stat '{source}': No such file or directory\n")
                code = 1
                continue
            if found.is_folder and not move and not given.flags & {"r", "R", "a"}:
                shell.io.err(f"cp: omitting directory '{source}'\n")
                code = 1
                continue
            for inner in _tree(shell, shell.path(source)):
                _copy_one(shell, shell.path(source) + inner, place + inner)
            if move:
                files.remove(shell.path(source))
        except FileError as error:
            code = 1
            shell.io.err(f"{argv[0]}: can't create '{target}': {error}\n")
    return code


def _tree(shell: Shell, path: str) -> Iterator[str]:
    """Everything below a path, itself first."""
    yield ""
    for name in shell.machine.files.under(path):
        yield from (f"/{name}{inner}" for inner in _tree(shell, f"{path}/{name}"))


def _copy_one(shell: Shell, source: str, target: str) -> None:
    files = shell.machine.files
    found = files.find(source)
    if found is None:
        return
    if found.is_folder:
        if files.find(target) is None:
            files.make_folder(target, found.mode)
        return
    fresh = files.find(target) is None
    files.save(target, files.open(source), size=found.size)
    if fresh:
        files.change(target, mode=found.mode & 0o777)


def _mkdir(shell: Shell, argv: list[str]) -> int:
    given = options("mkdir", argv[1:], flags="p", values="m")
    files, code = shell.machine.files, 0
    mode = int((given.values.get("m") or ["755"])[0], 8)
    for word in given.words:
        path = shell.path(word)
        parts = [part for part in path.split("/") if part]
        steps = ["/" + "/".join(parts[: index + 1]) for index in range(len(parts))] if "p" in given.flags else [path]
        try:
            for step in steps:
                found = files.find(step)
                if found is None:
                    files.make_folder(step, mode if step == path else 0o755)
                elif "p" not in given.flags or not found.is_folder:
                    raise FileError("File exists")
        except FileError as error:
            shell.io.err(f"mkdir: can't create directory '{word}': {error}\n")
            code = 1
    return code


def _ln(shell: Shell, argv: list[str]) -> int:
    given = options("ln", argv[1:], flags="sfn")
    if len(given.words) != 2:
        raise Unsupported("ln")
    target, word = given.words
    files, path = shell.machine.files, shell.path(word)
    try:
        known = files.find(path, follow="n" not in given.flags)
        if known is not None and known.is_folder:
            path = posixpath.join(path, posixpath.basename(target))
        if "f" in given.flags and files.find(path, follow=False) is not None:
            files.remove(path)
        if "s" in given.flags:
            files.make_link(path, target)
        else:
            files.save(path, files.open(shell.path(target)))
    except FileError as error:
        shell.io.err(f"ln: {word}: {error}\n")
        return 1
    return 0


def _chmod(shell: Shell, argv: list[str]) -> int:
    given = [word for word in argv[1:] if not re.fullmatch(r"-[Rcvf]+", word)]
    deep = any(re.fullmatch(r"-[cvf]*R[Rcvf]*", word) for word in argv[1:])
    if len(given) < 2:
        return 1
    files, code = shell.machine.files, 0
    for word in given[1:]:
        try:
            path = shell.path(word)
            for inner in _tree(shell, path) if deep else ("",):
                found = files.find(path + inner)
                if found is None:
                    raise FileError("No such file or directory")
                files.change(path + inner, mode=changed_mode(given[0], found.mode, folder=found.is_folder))
        except FileError as error:
            code = 1
            shell.io.err(f"chmod: {word}: {error}\n")
    return code


def changed_mode(text: str, mode: int, *, folder: bool = False) -> int:
    """A mode after "640" or "u+x,g-w,a=r"."""
    if re.fullmatch(r"[0-7]{1,4}", text):
        return int(text, 8)
    for part in text.split(","):
        match = re.fullmatch(r"([ugoa]*)([-+=])([rwxXst]*)", part)
        if match is None:
            raise Unsupported(f"chmod {text}")
        bits = sum({"r": 4, "w": 2, "x": 1}.get(letter, 0) for letter in set(match[3]))
        if "X" in match[3] and (folder or mode & 0o111):
            bits |= 1
        for who in match[1] or "a":
            for shift in (6, 3, 0) if who == "a" else ({"u": 6, "g": 3, "o": 0}[who],):
                if match[2] == "=":
                    mode &= ~(7 << shift)
                mode = mode & ~(bits << shift) if match[2] == "-" else mode | bits << shift
    return mode


def _chown(shell: Shell, argv: list[str]) -> int:
    words = [word for word in argv[1:] if not re.fullmatch(r"-[Rhcvf]+", word)]
    deep = any("R" in word for word in argv[1:] if word.startswith("-"))
    if len(words) < 2:
        return 1
    user, _, group = (":" + words[0] if argv[0].endswith("chgrp") else words[0]).replace(".", ":").partition(":")
    files, code = shell.machine.files, 0
    for word in words[1:]:
        try:
            path = shell.path(word)
            for inner in _tree(shell, path) if deep else ("",):
                files.change(path + inner, uid=_number(user, USERS), gid=_number(group, GROUPS))
        except FileError as error:
            code = 1
            shell.io.err(f"{argv[0]}: {word}: {error}\n")
    return code


def _number(text: str, names: dict[int, str]) -> int | None:
    if not text:
        return None
    if text.isdigit():
        return int(text)
    return next((number for number, name in names.items() if name == text), 0)


def _dd(shell: Shell, argv: list[str]) -> int:
    given = dict(word.split("=", 1) for word in argv[1:] if "=" in word)
    block, count = _size(given.get("bs", "512")), _size(given["count"]) if "count" in given else None
    source = given.get("if", "")
    files = shell.machine.files
    try:
        text = (
            shell.io.stdin or "" if not source else "" if source.startswith("/dev/") else files.open(shell.path(source))
        )
        size = (
            block * (count or 0)
            if source.startswith("/dev/")
            else min(len(text), block * count if count else len(text))
        )
        target = given.get("of")
        if target is None:
            shell.io.out(text[:size])
        elif target != "/dev/null":
            endless = source.startswith("/dev/")
            files.save(shell.path(target), "" if endless else text[:size], size=size if endless else -1)
    except FileError as error:
        shell.io.err(f"dd: can't open '{given.get('of', source)}': {error}\n")
        return 1
    blocks = size // block if block else 0
    shell.io.err(f"{blocks}+{int(size % block > 0) if block else 0} records in\n{blocks}+0 records out\n")
    return 0


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d+)([a-zA-Z]*)", text)
    if match is None or match[2].lower() not in _UNITS:
        raise Unsupported(f"dd {text}")
    return int(match[1]) * _UNITS[match[2].lower()]


def _truncate(shell: Shell, argv: list[str]) -> int:
    given = options("truncate", argv[1:], flags="c", values="s")
    for word in given.words:
        try:
            shell.machine.files.save(shell.path(word), "", size=_size((given.values.get("s") or ["0"])[0]))
        except FileError as error:
            shell.io.err(f"truncate: {word}: {error}\n")
            return 1
    return 0


def _fallocate(shell: Shell, argv: list[str]) -> int:
    return _truncate(shell, ["truncate", *("-s" if word == "-l" else word for word in argv[1:])])


def _test(shell: Shell, argv: list[str]) -> int:
    words = argv[1:]
    if argv[0] in {"[", "[["}:
        closing = "]" * len(argv[0])
        if not words or words[-1] != closing:
            shell.io.err(f"sh: missing {closing}\n")
            return 2
        words = words[:-1]
    return int(not _either(shell, words))


def _either(shell: Shell, words: list[str]) -> bool:
    """-o binds weaker than -a, and both weaker than the rest."""
    for operator, joined in (("-o", any), ("||", any), ("-a", all), ("&&", all)):
        if operator in words[1:-1] and len(words) > 3:
            parts: list[list[str]] = [[]]
            for word in words:
                if word == operator:
                    parts.append([])
                else:
                    parts[-1].append(word)
            return joined(_either(shell, part) for part in parts)
    negated = False
    while words[:1] == ["!"] and len(words) > 1:
        negated, words = not negated, words[1:]
    return _holds(shell, words) != negated


def _holds(shell: Shell, words: list[str]) -> bool:
    if len(words) <= 1:
        return bool(words and words[0])
    if len(words) == 2:
        return _unary(shell, *words)
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
        if operator in numbers and re.fullmatch(r"\s*-?\d+\s*", left) and re.fullmatch(r"\s*-?\d+\s*", right):
            return numbers[operator](int(left), int(right))
    raise Unsupported("test " + " ".join(words))


def _unary(shell: Shell, operator: str, value: str) -> bool:
    if operator == "-z":
        return not value
    if operator == "-n":
        return bool(value)
    files, path = shell.machine.files, shell.path(value)
    if operator in {"-L", "-h"}:
        found = files.find(path, follow=False)
        return found is not None and found.kind == LINK
    found = files.find(path)
    if operator in {"-r", "-w", "-x"}:
        return files.may(path, operator[1])
    if operator == "-e":
        return found is not None
    if operator == "-f":
        return found is not None and not found.is_folder
    if operator == "-d":
        return found is not None and found.is_folder
    if operator == "-s":
        return found is not None and (found.is_folder or found.bytes > 0)
    if operator == "-t":
        return False
    raise Unsupported(f"test {operator}")


COMMANDS: dict[str, Callable[[Shell, list[str]], int]] = {
    "[": _test,
    "[[": _test,
    "chgrp": _chown,
    "chmod": _chmod,
    "chown": _chown,
    "cp": _copy,
    "dd": _dd,
    "fallocate": _fallocate,
    "ln": _ln,
    "mkdir": _mkdir,
    "mv": _copy,
    "rm": _rm,
    "rmdir": _rm,
    "test": _test,
    "touch": _touch,
    "truncate": _truncate,
}
