"""The files of a container, looked at with commands that busybox and GNU coreutils both have. Pure.

`stat` says what is at a path, `find … -exec stat` what is in a directory, `head -c` reads. Names come back raw between
marks that nobody can guess, so that no newline, quote or dash in one can be taken for anything else. A text here is a path
or a name as Python reads it from the operating system: what is not UTF-8 stands in it as lone surrogates.
"""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PATH_MAX = 4096  # bytes, of Linux
_FIELDS = "%f:%s:%u:%g:%U:%G:%Y:%n"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_SECONDS = 250_000_000_000  # what a datetime can hold
_OWN_KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
_CANNOT_RUN = (126, 127)
_TOOLS = ("head", "stat", "find", "env", "xargs")  # the one that is run before the one that runs it


class PathError(Exception):
    """No path of Linux; the text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What lies at a path. `mode`: the type and the permissions, as in st_mode; `size` in bytes; `target`: where a link
    leads, "" if that was not told."""

    path: str
    mode: int
    size: int
    uid: int
    gid: int
    user: str
    group: str
    seconds: int  # since 1970, of the last change
    target: str = ""

    @property
    def name(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2] or "/"

    @property
    def kind(self) -> str:
        """directory | file | link | pipe | socket | device | unknown"""
        return _OWN_KINDS.get(stat.S_IFMT(self.mode), "unknown")

    @property
    def letters(self) -> str:
        """ "drwxr-xr-x" """
        return stat.filemode(self.mode)

    @property
    def owner(self) -> str:
        """ "root:root"; a number for who has no name in the image."""
        user = self.user if self.user not in {"", "UNKNOWN"} else str(self.uid)
        group = self.group if self.group not in {"", "UNKNOWN"} else str(self.gid)
        return f"{user}:{group}"

    @property
    def at(self) -> datetime:
        seconds = max(min(self.seconds, _MOST_SECONDS), 0)
        return _EPOCH + timedelta(seconds=seconds)


def clean(text: str) -> str:
    """An absolute path, without what means nothing in one. `..` stays: where it leads, behind a link, only the container
    knows. Raises PathError."""
    if "\0" in text:
        raise PathError("a path has no NUL character")
    path = "/" + "/".join(part for part in text.split("/") if part not in {"", "."})
    if len(_bytes(path)) >= PATH_MAX:
        raise PathError(f"a path has less than {PATH_MAX} bytes")
    return path


def inside(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def steps(path: str) -> list[tuple[str, str]]:
    """The name and the path of every directory on the way, from the root to the path itself."""
    parts = [part for part in path.split("/") if part]
    return [("/", "/"), *((part, "/" + "/".join(parts[: number + 1])) for number, part in enumerate(parts))]


def shown(text: str) -> str:
    """Text that can stand on a page: what nobody would see, or what turns the text around it, is written as an escape."""
    return "".join(_shown(letter) for letter in text)


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def is_utf8(text: str) -> bool:
    """Whether it can be an argument of a command: engines take those as UTF-8 only."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# Commands


@dataclass(frozen=True, slots=True)
class Command:
    """An argument list, and what goes into its standard input: None for nothing."""

    argv: tuple[str, ...]
    stdin: bytes | None = None


def look(path: str, mark: str) -> Command:
    """What is there, behind links."""
    return _command("stat", "-L", "-c", _form(mark), path)


def listing(path: str, mark: str) -> Command:
    """What is in the directory, and itself. The slash leads through a link."""
    slashed = inside(path, "")
    command = ("find", slashed, "-maxdepth", "1", "-exec", "stat", "-c", _form(mark), "{}", "+")
    # GNU's stat would write the target of a link in a shell's quotes.
    return _command("env", "QUOTING_STYLE=literal", *command)


def content(path: str, most: int) -> Command:
    """The first `most` bytes."""
    return _command("head", "-c", str(most), path)


def _form(mark: str) -> str:
    return f"{mark}{_FIELDS}{mark}%N"


def _command(*argv: str) -> Command:
    if all(is_utf8(word) for word in argv):
        return Command(argv)
    return Command(("xargs", "-0", argv[0]), b"".join(_bytes(word) + b"\0" for word in argv[1:]))


# Answers


def entries(output: bytes, mark: str, *, whole: bool = True) -> list[Entry]:
    """What `look` or `listing` told, in its order. Not `whole`: the output was cut, its last entry is left out."""
    parts = output.decode("utf-8", "surrogateescape").split(mark)[1:]
    pairs = list(zip(parts[::2], parts[1::2], strict=False))
    return list(_read(pairs if whole or len(parts) % 2 else pairs[:-1]))


def _read(pairs: list[tuple[str, str]]) -> Iterator[Entry]:
    for fields, named in pairs:
        found = fields.split(":", 7)
        if len(found) < 8:
            continue
        try:
            mode, size, uid, gid, seconds = int(found[0], 16), *(int(found[at]) for at in (1, 2, 3, 6))
        except ValueError:
            continue
        path = found[7]
        target = _target(path, named.removesuffix("\n")) if stat.S_ISLNK(mode) else ""
        yield Entry(path, mode, size, uid, gid, found[4], found[5], seconds, target)


def _target(path: str, told: str) -> str:
    """Of `name -> target` (GNU, literal) or `'name' -> 'target'` (busybox)."""
    quoted, plain = f"'{path}' -> '", f"{path} -> "
    if told.startswith(quoted):
        return told.removeprefix(quoted).removesuffix("'")
    return told.removeprefix(plain) if told.startswith(plain) else ""


def in_order(found: list[Entry]) -> list[Entry]:
    """Directories first, then by name."""
    return sorted(found, key=lambda entry: (entry.kind != "directory", entry.name))


def text_of(data: bytes, *, cut: bool) -> str | None:
    """The text of a file, or None for what is none: with NULs, or not UTF-8. `cut`: the last letter may be half there."""
    if b"\0" in data:
        return None
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
    except UnicodeDecodeError:
        return None
    return "".join(letter if letter.isprintable() or letter in "\n\t" else _picture(letter) for letter in text)


def _picture(letter: str) -> str:
    """What stands for a character that pages cannot have or that nobody would see: ␛ for an escape."""
    code = ord(letter)
    if letter == "\r" or letter.isspace():
        return letter
    return chr(0x2400 + code) if code < 32 else "␡" if code == 127 else _shown(letter)


def missing_command(code: int | None, told: str) -> str:
    """The program that the image has not, "" if a command ended for another reason. `told`: all that was said."""
    words = ("executable file not found", "no such file or directory", "not known to the simulator", ": not found")
    if code not in _CANNOT_RUN or not any(word in told.lower() for word in words):
        return ""
    return next((tool for tool in _TOOLS if re.search(rf"\b{tool}\b", told)), "")


def file_name(path: str) -> str:
    """A name for a download that no file system takes for a path or a command."""
    last = path.rstrip("/").rpartition("/")[2]
    name = "".join(letter if letter.isprintable() and letter not in '/\\:*?"<>|' else "_" for letter in last)
    return name.strip(" .")[:200] or "file"


def printf(path: str) -> str:
    """The word of a shell's printf that writes the path and a NUL, whatever bytes it has."""
    plain = set(range(32, 127)) - set(b"\\%'")
    return "'" + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in _bytes(path)) + "\\0'"
