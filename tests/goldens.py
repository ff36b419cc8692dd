"""`make goldens GOLDENS=folder`: the recordings of a real Kubernetes run against live labs, by their own runners.

API cases go to a simulated lab (no pod of theirs needs to run), life cycles to Docker where an engine answers, else to the
simulator. Extra arguments after the folder choose parts: `api`, `life` (both without any), `simulated`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.machine import docker_answers  # noqa: E402
from tests.whole_lab import Lab  # noqa: E402

IMAGE = "busybox:1.36"
# Controllers, scheduler and nodes: these scenarios are not about pods alone.
OTHERS = ("deploy", "ds", "rs", "rc", "sts", "job", "cron", "owner", "evict", "sched", "taint", "node")


def api(folder: Path, data: Path) -> int:
    lab = Lab(data / "api", "sim")
    lab.start()
    try:
        command = [sys.executable, str(folder / "run_api.py"), lab.url, lab.token, "--no-diff"]
        return subprocess.run([*command, "--dir", str(folder / "api")]).returncode
    finally:
        lab.stop()


def life(folder: Path, data: Path) -> int:
    return _life(folder, data, "docker" if docker_answers() else "sim")


def simulated(folder: Path, data: Path) -> int:
    return _life(folder, data, "sim")


def _life(folder: Path, data: Path, runtime: str) -> int:
    lab = Lab(data / f"life-{runtime}", runtime, PODLAB_NODES="node-a")
    lab.start()
    try:
        _have_image(lab)
        pods = [path.stem for path in sorted((folder / "life").glob("*.json")) if path.stem.split("-")[0] not in OTHERS]
        command = [sys.executable, str(folder / "run_life.py"), lab.url, lab.token, str(folder / "life")]
        static = str(lab.data / "static" / "main" / "node-a")
        options = ["--only", ",".join(pods), "--jobs", "3", "--node", "node-a", "--static-dir", static]
        print(f"life cycles on {runtime}", flush=True)
        return subprocess.run([*command, *options]).returncode
    finally:
        lab.stop()


def _have_image(lab: Lab) -> None:
    """The recordings begin with their image on the node."""
    lab.kubectl("run", "first", f"--image={IMAGE}", "--restart=Never", "--", "true")
    lab.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/first", "--timeout=80s")
    lab.kubectl("delete", "pod", "first")


def main(arguments: list[str]) -> int:
    if not arguments or not (folder := Path(arguments[0]).resolve()).is_dir():
        print("usage: make goldens GOLDENS=<folder with run_api.py and run_life.py>", file=sys.stderr)
        return 2
    parts = {"api": api, "life": life, "simulated": simulated}
    with tempfile.TemporaryDirectory(prefix="podlab-goldens-") as data:
        codes = [parts[name](folder, Path(data)) for name in arguments[1:] or ["api", "life"]]
    return max(codes)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
