from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from podlab.celery import ROLES, rooms
from podlab.ops import worker

ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import sys
from celery.utils.imports import symbol_by_name
from podlab.celery import app
app.loader.import_default_modules()
for step in app.steps["worker"]:
    symbol_by_name(step)
print(sorted(name for name in app.tasks if name.startswith("podlab.")))
print("podlab.urls" in sys.modules, "podlab.routing" in sys.modules)
"""


def test_queues_of_each_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODLAB_NODES", "node-a,node-b")
    assert {role: worker.queues(role) for role in worker.ROLES} == {
        "control": ["control"],
        "sim": ["sim"],
        "node": ["node.node-a", "node.node-b"],
    }


def test_a_process_without_a_role_knows_the_tasks_of_all() -> None:
    assert set(rooms("")) == {room for role in ROLES for room in rooms(role)}


@pytest.mark.parametrize(
    ("role", "tasks"),
    [
        ("control", "['podlab.controllers.sync', 'podlab.scheduler.schedule']"),
        ("sim", "['podlab.simhost.run_cluster']"),
        ("node", "['podlab.kubelet.sync_pod']"),
    ],
)
def test_a_worker_loads_its_own_rooms_and_no_pages(role: str, tasks: str, tmp_path: Path) -> None:
    """What each process of a lab imports at each start is most of the time that a lab takes to be ready."""
    environment = {
        **os.environ,
        "PODLAB_ROLE": role,
        "PODLAB_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "podlab.settings",
        "CELERY_SKIP_CHECKS": "1",
    }
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [tasks, "False False"]
