"""POSIX regular expressions, basic and extended, as grep and sed take them, for Python's `re`. Pure."""

from __future__ import annotations

import re

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": " \\t",
    "punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "xdigit": "0-9a-fA-F",
    "word": r"\w",
}
_OPERATORS = "(){}|+?"
_ESCAPES = {"<": r"\b(?=\w)", ">": r"\b(?<=\w)", "b": r"\b", "B": r"\B", "w": r"\w", "W": r"\W", "s": r"\s", "S": r"\S",
            "n": r"\n", "t": r"\t"}  # fmt: skip
MAX_PATTERN = 1000


class BadPattern(ValueError):
    """A pattern that means nothing."""


def compile(pattern: str, *, extended: bool, ignore_case: bool = False) -> re.Pattern[str]:
    """BadPattern if it cannot be one."""
    if len(pattern) > MAX_PATTERN:
        raise BadPattern("too long")
    try:
        return re.compile(_translated(pattern, extended), re.IGNORECASE if ignore_case else 0)
    except (re.error, IndexError, RecursionError) as error:
        raise BadPattern(str(error)) from None


def _translated(pattern: str, extended: bool) -> str:
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        following = pattern[at + 1 : at + 2]
        if char == "[":
            text, at = _bracket(pattern, at)
            out.append(text)
            continue
        if char == "\\" and following:
            out.append(_escaped(following, extended))
            at += 2
            continue
        if char in _OPERATORS:
            out.append(char if extended else "\\" + char)
        elif char == "*" and _begins(pattern, at, extended):
            out.append(r"\*")
        elif char == "^" and not extended and not _begins(pattern, at, extended):
            out.append(r"\^")
        elif char == "$" and not extended and not _ends(pattern, at):
            out.append(r"\$")
        else:
            out.append(char if char in ".*^$" else re.escape(char))
        at += 1
    return "".join(out)


def _escaped(char: str, extended: bool) -> str:
    if char in _OPERATORS and not extended:
        return char
    if char.isdigit():
        return "\\" + char
    return _ESCAPES.get(char, re.escape(char))


def _begins(pattern: str, at: int, extended: bool) -> bool:
    """Where a star or a circumflex of a basic expression stands at a beginning."""
    before = pattern[:at]
    return before in {"", "^"} or before.endswith(("(", "|") if extended else ("\\(", "\\|"))


def _ends(pattern: str, at: int) -> bool:
    return pattern[at + 1 :] == "" or pattern.startswith(("\\)", "\\|"), at + 1)


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    end = at + 1
    if pattern[end : end + 1] == "^":
        end += 1
    if pattern[end : end + 1] == "]":
        end += 1
    while pattern[end] != "]":
        if pattern.startswith(("[:", "[.", "[="), end):
            end = pattern.index(pattern[end + 1] + "]", end + 2) + 1
        end += 1
    inner = pattern[at + 1 : end]
    negated, inner = ("^", inner[1:]) if inner.startswith("^") else ("", inner)
    parts = re.split(r"(\[:\w+:\])", inner)
    text = "".join(
        _class(part) if part.startswith("[:") else re.sub(r"([\\\[\]^&~|])", r"\\\1", part) for part in parts
    )
    return f"[{negated}{text}]", end + 1


def _class(part: str) -> str:
    if part[2:-2] not in _CLASSES:
        raise BadPattern(part)
    return _CLASSES[part[2:-2]]
