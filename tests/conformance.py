"""`make conformance E2E=e2e.test`: Kubernetes' own conformance tests against a live lab on Docker.

The program comes with each release of Kubernetes (kubernetes-test-linux-amd64.tar.gz); its images must be on the engine or
within its reach. `FOCUS` is a regular expression on names of tests, `JOBS` how many run side by side. conformance_passes.txt
names the tests that pass; one of them that fails is a step back, and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.whole_lab import Lab  # noqa: E402

PASSES = ROOT / "tests" / "conformance_passes.txt"
NODES = 2


def listed(program: Path, focus: str, data: Path, promoted: bool = True) -> list[str]:
    """Names of the tests that fit, in the program's order; those that need the cluster to themselves last."""
    report = data / "listed.json"
    command = [str(program), "--ginkgo.dry-run", f"--ginkgo.json-report={report}"]
    if promoted:
        command.append(r"--ginkgo.focus=\[Conformance\]")
    subprocess.run([*command, "--provider=skeleton"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    names = [name for name, spec in _specs(report) if spec["State"] == "passed" and re.search(focus, name)]
    return sorted(names, key=lambda name: "[Serial]" in name)


def _specs(report: Path) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for suite in json.loads(report.read_text()):
        for spec in suite["SpecReports"] or []:
            if spec["LeafNodeType"] == "It":
                found.append((" ".join([*(spec["ContainerHierarchyTexts"] or []), spec["LeafNodeText"]]), spec))
    return found


def run(program: Path, lab: Lab, names: list[str], jobs: int, data: Path) -> dict[str, dict[str, Any]]:
    """What became of each test: Ginkgo's report of it, by name."""
    serial = [name for name in names if "[Serial]" in name]
    beside = [name for name in names if "[Serial]" not in name]
    results: dict[str, dict[str, Any]] = {}
    for batch in ([beside[number::jobs] for number in range(jobs)], [serial]):
        running = [
            _start(program, lab, part, data / f"run-{len(results)}-{number}")
            for number, part in enumerate(batch)
            if part
        ]
        try:
            for process, _ in running:
                process.wait()
        finally:
            for process, _ in running:  # one that is stopped before its end still writes its report
                process.terminate()
            for process, _ in running:
                process.wait()
        for _, report in running:
            results.update(
                (name, spec) for name, spec in _specs(report) if spec["State"] != "skipped" or "Failure" in spec
            )
    return results


def _start(program: Path, lab: Lab, names: list[str], folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    folder.mkdir(parents=True)
    report = folder / "report.json"
    kubectl = shutil.which("kubectl") or "kubectl"
    command = [
        str(program),
        f"--kubeconfig={lab.kubeconfig}",
        "--provider=skeleton",
        f"--kubectl-path={kubectl}",
        f"--num-nodes={NODES}",
        "--minStartupPods=0",
        "--dump-logs-on-failure=false",
        "--ginkgo.no-color",
        "--ginkgo.v",
        "--ginkgo.silence-skips",
        "--ginkgo.timeout=3h",
        f"--ginkgo.json-report={report}",
        # Go's expressions know no escaped space, which re.escape would make.
        "--ginkgo.focus=" + "|".join(re.sub(r"([][\\.+*?(){}|^$])", r"\\\1", name) for name in names),
    ]
    log = (folder / "log").open("wb")
    return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder), report


def told(results: dict[str, dict[str, Any]], asked: list[str], details: bool) -> int:
    """Print what came out by special interest group; 1 if a test failed that used to pass."""
    expected = set(PASSES.read_text().splitlines()) if PASSES.exists() else set()
    passed = {name for name, spec in results.items() if spec["State"] == "passed"}
    for name in asked:
        if name in passed:
            continue
        spec = results.get(name, {})
        failure = spec.get("Failure") or {}
        became = "skipped itself" if spec.get("State") == "skipped" else "failed"
        print(f"{'STEP BACK' if name in expected else became}: {name}")
        if details:
            print("    " + str(failure.get("Message", "did not run")).strip().replace("\n", "\n    ")[:1500])
    beyond = sorted(passed - expected)
    for name in beyond:
        print(f"passed, not in the list yet: {name}")
    ran, good = Counter(map(_group, asked)), Counter(map(_group, passed))
    for group in sorted(ran):
        print(f"{group:<24} {good[group]:>4} of {ran[group]:>4}")
    print(f"{'all':<24} {len(passed):>4} of {len(asked):>4}")
    return 1 if (expected & set(asked)) - passed else 0


def _group(name: str) -> str:
    found = re.match(r"\[(sig-[a-z-]+)\]", name)
    return found.group(1) if found else "none"


def main() -> int:
    options = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    options.add_argument("program", type=Path, help="e2e.test of a Kubernetes release")
    options.add_argument("--focus", default=".", help="regular expression on names")
    options.add_argument("--jobs", type=int, default=4)
    options.add_argument("--all", action="store_true", help="not only the tests that are marked [Conformance]")
    options.add_argument("--details", action="store_true", help="with the message of each failure")
    options.add_argument("--keep", type=Path, help="a folder for reports and the lab, which stay there")
    chosen = options.parse_args()
    program = chosen.program.resolve()
    if not program.is_file():
        options.error(f"there is no program at {chosen.program}")
    with tempfile.TemporaryDirectory(prefix="podlab-conformance-") as temporary:
        data = Path(temporary)
        kept = chosen.keep.resolve() if chosen.keep else data / "reports"
        kept.mkdir(parents=True, exist_ok=True)
        names = listed(program, chosen.focus, data, promoted=not chosen.all)
        print(f"{len(names)} tests", flush=True)
        lab = Lab(kept / "lab", "docker", PODLAB_HOST_ACCESS="hostPath,hostPID,hostIPC")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the lab is stopped then, too
        lab.start()
        try:
            results = run(program, lab, names, chosen.jobs, kept)
        finally:
            try:
                lab.end_pods()
            finally:
                lab.stop()
        return told(results, names, chosen.details)


if __name__ == "__main__":
    raise SystemExit(main())
