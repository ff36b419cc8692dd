"""The part of the shell language that `shell` can run, as a tree of values. `shell_syntax` makes it."""

from __future__ import annotations

from dataclasses import dataclass


class Unsupported(Exception):
    """Shell code that the simulator does not understand."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a word. kind: text | var | arith | command. `op` and `arg` belong to ${NAME:-arg} and its like; op "len" is
    ${#NAME}."""

    kind: str
    text: str
    quoted: bool = False
    op: str = ""
    arg: tuple[Piece, ...] = ()
    body: Sequence | None = None


Word = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    fd: int
    op: str  # > >> < >& << (a here-document: its text)
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    assigns: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    until: bool
    condition: Sequence
    body: Sequence


@dataclass(frozen=True, slots=True)
class For:
    name: str
    words: tuple[Word, ...]
    body: Sequence


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None


@dataclass(frozen=True, slots=True)
class Case:
    """Each branch: its patterns, and what is done."""

    word: Word
    branches: tuple[tuple[tuple[Word, ...], Sequence], ...]


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    body: Command


@dataclass(frozen=True, slots=True)
class Group:
    body: Sequence
    subshell: bool


Node = Simple | Loop | For | If | Case | Function | Group


@dataclass(frozen=True, slots=True)
class Command:
    node: Node
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AndOr:
    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...] = ()
    background: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[AndOr, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """kind: word | op. An operator's fd is the number glued to a redirect."""

    kind: str
    text: str
    word: Word = ()
    fd: int = -1
