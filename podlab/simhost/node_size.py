"""How large a simulated node is, as its annotations say. Pure; `world` asks when it takes a node up."""

from __future__ import annotations

from collections.abc import Mapping

from podlab.apis import quantity
from podlab.apis.quantity import QuantityError
from podlab.registry.fork_plan import CAPACITY

CPU_MILLI = 2000
MEMORY_BYTES = 4 * 2**30


def of(annotations: Mapping[str, str]) -> tuple[int, int]:
    """CPU in thousandths, memory in bytes. What is no amount above zero is as if it were not there."""
    cpu = _amount(annotations, "cpu", thousandths=True) or CPU_MILLI
    return cpu, _amount(annotations, "memory") or MEMORY_BYTES


def _amount(annotations: Mapping[str, str], name: str, *, thousandths: bool = False) -> int:
    text = annotations.get(CAPACITY + name, "")
    try:
        found = quantity.milli(text) if thousandths else quantity.value(text)
    except QuantityError:
        return 0
    return max(found, 0)
