"""What breaks around a lab on Docker, while a scripted run goes on: its end is right all the same."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripted_run import ScriptedRun
from tests.second_engine import SecondEngine
from tests.whole_lab import Lab, eventually

pytestmark = [pytest.mark.lab, pytest.mark.docker]
LOCKED = """
import sqlite3, sys, time
held = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(5)
held.execute("ROLLBACK")
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "data", "docker", PODLAB_NODES="node-a")
    try:
        yield made.start()
    finally:
        made.kubectl("delete", "pods", "--all", "--force", "--grace-period=0", check=False)
        made.stop()


@pytest.mark.timeout(300)
def test_an_agent_killed_again_and_again_a_killed_broker_and_a_locked_database(lab: Lab) -> None:
    moments = random.Random(4)
    with ScriptedRun(lab) as script:
        script.begin()
        for _ in range(2):
            time.sleep(moments.uniform(0.0, 1.5))  # the moments are the point: they are not waited for
            lab.kill("node")
        lock = [sys.executable, "-c", LOCKED, str(lab.data / "podlab.sqlite3")]
        with subprocess.Popen(lock, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "locked\n"
            script.go_on()
        lab.kill("redis")
        for _ in range(2):
            time.sleep(moments.uniform(0.0, 1.5))
            lab.kill("node")
        assert script.problems() == []


@pytest.mark.timeout(300)
def test_an_engine_that_is_restarted(tmp_path: Path) -> None:
    """With it all containers end: what must go on is started again, what was over stays over, nothing is left over."""
    with SecondEngine() as engine:
        lab = Lab(tmp_path / "data", "docker", PODLAB_NODES="node-a", DOCKER_HOST=engine.host)
        try:
            lab.start()
            lab.kubectl("run", "steady", "--image=busybox:1.36", "--", "sleep", "3600")
            lab.kubectl("run", "done", "--image=busybox:1.36", "--restart=Never", "--", "true")
            lab.kubectl("wait", "--for=condition=Ready", "pod/steady", "--timeout=60s")
            lab.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/done", "--timeout=60s")
            engine.restart()

            def runs_again() -> bool:
                (status,) = (lab.pod("steady") or {})["status"]["containerStatuses"]
                return bool(status["ready"]) and status["restartCount"] == 1

            eventually("the pod runs again", runs_again, 90)
            done = (lab.pod("done") or {})["status"]
            assert (done["phase"], done["containerStatuses"][0]["restartCount"]) == ("Succeeded", 0)
            lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")
            eventually("nothing is left over", lambda: not engine.containers(), 60)
        finally:
            lab.stop()
