"""What commands have in common: their options, and the texts of the files that they are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from podlab.runtime.sim.files import IS_FOLDER, FileError
from podlab.runtime.sim.shell import Shell
from podlab.runtime.sim.shell_syntax import Unsupported


@dataclass(slots=True)
class Given:
    flags: set[str] = field(default_factory=set)
    values: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def options(command: str, argv: Sequence[str], *, flags: str = "", values: str = "") -> Given:
    """Short options, also several in one word and with a value glued to them. Others raise `Unsupported`."""
    given, rest = Given(), list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            given.words += rest
            break
        if not word.startswith("-") or word == "-" or word.startswith("--"):
            if word.startswith("--"):
                raise Unsupported(f"{command} {word}")
            given.words.append(word)
            continue
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in values:
                value, letters = (letters or (rest.pop(0) if rest else "")), ""
                given.values.setdefault(letter, []).append(value)
            elif letter in flags:
                given.flags.add(letter)
            else:
                raise Unsupported(f"{command} -{letter}")
    return given


@dataclass(frozen=True, slots=True)
class Input:
    """A text with the name under which it was given; "" for standard input."""

    name: str
    text: str

    def lines(self) -> list[str]:
        found = self.text.split("\n")
        return found[:-1] if found[-1] == "" else found

    @property
    def ended(self) -> bool:
        return not self.text or self.text.endswith("\n")


def inputs(shell: Shell, command: str, names: Sequence[str], *, quiet: bool = False) -> tuple[list[Input], bool]:
    """The texts of files, or of standard input without any; complaints go to stderr."""
    if not names:
        return [Input("", shell.io.stdin or "")], True
    texts, fine = [], True
    for name in names:
        if name in {"-", "/dev/stdin"}:
            texts.append(Input("", shell.io.stdin or ""))
            continue
        try:
            texts.append(Input(name, shell.machine.files.open(shell.path(name))))
        except FileError as error:
            fine = False
            if not quiet:
                shell.io.err(complaint(command, name, error))
    return texts, fine


# Those that name a file only; the others say that they cannot open it.
_SIMPLE = frozenset({"cut", "grep", "head", "sed", "tac", "wc"})


def complaint(command: str, name: str, error: FileError) -> str:
    """As busybox words it."""
    if str(error) == IS_FOLDER and command == "cat":
        return f"{command}: read error: {error}\n"
    what = name if command in _SIMPLE else f"can't open '{name}'"
    return f"{command}: {what}: {error}\n"
