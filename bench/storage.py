"""The write path and the list path without HTTP."""

from __future__ import annotations

from pathlib import Path

from bench.figures import Figure, milliseconds
from bench.in_lab import run
from tests.whole_lab import Lab

PODS = 500


def measure(folder: Path) -> list[Figure]:
    lab = Lab(folder / "data", "sim")
    lab.start()
    try:
        created = run(lab, "create_pods", PODS)
        listed = run(lab, "list_pods", 20)
    finally:
        lab.stop()
    return [
        Figure(
            "create a pod through the registry, one thread", f"{PODS / sum(created):.0f}/s, {milliseconds(created)}"
        ),
        Figure(f"list {PODS} pods through the registry", milliseconds(listed)),
    ]
