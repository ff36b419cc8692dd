"""Commands that look at files: ls, stat, find and their like, worded as in busybox."""

from __future__ import annotations

import fnmatch
import posixpath
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from podlab.runtime.node_files import LINK, NodeFile
from podlab.runtime.sim.files import FileError
from podlab.runtime.sim.image_files import GROUPS, USERS
from podlab.runtime.sim.inputs import options
from podlab.runtime.sim.machine import Program
from podlab.runtime.sim.shell import Shell
from podlab.runtime.sim.shell_syntax import Unsupported

_LETTERS = {"file": "-", "folder": "d", "link": "l"}
_KINDS = {"file": "regular file", "folder": "directory", "link": "symbolic link"}
_TYPES = {"file": stat.S_IFREG, "folder": stat.S_IFDIR, "link": stat.S_IFLNK}
_BLOCK = 4096


def _ls(shell: Shell, argv: list[str]) -> int:
    given = options("ls", argv[1:], flags="1aAlLdRhFnrtSipcu")
    files, code = shell.machine.files, 0
    found: list[tuple[str, NodeFile]] = []
    follow = "l" not in given.flags or "L" in given.flags
    for word in sorted(given.words) or ["."]:
        file = files.find(shell.path(word), follow=follow) or files.find(shell.path(word), follow=False)
        if file is None:
            code = 1
            shell.io.err(f"ls: {word}: No such file or directory\n")
        else:
            found.append((word, file))
    plain = [(word, file) for word, file in found if not file.is_folder or "d" in given.flags]
    folders = [word for word, file in found if file.is_folder and "d" not in given.flags]
    _rows(shell, plain, given.flags)
    titled = len(given.words) > 1 or "R" in given.flags
    for number, word in enumerate(folders):
        if number or plain:
            shell.io.out("\n")
        _folder(shell, word, given.flags, titled=titled)
    return code


def _folder(shell: Shell, word: str, flags: set[str], *, titled: bool) -> None:
    files, path = shell.machine.files, shell.path(word)
    if not files.may(path, "r"):
        shell.io.err(f"ls: can't open '{word}': Permission denied\n")
        return
    names = [name for name in files.under(path) if name != "." and (not name.startswith(".") or flags & {"a", "A"})]
    if "a" in flags:
        names = [".", "..", *names]
    rows = [
        (name, file) for name in names if (file := files.find(f"{path}/{name}", follow=name in {".", ".."})) is not None
    ]
    if "t" in flags:
        rows.sort(key=lambda row: -row[1].at)
    if "S" in flags:
        rows.sort(key=lambda row: -row[1].bytes)
    if "r" in flags:
        rows.reverse()
    if titled:
        shell.io.out(f"{word}:\n")
    if flags & {"l", "n"}:
        shell.io.out(f"total {sum(kib(file) for _, file in rows)}\n")
    _rows(shell, rows, flags)
    if "R" in flags:
        for name, file in rows:
            if file.is_folder and name not in {".", ".."}:
                shell.io.out("\n")
                _folder(shell, f"{word.rstrip('/')}/{name}", flags, titled=True)


def _rows(shell: Shell, rows: list[tuple[str, NodeFile]], flags: set[str]) -> None:
    for name, file in rows:
        tail = {"folder": "/", "link": "@"}.get(file.kind, "") if flags & {"F", "p"} else ""
        if not flags & {"l", "n"}:
            shell.io.out(f"{name}{tail}\n")
            continue
        owners = (str(file.uid), str(file.gid)) if "n" in flags else (user(file.uid), group(file.gid))
        size = human(_bytes(file)) if "h" in flags else str(_bytes(file))
        to = f" -> {file.text}" if file.kind == LINK else tail
        links = 2 if file.is_folder else 1
        shell.io.out(
            f"{letters(file)} {links:4d} {owners[0]:<8} {owners[1]:<8} {size:>9} {_date(shell, file)} {name}{to}\n"
        )


def letters(file: NodeFile) -> str:
    """ "drwxr-xr-x" """
    out = _LETTERS[file.kind]
    for shift, special, letter in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = file.mode >> shift & 7
        last = "x" if bits & 1 else "-"
        if file.mode & special:
            last = letter if bits & 1 else letter.upper()
        out += ("r" if bits & 4 else "-") + ("w" if bits & 2 else "-") + last
    return out


def _bytes(file: NodeFile) -> int:
    return _BLOCK if file.is_folder else file.bytes


def kib(file: NodeFile) -> int:
    return 0 if file.kind == LINK else -(-_bytes(file) // _BLOCK) * _BLOCK // 1024


def human(size: float) -> str:
    for unit in ("", "K", "M", "G"):
        if size < 1024 or unit == "G":
            return f"{size:.1f}{unit}" if unit else str(int(size))
        size /= 1024
    return ""


def _moment(shell: Shell, file: NodeFile) -> datetime:
    return datetime.fromtimestamp(file.at, UTC) if file.at else shell.machine.setting.started


def _date(shell: Shell, file: NodeFile) -> str:
    return _moment(shell, file).strftime("%b %e %H:%M")


def user(uid: int) -> str:
    return USERS.get(uid, str(uid))


def group(gid: int) -> str:
    return GROUPS.get(gid, str(gid))


def _stat(shell: Shell, argv: list[str]) -> int:
    given = options("stat", argv[1:], flags="Lft", values="c")
    form, code = (given.values.get("c") or [""])[0], 0
    for word in given.words:
        file = shell.machine.files.find(shell.path(word), follow="L" in given.flags)
        if file is None:
            shell.io.err(f"stat: can't stat '{word}': No such file or directory\n")
            code = 1
        elif form:
            shell.io.out(_told(shell, form, word, file) + "\n")
        else:
            size, kind = _bytes(file), _KINDS[file.kind]
            told = f"{_moment(shell, file):%Y-%m-%d %H:%M:%S}.000000000 +0000"
            name = f"'{word}' -> '{file.text}'" if file.kind == LINK else word
            shell.io.out(
                f"  File: {name}\n"
                f"  Size: {size:<10}\tBlocks: {kib(file) * 2:<10} IO Block: 4096   {kind}\n"
                f"Access: ({file.mode & 0o7777:04o}/{letters(file)})  Uid: ({file.uid:5d}/{user(file.uid):>8})   "
                f"Gid: ({file.gid:5d}/{group(file.gid):>8})\nAccess: {told}\nModify: {told}\nChange: {told}\n"
            )
    return code


def _told(shell: Shell, form: str, word: str, file: NodeFile) -> str:
    known = {
        "a": f"{file.mode & 0o7777:o}",
        "f": f"{_TYPES[file.kind] | file.mode & 0o7777:x}",
        "A": letters(file),
        "n": word,
        "N": f"'{word}' -> '{file.text}'" if file.kind == LINK else word,
        "s": str(_bytes(file)),
        "u": str(file.uid),
        "g": str(file.gid),
        "U": USERS.get(file.uid, "UNKNOWN"),
        "G": GROUPS.get(file.gid, "UNKNOWN"),
        "F": _KINDS[file.kind],
        "Y": str(int(_moment(shell, file).timestamp())),
        "y": f"{_moment(shell, file):%Y-%m-%d %H:%M:%S}.000000000 +0000",
        "%": "%",
    }
    return re.sub(r"%([aAfnNsugUGFYy%])", lambda match: known[match[1]], form)


@dataclass(slots=True)
class _Search:
    """What find looks for: names that pass all `checks`, so deep; `each` and `all`: the commands of -exec … ; and + instead
    of printing."""

    checks: list[Callable[[str, NodeFile], bool]] = field(default_factory=list)
    least: int = 0
    most: int = 100
    each: list[list[str]] = field(default_factory=list)
    all: list[list[str]] = field(default_factory=list)


def _find(shell: Shell, argv: list[str]) -> Program:
    words = argv[1:]
    follow = "-L" in words[:1]
    words = [word for index, word in enumerate(words) if index or word not in {"-L", "-H", "-P"}]
    places = []
    while words and not words[0].startswith(("-", "!")):
        places.append(words.pop(0))
    search, found = _search(words), list[str]()
    code = 0

    def denied(name: str) -> None:
        nonlocal code
        code = 1
        shell.io.err(f"find: {name}: Permission denied\n")

    for place in places or ["."]:
        if shell.machine.files.find(shell.path(place)) is None:
            shell.io.err(f"find: {place}: No such file or directory\n")
            code = 1
            continue
        for name, file in walk(shell, place, follow, 0, search.most, denied):
            level = name.removeprefix(place).strip("/").count("/") + 1 if name != place else 0
            if level < search.least or not all(check(name, file) for check in search.checks):
                continue
            found.append(name)
            for command in search.each:
                yield from shell.run_command(shell, [word.replace("{}", name) for word in command])
            if not search.each and not search.all:
                shell.io.out(f"{name}\n")
    for command in search.all if found else ():
        failed = yield from shell.run_command(shell, [*command, *found])
        code = code or int(failed != 0)
    return code


def _search(words: list[str]) -> _Search:
    search, negated, rest = _Search(), False, list(words)
    while rest:
        word = rest.pop(0)
        if word in {"!", "-not"}:
            negated = True
        elif word == "-exec":
            _exec(search, rest)
        elif word in {"-maxdepth", "-mindepth"} and rest:
            depth = int(rest.pop(0))
            search.most, search.least = (depth, search.least) if word == "-maxdepth" else (search.most, depth)
        elif word in {"-type", "-name", "-iname", "-path", "-empty"} and (word == "-empty" or rest):
            search.checks.append(_check(word, rest.pop(0) if word != "-empty" else "", negated))
            negated = False
        elif word != "-print":
            raise Unsupported(f"find {word}")
    return search


def _exec(search: _Search, rest: list[str]) -> None:
    """Takes the command off `rest`, up to its `;` or `{} +`."""
    command: list[str] = []
    while rest and rest[0] != ";" and not (rest[0] == "+" and command[-1:] == ["{}"]):
        command.append(rest.pop(0))
    if not command or not rest:
        raise Unsupported("find -exec")
    if rest.pop(0) == ";":
        search.each.append(command)
    else:
        search.all.append(command[:-1])


def _check(word: str, value: str, negated: bool) -> Callable[[str, NodeFile], bool]:
    def holds(name: str, file: NodeFile) -> bool:
        if word == "-type":
            return _LETTERS[file.kind].replace("-", "f") == value
        if word == "-empty":
            return not file.is_folder and not file.bytes
        text = name if word == "-path" else posixpath.basename(name)
        return (
            fnmatch.fnmatchcase(text.lower(), value.lower()) if word == "-iname" else fnmatch.fnmatchcase(text, value)
        )

    return lambda name, file: holds(name, file) != negated


def walk(
    shell: Shell, name: str, follow: bool, level: int, depth: int, denied: Callable[[str], None] = lambda name: None
) -> Iterator[tuple[str, NodeFile]]:
    """What lies below, itself first; `denied` hears of folders that may not be read."""
    files, path = shell.machine.files, shell.path(name)
    file = files.find(path, follow=follow or level == 0) or files.find(path, follow=False)
    if file is None:
        return
    yield name, file
    if not file.is_folder or level >= depth:
        return
    if not files.may(path, "r"):
        denied(name)
        return
    for inner in files.under(files.real(path)):
        if inner != ".":
            yield from walk(shell, f"{name.rstrip('/')}/{inner}", follow, level + 1, depth, denied)


def _readlink(shell: Shell, argv: list[str]) -> int:
    given = options(argv[0], argv[1:], flags="fnemq")
    code = 0
    for word in given.words:
        try:
            file = shell.machine.files.find(shell.path(word), follow=False)
            if argv[0] == "realpath" or given.flags & {"f", "e", "m"}:
                shell.io.out(shell.machine.files.real(shell.path(word)) + "\n")
            elif file is not None and file.kind == LINK:
                shell.io.out(file.text + "\n")
            else:
                code = 1
        except FileError as error:
            shell.io.err(f"{argv[0]}: {word}: {error}\n")
            code = 1
    return code


def _basename(shell: Shell, argv: list[str]) -> int:
    if len(argv) < 2:
        return 1
    name = posixpath.basename(argv[1].rstrip("/")) or "/"
    if len(argv) > 2 and name != argv[2]:
        name = name.removesuffix(argv[2])
    shell.io.out(name + "\n")
    return 0


def _dirname(shell: Shell, argv: list[str]) -> int:
    for word in argv[1:]:
        shell.io.out((posixpath.dirname(word.rstrip("/")) or ("/" if word.startswith("/") else ".")) + "\n")
    return 0


COMMANDS: dict[str, Callable[[Shell, list[str]], int | Program]] = {
    "basename": _basename,
    "dirname": _dirname,
    "find": _find,
    "ls": _ls,
    "readlink": _readlink,
    "realpath": _readlink,
    "stat": _stat,
}
