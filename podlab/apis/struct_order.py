"""In which order a Go struct has its fields; the schema tells them by name.

schema_check.py asks: the converter of strategic patches goes through the struct, and tells the first mistake that it meets.
Source: the types.go of each group; the fields are in struct_order.txt.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from podlab.apis.types import Manifest

_FIELDS = Path(__file__).parent / "struct_order.txt"
_PREFIX = "io.k8s."


@cache
def _orders() -> dict[str, tuple[str, ...]]:
    found = {}
    for line in _FIELDS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            definition, *fields = line.split(" ")
            found[_PREFIX + definition] = tuple(fields)
    return found


def items(definition: str, obj: Manifest) -> Iterator[tuple[str, Any]]:
    """The fields of `obj` that `definition` knows, with their values, in the order of the struct."""
    for name in _orders().get(definition) or tuple(obj):
        if name in obj:
            yield name, obj[name]
