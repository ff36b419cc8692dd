"""Runs every part in one go and prints a Markdown table. `python -m bench [api|docker|clusters|storage|timeline …]` runs parts;
`soak` (PODLAB_SOAK_SECONDS, 600) and `faults` run only when they are named."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import api, clusters, docker_pods, faults, soak, storage, timeline
from bench.figures import Figure
from podlab.ops.docker_probe import docker_answers

PARTS: dict[str, Callable[[Path], list[Figure]]] = {
    "api": api.measure,
    "docker": docker_pods.measure,
    "clusters": clusters.measure,
    "storage": storage.measure,
    "timeline": timeline.measure,
    "soak": soak.measure,
    "faults": faults.measure,
}
ON_DOCKER = ("docker", "soak", "faults")
LONG = ("soak", "faults")  # only by name


def main(arguments: list[str]) -> int:
    wanted = arguments or [name for name in PARTS if name not in LONG]
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print("| figure | value | aim |\n|---|---|---|")
    for name in wanted:
        if name in ON_DOCKER and not docker_answers(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")):
            print(f"| {name} | not measured: no engine answers | |")
            continue
        with tempfile.TemporaryDirectory(prefix="podlab-bench-") as folder:
            for figure in PARTS[name](Path(folder)):
                print(f"| {figure.name} | {figure.value} | {figure.aim} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
