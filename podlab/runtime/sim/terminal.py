"""A terminal's line discipline: keys in, echo and whole lines out. Pure.

`sessions` puts one between a person and a simulated shell, where a real exec has the kernel's: Enter, backspace, Ctrl-U,
Ctrl-C and Ctrl-D do what they do there. Without a terminal input is cut into lines and nothing is echoed.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

MAX_LINE = 64 * 1024
INTERRUPT, END_OF_INPUT, ERASE, ERASE_TOO, ERASE_LINE = "\x03", "\x04", "\x7f", "\b", "\x15"


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    ended: bool = True  # by Enter, or a newline


@dataclass(frozen=True, slots=True)
class Echo:
    text: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Ctrl-C."""


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """Ctrl-D on an empty line, or the end of a pipe."""


Heard = Line | Echo | Interrupt | EndOfInput


class Terminal:
    def __init__(self, *, tty: bool) -> None:
        self._tty = tty
        self._line = ""
        self._escape = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def hear(self, data: bytes) -> list[Heard]:
        text = self._decoder.decode(data)
        return self._keys(text) if self._tty else self._pipe(text)

    def end(self) -> list[Heard]:
        """Nothing more will come; a line without its end counts."""
        rest, self._line = self._line, ""
        return [Line(rest, ended=False), EndOfInput()] if rest else [EndOfInput()]

    def _pipe(self, text: str) -> list[Heard]:
        *lines, self._line = (self._line + text).split("\n")
        self._line = self._line[-MAX_LINE:]
        return [Line(line) for line in lines]

    def _keys(self, text: str) -> list[Heard]:
        heard: list[Heard] = []
        for key in text:
            if self._escape:  # arrows and function keys: there is no history to walk in
                self._escape = not (key.isalpha() or key == "~")
            elif key == "\x1b":
                self._escape = True
            elif key in "\r\n":
                line, self._line = self._line, ""
                heard += [Echo("\n"), Line(line)]
            elif key == INTERRUPT:
                self._line = ""
                heard += [Echo("^C\n"), Interrupt()]
            elif key == END_OF_INPUT:
                heard += [] if self._line else [EndOfInput()]
            elif key in {ERASE, ERASE_TOO}:
                heard += [Echo("\b \b")] if self._line else []
                self._line = self._line[:-1]
            elif key == ERASE_LINE:
                heard += [Echo("\b \b" * len(self._line))] if self._line else []
                self._line = ""
            elif (key.isprintable() or key == "\t") and len(self._line) < MAX_LINE:
                self._line += key
                heard.append(Echo(key))
        return heard
