"""The integers of `$((…))`."""

from __future__ import annotations

import re
from collections.abc import Callable

from podlab.runtime.sim.shell_syntax import Unsupported

_TOKEN = re.compile(r"\s*(\d+|\$?[A-Za-z_][A-Za-z0-9_]*|<=|>=|==|!=|&&|\|\||[-+*/%()<>!])")
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
_APPLY: dict[str, Callable[[int, int], int]] = {
    "||": lambda a, b: int(bool(a or b)),
    "&&": lambda a, b: int(bool(a and b)),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: int(a / b),
    "%": lambda a, b: a - b * int(a / b),
}


def evaluate(text: str, value_of: Callable[[str], str]) -> int:
    """Raises `Unsupported` for anything but sums of numbers and names; division by zero too."""
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unsupported(f"$(({text}))")
        tokens.append(match[1])
        at = match.end()
    try:
        value, rest = _level(tokens, 0, value_of)
    except (IndexError, ZeroDivisionError, ValueError):
        raise Unsupported(f"$(({text}))") from None
    if rest:
        raise Unsupported(f"$(({text}))")
    return value


def _level(tokens: list[str], level: int, value_of: Callable[[str], str]) -> tuple[int, list[str]]:
    if level == len(_LEVELS):
        return _atom(tokens, value_of)
    left, tokens = _level(tokens, level + 1, value_of)
    while tokens and tokens[0] in _LEVELS[level]:
        right, rest = _level(tokens[1:], level + 1, value_of)
        left, tokens = _APPLY[tokens[0]](left, right), rest
    return left, tokens


def _atom(tokens: list[str], value_of: Callable[[str], str]) -> tuple[int, list[str]]:
    token, rest = tokens[0], tokens[1:]
    if token == "(":
        value, rest = _level(rest, 0, value_of)
        if rest[0] != ")":
            raise ValueError(token)
        return value, rest[1:]
    if token in {"-", "+", "!"}:
        value, rest = _atom(rest, value_of)
        return {"-": -value, "+": value, "!": int(not value)}[token], rest
    if token.isdigit():
        return int(token), rest
    return int(value_of(token.lstrip("$")) or "0"), rest
