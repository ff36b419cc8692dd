"""The test runner's second look at tests that failed in real time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import run

TRIES = """
from pathlib import Path

import pytest


@pytest.mark.{marker}
@pytest.mark.parametrize("number", range({fails}))
def test_once_bad(number):
    told = Path(__file__).with_name(f"told-{{number}}")
    before = told.exists()
    told.touch()
    assert before and {good}


@pytest.mark.{marker}
def test_good():
    assert True
"""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> run.Stage:
    """A stage in a tree of its own: `python -m pytest` runs there."""
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "RESULTS", tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").touch()
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = kubectl\n")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return run.pytest_stage("tries", "kubectl", ["tests"], ("kubectl",))


def write(stage: run.Stage, fails: int, good: bool = True) -> run.Stage:
    text = TRIES.format(marker="kubectl", fails=fails, good=good)
    (run.ROOT / "tests" / "test_tries.py").write_text(text)
    run.run(stage, {})
    run.look_again(stage)
    return stage


def test_what_passes_then_counts_and_is_named(stage: run.Stage) -> None:
    write(stage, fails=2)
    assert (stage.outcome, stage.passed, stage.failed) == ("passed", 3, 0)
    assert stage.reason == "on the second look only: test_once_bad[0], test_once_bad[1]"


def test_what_fails_twice_has_failed(stage: run.Stage) -> None:
    write(stage, fails=1, good=False)
    assert (stage.outcome, stage.passed, stage.failed, stage.reason) == ("failed", 1, 1, "")


@pytest.mark.parametrize(("fails", "real_time"), [(run.SECOND_LOOK + 1, True), (1, False)])
def test_many_failures_are_no_accident_and_logic_has_one_chance(
    stage: run.Stage, monkeypatch: pytest.MonkeyPatch, fails: int, real_time: bool
) -> None:
    stage.in_real_time, stage.failed = real_time, fails
    stage.broken = [("tests/test_tries.py", f"test_once_bad[{number}]") for number in range(fails)]
    monkeypatch.setattr(run, "run", lambda *_: pytest.fail("a second look"))
    run.look_again(stage)
    assert stage.failed == fails


@pytest.mark.parametrize(
    ("classname", "path"),
    [("tests.web.test_pages", "tests/web/test_pages.py"), ("tests.web.test_pages.TestList", "tests/web/test_pages.py")],
)
def test_a_module_is_found_from_its_report(classname: str, path: str) -> None:
    assert run.module_of(classname) == path
