"""`make test`: every check and test that this machine can run, then a table of what ran and what could not, and why.

Stages run in three lanes side by side, as many of them wait for containers, timers and browsers.
What a stage says is kept in test-results/ and printed in one piece when it ends.
Stages that wait for real containers and browsers in real time get a second look: where one to three of their tests failed, the modules
of these run again when everything else is done. What passes then counts, and the table names it; look after such a test all the same.
With PODLAB_CI=1 something that could not run, or a skipped test, is a failure.
"""

from __future__ import annotations

import os
import re
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
LANES = 3
SECOND_LOOK = 3  # failed tests of a stage: more of them are no accident


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
    broken: list[tuple[str, str]] = field(default_factory=list)  # module and name of each test that failed
    skipped: list[str] = field(default_factory=list)
    reason: str = ""
    marker: str = ""
    in_real_time: bool = False

    @property
    def file_name(self) -> str:
        return self.name.replace(" ", "-")


# Where the tests of a marker are: a stage reads no others. `strays` holds them to it.
FOLDERS = {
    "lab": ["lab"],
    "browser": ["browser"],
    "compose": ["compose"],
    "docker": ["runtime", "kubelet", "services"],
    "kubectl": ["apiserver"],
    "postgres": ["storage"],
}
FAULTS = [f"tests/lab/{name}.py" for name in ("test_docker_lab", "test_faults", "test_simulated_lab")]


def pytest_stage(name: str, marker: str, paths: list[str], needs: tuple[str, ...] = (), *extra: str) -> Stage:
    real_time = not {"docker", "kubectl"}.isdisjoint(needs)
    stage = Stage(name, [], needs, counts=True, marker=marker, in_real_time=real_time)
    report = RESULTS / f"{stage.file_name}.xml"
    stage.command = [str(BIN / "python"), "-m", "pytest", "-q", "-m", marker, f"--junitxml={report}", *extra, *paths]
    return stage


def of(marker: str) -> list[str]:
    return [f"tests/{folder}" for folder in FOLDERS[marker]]


def check_stages() -> list[Stage]:
    return [
        Stage("ruff", [str(BIN / "ruff"), "check", "."]),
        Stage("format", [str(BIN / "ruff"), "format", "--check", "."]),
        Stage("mypy", [str(BIN / "mypy")]),
        Stage("layers", [str(BIN / "lint-imports")]),
        Stage("migrations", [str(BIN / "python"), "manage.py", "makemigrations", "--check", "--dry-run"]),
        Stage("javascript", ["npm", "test", "--silent"], ("node",)),
    ]


def test_stages() -> list[Stage]:
    """The longest first, so that they end at about the same time. Labs are told apart by their ids: several of them may use the
    machine's Docker engine at a time."""
    plain = "not docker and not kubectl and not browser and not postgres and not lab and not compose"
    here = [f"--ignore=tests/{name}" for name in ("lab", "browser", "compose")]
    rest = [f"--ignore={path}" for path in FAULTS]
    return [
        pytest_stage("whole lab", "lab", of("lab"), ("docker", "kubectl"), *rest),
        pytest_stage("whole lab, killed", "lab", FAULTS, ("docker", "kubectl")),
        pytest_stage("browser", "browser", of("browser"), ("browser", "docker", "kubectl")),
        pytest_stage("unit and contract", plain, ["tests"], (), *here),
        pytest_stage("docker", "docker and not lab", of("docker"), ("docker",)),
        pytest_stage("postgres", "postgres", of("postgres"), ("postgres",)),
        pytest_stage("compose", "compose", of("compose"), ("docker", "kubectl")),
        pytest_stage("kubectl", "kubectl and not lab", of("kubectl"), ("kubectl",)),
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


def run_side_by_side(stages: list[Stage], have: dict[str, str]) -> None:
    """Each of the lanes takes the next stage as soon as it is free."""
    waiting = iter(stages)
    taking = threading.Lock()

    def follow() -> None:
        while True:
            with taking:
                stage = next(waiting, None)
            if stage is None:
                return
            run(stage, have)

    threads = [threading.Thread(target=follow) for _ in range(LANES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def look_again(stage: Stage) -> None:
    """The modules of a few failed tests once more, with nothing beside them."""
    if not stage.in_real_time or not 0 < len(stage.broken) == stage.failed <= SECOND_LOOK:
        return
    modules = sorted({module for module, _name in stage.broken})
    second = pytest_stage(f"{stage.name}, second look", stage.marker, modules, stage.needs)
    run(second, {})
    stage.seconds += second.seconds
    if second.outcome == "passed" and second.passed >= stage.failed and not second.skipped:
        names = ", ".join(name for _module, name in stage.broken)
        stage.outcome, stage.reason = "passed", f"on the second look only: {names}"
        stage.passed, stage.failed = stage.passed + stage.failed, 0


def module_of(classname: str) -> str:
    """The path of a test module from a report's class name: `tests.web.test_pages.TestList` is in tests/web/test_pages.py."""
    parts = classname.split(".")
    last = next((place for place, part in enumerate(parts) if part.startswith("test_")), len(parts) - 1)
    return "/".join(parts[: last + 1]) + ".py"


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
            stage.broken.append((module_of(case.get("classname", "")), case.get("name", "")))
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


def strays() -> list[str]:
    """Test modules with a marker whose stage does not read their folder: they would never run."""
    found = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.relative_to(ROOT / "tests").parts[0]
        marks = set(re.findall(r"\bmark\.(\w+)", path.read_text())) & FOLDERS.keys()
        if marks and not any(folder in FOLDERS[mark] for mark in marks):
            found.append(f"{path.relative_to(ROOT)} ({', '.join(sorted(marks))})")
    return sorted(found)


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    os.environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # each stage imports the tests: the first one's work is kept for the others
    RESULTS.mkdir(exist_ok=True)
    if found := twins():
        print(f"rename one of each: {', '.join(found)}")
        return 1
    if found := strays():
        print(f"no stage reads {'; '.join(found)}: see FOLDERS in tests/run.py")
        return 1
    begin = time.perf_counter()
    only_check = arguments == ["check"]
    have = {"node": ""} if only_check else machine.prepare()
    checks = check_stages()
    stages = checks if only_check else [*checks, *test_stages()]
    run_side_by_side(stages, have)
    for stage in stages:
        look_again(stage)
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
