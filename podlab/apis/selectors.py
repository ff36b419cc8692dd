"""Label selectors: grammar, matching, and the texts of their refusals; field selectors are passed on from their file.

Source: apimachinery/pkg/labels/selector.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from podlab.apis import names
from podlab.apis.field_errors import FieldError, invalid
from podlab.apis.field_selectors import FieldSelector, FieldTerm
from podlab.apis.status_errors import SelectorError
from podlab.apis.types import Manifest

__all__ = ["FieldSelector", "FieldTerm", "LabelSelector", "Requirement", "SelectorError", "from_label_selector"]

BINARY_OPERATORS = ("in", "notin", "=", "==", "!=", "gt", "lt")
_SYMBOLS = {")", ",", "!", "==", "=", ">", "<", "!=", "("}
_SPECIAL = "=!(),><"
_SPACE = " \t\r\n"
_END = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term. `operator` is one of in, notin, =, ==, !=, gt, lt, exists, !."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        have = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return have is not None and have in self.values
            case "notin" | "!=":
                return have is None or have not in self.values
            case "exists":
                return have is not None
            case "!":
                return have is None
        return have is not None and _compares(have, self.operator, self.values[0])

    def __str__(self) -> str:
        match self.operator:
            case "!":
                return f"!{self.key}"
            case "exists":
                return self.key
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case "gt" | "lt":
                return f"{self.key}{'>' if self.operator == 'gt' else '<'}{self.values[0]}"
        return f"{self.key}{self.operator}{self.values[0]}"


def _compares(have: str, operator: str, bound: str) -> bool:
    if not _is_int64(have):
        return False
    return int(have) > int(bound) if operator == "gt" else int(have) < int(bound)


def _is_int64(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d{1,19}", text) is not None and -(2**63) <= int(text) < 2**63


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All requirements must hold; none at all selects everything, `nothing` selects nothing."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    @classmethod
    def parse(cls, text: str) -> LabelSelector:
        return cls(tuple(_Parser(text).parse()))

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        if self.nothing:
            return False
        return all(item.matches(labels or {}) for item in self.requirements)

    @property
    def empty(self) -> bool:
        return not self.requirements and not self.nothing

    def __str__(self) -> str:
        return ",".join(str(item) for item in self.requirements)


_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def from_label_selector(selector: Manifest | None, *, checked: bool = False) -> LabelSelector:
    """A LabelSelector of an object's spec. None selects nothing, {} everything (metav1.LabelSelectorAsSelector).
    `checked` raises of a bad label, too, as nobody needs for what is stored."""
    if selector is None:
        return LabelSelector(nothing=True)
    for key, value in (selector.get("matchLabels") or {}).items() if checked else ():
        _requirement(key, "=", [value])
    terms = [Requirement(key, "=", (value,)) for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for item in selector.get("matchExpressions") or []:
        operator = _OPERATORS.get(item.get("operator", ""))
        if operator is None:
            raise SelectorError(f'"{item.get("operator", "")}" is not a valid label selector operator')
        terms.append(_requirement(item.get("key", ""), operator, item.get("values") or []))
    return LabelSelector(tuple(terms))


def _requirement(key: str, operator: str, values: Sequence[str]) -> Requirement:
    """NewRequirement: the term, or everything that is wrong with it in one sentence."""
    errors: list[FieldError] = []
    if problems := names.qualified_name(key):
        errors.append(invalid("<nil>", key, "; ".join(problems)))
    ordered = tuple(sorted(set(values)))
    if operator in ("in", "notin") and not ordered:
        errors.append(invalid("values", [], "for 'in', 'notin' operators, values set can't be empty"))
    if operator in ("exists", "!") and ordered:
        errors.append(invalid("values", list(ordered), "values set must be empty for exists and does not exist"))
    if operator in ("gt", "lt"):
        for index, value in enumerate(ordered):
            if not _is_int64(value):
                detail = "for 'Gt', 'Lt' operators, the value must be an integer"
                errors.append(invalid(f"values[{index}]", value, detail))
    for index, value in enumerate(ordered):
        if problems := names.label_value(value):
            errors.append(invalid(f"values[{index}][{key}]", value, "; ".join(problems)))
    if errors:
        texts = list(dict.fromkeys(error.text() for error in errors))
        raise SelectorError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return Requirement(key, operator, ordered)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # a symbol, "in", "notin", "identifier", "error" or "end"
    text: str


def _scan(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char in _SPACE:
            at += 1
        elif char in _SPECIAL:
            symbol = text[at : at + 2] if text[at : at + 2] in _SYMBOLS else char
            tokens.append(_Token(symbol, symbol))
            at += len(symbol)
        else:
            start = at
            while at < len(text) and text[at] not in _SPECIAL + _SPACE:
                at += 1
            word = text[start:at]
            tokens.append(_Token(word if word in ("in", "notin") else "identifier", word))
    tokens.append(_Token("end", _END))
    return tokens


class _Parser:
    """Recursive descent over the tokens; "in" and "notin" are operators only where an operator may stand."""

    def __init__(self, text: str) -> None:
        self.tokens = _scan(text)
        self.at = 0

    def _look(self, *, operator: bool = False) -> _Token:
        token = self.tokens[self.at]
        if not operator and token.kind in ("in", "notin"):
            return _Token("identifier", token.text)
        return token

    def _take(self, *, operator: bool = False) -> _Token:
        token = self._look(operator=operator)
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def parse(self) -> list[Requirement]:
        found: list[Requirement] = []
        while True:
            token = self._look()
            if token.kind == "end":
                return found
            if token.kind not in ("identifier", "!"):
                raise SelectorError(f"found '{token.text}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._term())
            except SelectorError as problem:
                raise SelectorError(f"unable to parse requirement: {problem.message}") from None
            token = self._take()
            if token.kind == "end":
                return found
            if token.kind != ",":
                raise SelectorError(f"found '{token.text}', expected: ',' or 'end of string'")
            token = self._look()
            if token.kind not in ("identifier", "!"):
                raise SelectorError(f"found '{token.text}', expected: identifier after ','")

    def _term(self) -> Requirement:
        token = self._take()
        absent = token.kind == "!"
        if absent:
            token = self._take()
        if token.kind != "identifier":
            raise SelectorError(f"found '{token.text}', expected: identifier")
        key = token.text
        if absent or self._look().kind in ("end", ","):
            return _requirement(key, "!" if absent else "exists", ())
        if problems := names.qualified_name(key):
            raise SelectorError(invalid("<nil>", key, "; ".join(problems)).text())
        token = self._take(operator=True)
        operator = {">": "gt", "<": "lt"}.get(token.kind, token.kind)
        if operator not in BINARY_OPERATORS:
            raise SelectorError(f"found '{token.text}', expected: {', '.join(BINARY_OPERATORS)}")
        values = self._values() if operator in ("in", "notin") else self._exact()
        return _requirement(key, operator, values)

    def _exact(self) -> list[str]:
        if self._look().kind in ("end", ","):
            return [""]
        token = self._take()
        if token.kind != "identifier":
            raise SelectorError(f"found '{token.text}', expected: identifier")
        return [token.text]

    def _values(self) -> list[str]:
        token = self._take()
        if token.kind != "(":
            raise SelectorError(f"found '{token.text}' expected: '('")
        token = self._look()
        if token.kind == ")":
            self._take()
            return [""]
        if token.kind not in ("identifier", ","):
            raise SelectorError(f"found '{token.text}', expected: ',', ')' or identifier")
        values = self._list()
        if self._take().kind != ")":
            raise SelectorError(f"found '{token.text}', expected: ')'")
        return values

    def _list(self) -> list[str]:
        values: list[str] = []
        while True:
            token = self._take()
            following = self._look()
            if token.kind == "identifier":
                values.append(token.text)
                if following.kind == ")":
                    return values
                if following.kind != ",":
                    raise SelectorError(f"found '{following.text}', expected: ',' or ')'")
            elif token.kind == ",":
                if not values:
                    values.append("")
                if following.kind == ")":
                    return [*values, ""]
                if following.kind == ",":
                    self._take()
                    values.append("")
            else:
                raise SelectorError(f"found '{token.text}', expected: ',', or identifier")
