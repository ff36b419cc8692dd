"""Numbers that look random and are the same in every run: hashes of a seed and of what they are for."""

from __future__ import annotations

import hashlib


def fraction(*parts: object) -> float:
    """In [0, 1)."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def between(low: float, high: float, *parts: object) -> float:
    return low + (high - low) * fraction(*parts)


def hex_id(*parts: object) -> str:
    """64 hexadecimal digits, as container ids have."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
