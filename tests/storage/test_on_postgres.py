"""The whole suite of storage once more, on PostgreSQL."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import postgres
import pytest
from django.db import connection

_here = Path(__file__).parent


@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_the_suite_of_storage_passes_on_postgresql() -> None:
    command = [sys.executable, "-m", "pytest", str(_here), "-q", "-m", "not postgres", "-p", "no:cacheprovider"]
    with postgres.running() as url:
        done = subprocess.run(
            command,
            cwd=_here.parent.parent,
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=280,
        )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed, done.stdout
    assert "skipped" not in done.stdout
    assert int(passed[1]) > 50


@pytest.mark.django_db
def test_the_suite_runs_on_the_database_of_the_environment() -> None:
    """So the run above cannot have been one on SQLite."""
    wanted = "postgresql" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "sqlite"
    assert connection.vendor == wanted
