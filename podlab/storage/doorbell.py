"""Tells other processes of the lab that something new lies in SQL. It carries numbers, never content."""

from __future__ import annotations

REVISION = "r"
HISTORY = "h"
CLUSTER = "c"


def ring(bell: str, number: int | str) -> None:
    pass
