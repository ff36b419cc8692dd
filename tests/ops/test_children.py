from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from podlab.ops import children

WAIT = "import time; time.sleep(60)"


def child(tmp_path: Path, script: str, stop_seconds: float = 5) -> children.Child:
    return children.Child(
        "thing",
        [sys.executable, "-c", script],
        environment={**os.environ, "PODLAB_DATA": str(tmp_path)},
        data=tmp_path,
        stop_seconds=stop_seconds,
    )


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_child_leaves_a_pid_file_while_it_runs(tmp_path: Path) -> None:
    thing = child(tmp_path, WAIT)
    thing.start()
    assert thing.process is not None
    assert int(thing.pid_file.read_text()) == thing.process.pid
    thing.stop()
    assert not thing.pid_file.exists()
    assert not thing.running()


def test_a_crashed_child_waits_for_its_back_off_and_starts_again(tmp_path: Path, monkeypatch: object) -> None:
    thing = child(tmp_path, "raise SystemExit(3)")
    thing.start()
    until(lambda: not thing.running())
    first = thing.tend()
    assert first == "thing ended with exit code 3; next start in 0.5 s"
    assert thing.tend() is None
    until(lambda: thing.tend() == "thing started again (restart 1)")
    until(lambda: not thing.running())
    assert thing.tend() == "thing ended with exit code 3; next start in 1 s"
    thing.stop()


def test_a_child_that_ignores_term_is_killed(tmp_path: Path) -> None:
    script = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); {WAIT}"
    thing = child(tmp_path, script, stop_seconds=0.3)
    thing.start()
    until(lambda: "on" in thing.log_tail())
    thing.stop()
    assert thing.process is not None
    assert thing.process.returncode == -signal.SIGKILL


def test_a_child_is_ready_only_by_the_word_of_a_living_process(tmp_path: Path) -> None:
    thing = child(tmp_path, WAIT)
    thing.start()
    assert not thing.ready()
    thing.ready_file.write_text("999999999")
    assert not thing.ready()
    assert thing.process is not None
    thing.ready_file.write_text(str(thing.process.pid))
    assert thing.ready()
    thing.stop()


def test_a_leftover_is_killed_only_if_it_belongs_to_this_data_folder(tmp_path: Path) -> None:
    mine, other = child(tmp_path, WAIT), child(tmp_path, WAIT)
    mine.start()
    assert mine.process is not None
    until(lambda: b"time.sleep" in Path(f"/proc/{mine.process.pid}/cmdline").read_bytes() if mine.process else False)
    assert not children.stop_leftover(mine.pid_file, tmp_path / "elsewhere")
    assert mine.running()
    mine.pid_file.write_text(str(mine.process.pid))
    assert children.stop_leftover(mine.pid_file, tmp_path)
    until(lambda: not mine.running())
    assert mine.process.returncode == -signal.SIGKILL
    assert not children.stop_leftover(other.pid_file, tmp_path)
