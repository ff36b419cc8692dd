"""Resource quantities: "500m", "1.5Gi", "1e3".

Amounts are kept as whole nanos, the smallest step that Kubernetes keeps; smaller parts are rounded away from zero.
`canonical` is how the API server writes a quantity back. Source: apimachinery/pkg/api/resource/quantity.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

Format = Literal["BinarySI", "DecimalSI", "DecimalExponent"]

# What stands before the suffix may be anything down to nothing, which is 0 (parseQuantityString).
_SHAPE = re.compile(
    r"(?P<sign>[+-]?)0*(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?(?P<suffix>[eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII
)
_EXPONENT = re.compile(r"[eE][-+]?[0-9]+")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIX = ["", *_BINARY]
_DECIMAL_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}

NANO = 10**9
MILLI = NANO // 1000
_MOST = 2**63 - 1
_LIMIT = _MOST * NANO
_KEPT, _SHORT = 2048, 40  # texts, and characters of one: most objects say the same few

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
        return max(-_MOST - 1, min(_MOST, _ceil(self.nano, NANO // 1000)))

    @property
    def value(self) -> int:
        return max(-_MOST - 1, min(_MOST, _ceil(self.nano, NANO)))

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
    if text is None:
        return Quantity(0)
    if isinstance(text, str) and len(text) <= _SHORT:
        return _parsed(text)
    return _read(text, str(text).strip())


@lru_cache(_KEPT)
def _parsed(text: str) -> Quantity:
    return _read(text, text.strip())


def _read(text: Any, raw: str) -> Quantity:
    match = _matched(text, raw)
    scale, form = _suffix(match["suffix"])
    amount = Fraction(f"{match['whole'] or '0'}.{match['part'] or '0'}") * scale * NANO
    nano = _ceil(amount.numerator, amount.denominator)
    if form == "BinarySI":  # the only ones that are cut
        nano = min(_LIMIT, nano)
    return Quantity(-nano if match["sign"] == "-" else nano, form)


def _matched(text: Any, raw: str) -> re.Match[str]:
    match = _SHAPE.fullmatch(raw)
    if isinstance(text, bool) or not raw or match is None:
        raise QuantityError(WRONG_SHAPE)
    return match


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
    """What is written well enough stays as it is, a plus sign included."""
    found = parse(text)
    raw = text.strip() if isinstance(text, str) else str(text)
    return raw if text is not None and _is_kept(_matched(text, raw), found.format) else str(found)


def _is_kept(match: re.Match[str], form: Format) -> bool:
    """The test of ParseQuantity for numbers that are short enough for its fast path."""
    whole, part = match["whole"] or "0", match["part"] or ""
    digits = whole + part
    if form == "BinarySI":
        power = 10 * _BINARY[match["suffix"]]
        short = len(whole) <= 14 - power * 3 // 10
        return short and not part and int(whole) & 7 != 0 and int(whole) << power < 2**63
    scale = _power(match["suffix"]) - len(part)
    fast = len(digits) <= _MOST_DIGITS and scale >= -9
    return fast and scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _power(suffix: str) -> int:
    return _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])


_MOST_DIGITS = 18  # maxInt64Factors


def of_milli(amount: int) -> str:
    return str(Quantity(amount * (NANO // 1000)))


def of_bytes(amount: int) -> str:
    return str(Quantity(amount * NANO, "BinarySI"))


def compare(left: Any, right: Any) -> int:
    a, b = parse(left).nano, parse(right).nano
    return (a > b) - (a < b)
