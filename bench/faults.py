"""The agent is killed (-9) at random moments of a scripted run: how often its end was right."""

from __future__ import annotations

import random
import time
from pathlib import Path

from bench.figures import Figure
from tests.scripted_run import ScriptedRun
from tests.whole_lab import Lab

KILLS = 20
SEED = 1
APART = 3.0  # seconds, at most


def measure(folder: Path) -> list[Figure]:
    moments = random.Random(SEED)
    lab = Lab(folder / "data", "docker", PODLAB_NODES="node-a")
    lab.start()
    try:
        with ScriptedRun(lab) as script:
            script.begin()
            for number in range(KILLS):
                time.sleep(moments.uniform(0.0, APART))
                lab.kill("node")
                if number == KILLS // 2:
                    script.go_on()
            problems = script.problems()
    finally:
        lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0", check=False)
        lab.stop()
    return [
        Figure(f"agent killed {KILLS} times during a scripted run", "; ".join(problems) or "the end is right", "right")
    ]
