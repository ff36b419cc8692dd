"""Finds a place in memory for secrets, tokens and emptyDir volumes of medium Memory. `agent` asks once at its start.

/dev/shm of this machine, provided that the engine sees the same one: an agent in a container of its own does not share
it with the engine, and then everything stays on disk.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol, runtime_checkable

from podlab.runtime.interface import Runtime

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, not a file


@runtime_checkable
class SeesFiles(Protocol):
    def sees(self, path: str) -> bool:
        """Whether the engine finds this path where we do."""
        ...


def root(runtime: Runtime, pod_root: Path) -> Path | None:
    """A folder of this node's own, or None. Its pods' folders are removed with them."""
    if (
        not isinstance(runtime, SeesFiles)
        or not os.access(_SHARED_MEMORY, os.W_OK)
        or not os.path.ismount(_SHARED_MEMORY)
    ):
        return None
    place = place_of(pod_root)
    place.mkdir(mode=0o700, exist_ok=True)  # secrets lie here; containers get at them through their mounts only
    return place if runtime.sees(str(place)) else None


def place_of(pod_root: Path) -> Path:
    """Where a node with this folder has its place, if it has one."""
    return _SHARED_MEMORY / f"podlab-{hashlib.sha256(str(pod_root).encode()).hexdigest()[:12]}"


def give_back(place: Path | None) -> None:
    """The agent stops: nothing is left behind unless pods still need it."""
    if place is not None:
        with suppress(OSError):
            place.rmdir()
