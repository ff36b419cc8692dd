"""Resource quantities: "500m", "1.5Gi", "1e3".

Amounts are kept as whole nanos, the smallest step that Kubernetes keeps; smaller parts are rounded away from zero.
`canonical` is how the API server writes a quantity back. Source: apimachinery/pkg/api/resource/quantity.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

Format = Literal["BinarySI", "DecimalSI", "DecimalExponent"]

_SHAPE = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_EXPONENT = re.compile(r"[eE][-+]?[0-9]+")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIX = ["", *_BINARY]
_DECIMAL_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}

NANO = 10**9
_LIMIT = (2**63 - 1) * NANO

WRONG_SHAPE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
WRONG_NUMBER = "unable to parse numeric part of quantity"
WRONG_SUFFIX = "unable to parse quantity's suffix"


class QuantityError(ValueError):
    """Not a quantity; the text is Kubernetes'."""


@dataclass(frozen=True, slots=True)
class Quantity:
    nano: int
    format: Format = "DecimalSI"

    @property
    def milli(self) -> int:
        return _ceil(self.nano, NANO // 1000)

    @property
    def value(self) -> int:
        return _ceil(self.nano, NANO)

    def round_up_to_milli(self) -> Quantity:
        return Quantity(self.milli * (NANO // 1000), self.format)

    def __str__(self) -> str:
        return _write(self)


def _ceil(number: int, step: int) -> int:
    """Rounded away from zero, as Quantity.Value and MilliValue do."""
    steps = -(-abs(number) // step)
    return steps if number >= 0 else -steps


def parse(text: Any) -> Quantity:
    """A quantity from JSON: text, or a bare number as its digits."""
    raw = text.strip() if isinstance(text, str) else str(text)
    if text is None:
        return Quantity(0)
    if isinstance(text, bool) or not (match := _SHAPE.fullmatch(raw)):
        raise QuantityError(WRONG_SHAPE)
    number, suffix = match.groups()
    if not _NUMBER.fullmatch(number):
        raise QuantityError(WRONG_NUMBER)
    scale, form = _suffix(suffix)
    amount = Fraction(number) * scale * NANO
    nano = _ceil(amount.numerator, amount.denominator)
    return Quantity(max(-_LIMIT, min(_LIMIT, nano)), form)


def _suffix(suffix: str) -> tuple[Fraction, Format]:
    if suffix in _BINARY:
        return Fraction(1024 ** _BINARY[suffix]), "BinarySI"
    if suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix], "DecimalSI"
    if _EXPONENT.fullmatch(suffix):
        power = int(suffix[1:])
        if abs(power) > 100:  # far outside int64: keeps a hostile exponent from costing memory
            raise QuantityError(WRONG_NUMBER)
        return Fraction(10) ** power, "DecimalExponent"
    raise QuantityError(WRONG_SUFFIX)


def _write(quantity: Quantity) -> str:
    if quantity.nano == 0:
        return "0"
    form = quantity.format
    whole, rest = divmod(quantity.nano, NANO)
    if form == "BinarySI" and (rest or abs(quantity.nano) < 1024 * NANO):
        form = "DecimalSI"
    if form == "BinarySI":
        power = 0
        while power < 6 and whole % 1024 == 0:
            whole //= 1024
            power += 1
        return f"{whole}{_BINARY_SUFFIX[power]}"
    number, exponent = quantity.nano, -9
    while number % 1000 == 0 and exponent < 18:
        number //= 1000
        exponent += 3
    if form == "DecimalSI":
        return f"{number}{_DECIMAL_SUFFIX[exponent]}"
    return f"{number}e{exponent}" if exponent else str(number)


def milli(text: Any) -> int:
    """In thousandths, rounded up: cpu arithmetic."""
    return parse(text).milli


def value(text: Any) -> int:
    """In whole units, rounded up: memory arithmetic."""
    return parse(text).value


def canonical(text: Any) -> str:
    return str(parse(text))


def of_milli(amount: int) -> str:
    return str(Quantity(amount * (NANO // 1000)))


def of_bytes(amount: int) -> str:
    return str(Quantity(amount * NANO, "BinarySI"))


def compare(left: Any, right: Any) -> int:
    a, b = parse(left).nano, parse(right).nano
    return (a > b) - (a < b)
