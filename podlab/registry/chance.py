"""Names and ids that nobody can foresee, from a supply of the system's random bytes.

Each call of the system lets go of the interpreter, and six of them in every write of a pod gave it away six times.
"""

from __future__ import annotations

import os
import threading
import uuid

_SUPPLY = 4096  # bytes from one call


class _Supply:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes = b""

    def take(self, count: int) -> bytes:
        with self._lock:
            if len(self._bytes) < count:
                self._bytes = os.urandom(_SUPPLY)
            taken, self._bytes = self._bytes[:count], self._bytes[count:]
            return taken


_supply = _Supply()


def uid() -> str:
    """A random UUID (version 4)."""
    return str(uuid.UUID(bytes=_supply.take(16), version=4))


def below(limit: int) -> int:
    """0 ≤ n < `limit`, which is small."""
    return int.from_bytes(_supply.take(8)) % limit


def _after_fork() -> None:
    """Two processes must not make the same of one supply."""
    global _supply
    _supply = _Supply()


os.register_at_fork(after_in_child=_after_fork)
