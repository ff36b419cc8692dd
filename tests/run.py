"""`make test`: every check and test that this machine can run, then a table of what ran and what could not, and why.

Stages run in three lanes side by side: one that mostly computes, two that mostly wait for containers, timers and browsers.
What a stage says is kept in test-results/ and printed in one piece when it ends.
With PODLAB_CI=1 something that could not run, or a skipped test, is a failure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import machine  # noqa: E402

BIN = ROOT / ".venv" / "bin"
RESULTS = ROOT / "test-results"
PRINTING = threading.Lock()


@dataclass
class Stage:
    """A command; `needs` names requirements of tests/machine.py. A pytest stage is given by its marker expression."""

    name: str
    command: list[str]
    needs: tuple[str, ...] = ()
    counts: bool = False
    seconds: float = 0.0
    outcome: str = ""  # passed | failed | could not run
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    reason: str = ""

    @property
    def file_name(self) -> str:
        return self.name.replace(" ", "-")


def pytest_stage(name: str, marker: str, needs: tuple[str, ...] = (), *extra: str) -> Stage:
    stage = Stage(name, [], needs, counts=True)
    report = RESULTS / f"{stage.file_name}.xml"
    stage.command = [str(BIN / "python"), "-m", "pytest", "-q", "-m", marker, f"--junitxml={report}", *extra]
    return stage


def check_stages() -> list[Stage]:
    return [
        Stage("ruff", [str(BIN / "ruff"), "check", "."]),
        Stage("format", [str(BIN / "ruff"), "format", "--check", "."]),
        Stage("mypy", [str(BIN / "mypy")]),
        Stage("layers", [str(BIN / "lint-imports")]),
        Stage("migrations", [str(BIN / "python"), "manage.py", "makemigrations", "--check", "--dry-run"]),
        Stage("javascript", ["npm", "test", "--silent"], ("node",)),
    ]


def computing_stages() -> list[Stage]:
    plain = "not docker and not kubectl and not browser and not postgres and not lab and not compose"
    return [
        pytest_stage("unit and contract", plain),
        pytest_stage("postgres", "postgres", ("postgres",)),
    ]


def waiting_lanes() -> list[list[Stage]]:
    """Labs are told apart by their ids, so two of them may use the machine's Docker engine at a time."""
    return [
        [
            pytest_stage("whole lab", "lab and not browser", ("docker", "kubectl")),
            pytest_stage("kubectl", "kubectl and not lab", ("kubectl",)),
        ],
        [
            pytest_stage("docker", "docker and not lab and not browser and not compose", ("docker",)),
            pytest_stage("browser", "browser", ("browser", "docker")),
            pytest_stage("compose", "compose", ("docker", "kubectl")),
        ],
    ]


def say(text: str) -> None:
    with PRINTING:
        print(text, flush=True)


def run(stage: Stage, have: dict[str, str]) -> None:
    reasons = [have[need] for need in stage.needs if have.get(need)]
    if reasons:
        stage.outcome, stage.reason = "could not run", "; ".join(reasons)
        return
    say(f"... {stage.name}")
    log = RESULTS / f"{stage.file_name}.log"
    begin = time.perf_counter()
    with log.open("wb") as out:
        code = subprocess.run(stage.command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT).returncode
    stage.seconds = time.perf_counter() - begin
    if stage.counts:
        read_report(stage)
        if code == 5:  # pytest: no tests collected
            code, stage.reason = 1, "no tests were found"
    else:
        stage.passed, stage.failed = (1, 0) if code == 0 else (0, 1)
    stage.outcome = "passed" if code == 0 else "failed"
    if code != 0 and not stage.failed:
        stage.failed = 1
    say(f"\n=== {stage.name}: {stage.outcome} in {stage.seconds:.0f} s\n{log.read_text(errors='replace')}")


def run_lanes(lanes: list[list[Stage]], have: dict[str, str]) -> None:
    def follow(lane: list[Stage]) -> None:
        for stage in lane:
            run(stage, have)

    threads = [threading.Thread(target=follow, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def read_report(stage: Stage) -> None:
    path = next(Path(part.split("=", 1)[1]) for part in stage.command if part.startswith("--junitxml="))
    if not path.exists():
        return
    for case in ElementTree.parse(path).iter("testcase"):
        skip = case.find("skipped")
        if skip is not None:
            stage.skipped.append(f"{case.get('name')}: {skip.get('message')}")
        elif case.find("failure") is not None or case.find("error") is not None:
            stage.failed += 1
        else:
            stage.passed += 1


def table(stages: list[Stage], seconds: float) -> None:
    print(f"\n{'stage':<20} {'outcome':<14} {'passed':>7} {'failed':>7} {'seconds':>8}  remarks")
    for stage in stages:
        remarks = "; ".join([*([stage.reason] if stage.reason else []), *(f"skipped {text}" for text in stage.skipped)])
        numbers = f"{stage.passed:>7} {stage.failed:>7} {stage.seconds:>8.1f}"
        print(f"{stage.name:<20} {stage.outcome:<14} {numbers}  {remarks}")
    print(f"\n{seconds:.0f} s in all")


def twins() -> list[str]:
    """Test modules of one name: pytest takes them for one, and nothing would be collected."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    return sorted({name for name in names if names.count(name) > 1})


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    os.environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # each stage imports the tests: the first one's work is kept for the others
    RESULTS.mkdir(exist_ok=True)
    if found := twins():
        print(f"rename one of each: {', '.join(found)}")
        return 1
    begin = time.perf_counter()
    only_check = arguments == ["check"]
    have = {"node": ""} if only_check else machine.prepare()
    lanes = [check_stages()] if only_check else [check_stages() + computing_stages(), *waiting_lanes()]
    run_lanes(lanes, have)
    stages = [stage for lane in lanes for stage in lane]
    table(stages, time.perf_counter() - begin)
    failed = sum(stage.failed for stage in stages)
    if os.environ.get("PODLAB_CI") == "1":
        failed += sum(1 for stage in stages if stage.outcome == "could not run")
        failed += sum(len(stage.skipped) for stage in stages)
    skipped = sum(len(stage.skipped) for stage in stages)
    print(f"{sum(stage.passed for stage in stages)} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
