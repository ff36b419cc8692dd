"""From the words of a script to the words of a command: variables, substitutions, splitting at blanks, names of files.

Called by `shell`, whose variables and files it reads. Sources: POSIX, Shell Command Language, 2.6.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Generator
from typing import TYPE_CHECKING

from podlab.runtime.sim import arithmetic
from podlab.runtime.sim.machine import Wait
from podlab.runtime.sim.shell_tree import Piece, Unsupported, Word

if TYPE_CHECKING:
    from podlab.runtime.sim.shell import Shell

Expanding = Generator[Wait, str | None, list[str]]
_WILD = re.compile(r"[*?\[]")
MAX_TEXT = 256 * 1024
_MAX_NAMES = 2000


class _Fields:
    """The words that come out, each with the pattern of file names that it is."""

    def __init__(self) -> None:
        self.texts = [""]
        self.patterns = [""]
        self.solid = False  # something is there even if it is empty

    def add(self, text: str, *, quoted: bool) -> None:
        self.texts[-1] += text
        self.patterns[-1] += re.sub(r"([*?\[])", r"[\1]", text) if quoted else text
        self.solid = self.solid or quoted or bool(text)

    def next(self) -> None:
        self.texts.append("")
        self.patterns.append("")


def expand(shell: Shell, word: Word, *, split: bool) -> Expanding:
    """Quoted parts stay whole; unquoted expansions are cut at white space where `split`, and patterns become the names of
    files that they match."""
    fields = _Fields()
    for piece in word:
        if piece.kind == "var" and piece.text in "@*" and split and not piece.op:
            _each(shell, piece, fields)
            continue
        text = yield from _piece(shell, piece)
        if piece.kind == "text" or piece.quoted or not split:
            fields.add(text, quoted=piece.quoted)
            continue
        parts = text.split()
        if not parts:
            if text and fields.texts[-1]:
                fields.next()
            continue
        if text[0].isspace() and fields.texts[-1]:
            fields.next()
        for number, part in enumerate(parts):
            if number:
                fields.next()
            fields.add(part, quoted=False)
        if text[-1].isspace():
            fields.next()
    if not split:
        return fields.texts
    if not fields.solid:
        return []
    kept = [(text, pattern) for text, pattern in zip(fields.texts, fields.patterns, strict=True)]
    if len(kept) > 1 and kept[-1] == ("", ""):
        kept.pop()
    return [name for text, pattern in kept for name in _names(shell, text, pattern)]


def _each(shell: Shell, piece: Piece, fields: _Fields) -> None:
    """$@ and $*: quoted, "$@" keeps each one whole and "$*" joins them."""
    if piece.quoted and piece.text == "*":
        fields.add(" ".join(shell.arguments), quoted=True)
        return
    words = list(shell.arguments) if piece.quoted else [part for one in shell.arguments for part in one.split()]
    for number, one in enumerate(words):
        if number:
            fields.next()
        fields.add(one, quoted=piece.quoted)


def _names(shell: Shell, text: str, pattern: str) -> list[str]:
    """The files that a pattern matches; the word itself if there are none."""
    if not _WILD.search(re.sub(r"\[([*?\[])\]", "", pattern)):
        return [text]
    found = [""] if not pattern.startswith("/") else ["/"]
    for part in [part for part in pattern.split("/") if part]:
        after: list[str] = []
        for base in found:
            after += _matching(shell, base, part)
        found = after[:_MAX_NAMES]
    return sorted(found) or [text]


def _matching(shell: Shell, base: str, part: str) -> list[str]:
    files = shell.machine.files
    prefix = base if base in {"", "/"} else base + "/"
    if not _WILD.search(part):
        return [prefix + part] if files.find(shell.path(prefix + part), follow=False) is not None else []
    folder = shell.path(base or ".")
    found = files.find(folder)
    if found is None or not found.is_folder or not files.may(folder, "r"):
        return []
    names = [name for name in files.under(files.real(folder)) if fnmatch.fnmatchcase(name, part.replace("[^", "[!"))]
    return [prefix + name for name in names if not name.startswith(".") or part.startswith((".", "[.]"))]


def _piece(shell: Shell, piece: Piece) -> Generator[Wait, str | None, str]:
    if piece.kind == "text":
        return "/root" + piece.text[1:] if not piece.quoted and piece.text[:2] in {"~", "~/"} else piece.text
    if piece.kind == "var":
        return (yield from _variable(shell, piece))
    if piece.kind == "arith":
        return str(arithmetic.evaluate(re.sub(r"\$\{(\w+)\}", r"\1", piece.text), shell.value))
    assert piece.body is not None
    return (yield from shell.substitute(piece.body))


def _variable(shell: Shell, piece: Piece) -> Generator[Wait, str | None, str]:
    name, op = piece.text, piece.op
    value = " ".join(shell.arguments) if name in "@*" else shell.value(name)
    if op == "len":
        return str(len(shell.arguments)) if name in "@*" else str(len(value))
    if not op:
        return value
    given = (yield from expand(shell, piece.arg, split=False))[0]
    if op.startswith(("#", "%")):
        return _trimmed(value, given, op)
    absent = not value if op.startswith(":") else name not in shell.variables and not value
    kind = op[-1]
    if kind == "+":
        return "" if absent else given
    if not absent:
        return value
    if kind == "=":
        shell.variables[name] = given
    elif kind == "?":
        shell.io.err(f"sh: {name}: {given or 'parameter not set'}\n")
        shell.leave(2)
    return given


def _trimmed(value: str, pattern: str, op: str) -> str:
    """${x#p}, ${x##p}, ${x%p}, ${x%%p}."""
    if len(value) > MAX_TEXT:
        raise Unsupported("${")
    front, longest = op[0] == "#", len(op) == 2
    sizes = range(len(value), -1, -1) if longest else range(len(value) + 1)
    for size in sizes:
        part = value[:size] if front else value[len(value) - size :]
        if fnmatch.fnmatchcase(part, pattern.replace("[^", "[!")):
            return value[size:] if front else value[: len(value) - size]
    return value
