"""What a simulated cluster costs: to make, and to keep while idle."""

from __future__ import annotations

import time
from pathlib import Path

from bench.figures import Figure, cpu_seconds, milliseconds, resident_megabytes
from bench.in_lab import run
from tests.whole_lab import Lab

COUNT = 100
IDLE_SECONDS = 30


def measure(folder: Path) -> list[Figure]:
    lab = Lab(folder / "data", "sim")
    lab.start()
    try:
        time.sleep(3)
        pid = lab.pid("sim")
        size, cpu = resident_megabytes(pid), _cpu_share(pid)
        made = run(lab, "make_clusters", COUNT)
        time.sleep(10)
        grown = resident_megabytes(pid) - size
        busier = _cpu_share(pid) - cpu
    finally:
        lab.stop()
    return [
        Figure("make a simulated cluster of two nodes", milliseconds(made), "< 100 ms"),
        Figure("memory of the sim worker per idle cluster", f"{grown / COUNT * 1024:.0f} kB"),
        Figure("CPU of the sim worker per idle cluster", f"{busier / COUNT * 100:.3f} % of a core"),
    ]


def _cpu_share(pid: int) -> float:
    before = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_seconds(pid) - before) / IDLE_SECONDS
