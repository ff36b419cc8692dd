"""In which order the elements of a merged list stand.

The patch's elements keep the patch's order, the others the server's; where the server knew both, its order decides how
the two are interleaved. Source: apimachinery/pkg/util/strategicpatch/patch.go (normalizeElementOrder, mergeSortedSlice).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def arrange(merged: Sequence[Any], wanted: Sequence[Any], server: Sequence[Any], key: str) -> list[Any]:
    """`wanted` is the order that the patch asks for, `server` the list before the patch. `key` "" compares values."""
    ours = [item for item in merged if find(wanted, item, key) is not None]
    others = [item for item in merged if find(wanted, item, key) is None]
    ours.sort(key=lambda item: find(wanted, item, key) or 0)
    others.sort(key=lambda item: _place(server, item, key))
    return _interleave(others, ours, server, key)


def find(items: Sequence[Any], item: Any, key: str) -> int | None:
    """Where `items` has the element that `item` means."""
    wanted = _identity(item, key)
    return next((place for place, have in enumerate(items) if _identity(have, key) == wanted), None)


def _identity(item: Any, key: str) -> Any:
    return item.get(key) if key and isinstance(item, dict) else item


def _place(items: Sequence[Any], item: Any, key: str) -> int:
    place = find(items, item, key)
    return len(items) if place is None else place


def _interleave(others: list[Any], ours: list[Any], server: Sequence[Any], key: str) -> list[Any]:
    """Put each of `others` before the first of `ours` that the server had behind it."""
    out: list[Any] = []
    waiting = list(others)
    for item in ours:
        place = find(server, item, key)
        while waiting and place is not None:
            other = find(server, waiting[0], key)
            if other is None or other > place:
                break
            out.append(waiting.pop(0))
        out.append(item)
    return out + waiting
