"""How a process of a lab says that it is ready: a file that the supervisor and the health check look at."""

from __future__ import annotations

import os
from pathlib import Path


def process_name() -> str | None:
    """PODLAB_PROCESS, else PODLAB_ROLE; None when nobody supervises this process."""
    return os.environ.get("PODLAB_PROCESS") or os.environ.get("PODLAB_ROLE") or None


def ready_file(data: Path, name: str) -> Path:
    return data / "run" / f"ready-{name}"


def say_ready(data: Path) -> None:
    """The file holds the pid, so that a stale one convinces nobody."""
    name = process_name()
    if name is None:
        return
    path = ready_file(data, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{os.getpid()}\n")


def is_ready(data: Path, name: str) -> bool:
    """Said ready by a process that lives (in this pid namespace)."""
    try:
        pid = int(ready_file(data, name).read_text())
    except (OSError, ValueError):
        return False
    return Path(f"/proc/{pid}").exists()
