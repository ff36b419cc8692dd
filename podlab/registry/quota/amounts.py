"""Lists of amounts: {"requests.cpu": Quantity}. Source: apiserver/pkg/quota/v1/resources.go. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from podlab.apis import quantity
from podlab.apis.quantity import Quantity

Amounts = dict[str, Quantity]
NONE = Quantity(0)


def parse(values: Mapping[str, Any] | None) -> Amounts:
    return {name: quantity.parse(text) for name, text in (values or {}).items()}


def write(amounts: Mapping[str, Quantity]) -> dict[str, str]:
    return {name: str(amounts[name]) for name in sorted(amounts)}


def add(left: Mapping[str, Quantity], right: Mapping[str, Quantity]) -> Amounts:
    """A sum is written as the first part that is not nothing."""
    out = dict(left)
    for name, amount in right.items():
        old = out.get(name, NONE)
        out[name] = Quantity(old.nano + amount.nano, old.format if old.nano else amount.format)
    return out


def subtract(left: Mapping[str, Quantity], right: Mapping[str, Quantity]) -> Amounts:
    """Never below nothing (SubtractWithNonNegativeResult)."""
    out = dict(left)
    for name, amount in right.items():
        old = out.get(name, NONE)
        out[name] = Quantity(max(old.nano - amount.nano, 0), old.format if old.nano else amount.format)
    return out


def only(amounts: Mapping[str, Quantity], names: Collection[str]) -> Amounts:
    return {name: amount for name, amount in amounts.items() if name in names}


def above(amounts: Mapping[str, Quantity], limits: Mapping[str, Quantity]) -> list[str]:
    """Which amounts are more than their limit."""
    return [name for name, amount in amounts.items() if name in limits and amount.nano > limits[name].nano]


def told(amounts: Mapping[str, Quantity]) -> str:
    """ "pods=1,requests.cpu=2" """
    return ",".join(f"{name}={amounts[name]}" for name in sorted(amounts))
