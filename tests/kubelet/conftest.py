"""A kubelet in a small world of its own, and a watch over what it logs: an error there is a failed test."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker_node import Node
from kubelet_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(autouse=True)
def _no_errors_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    errors = [r for r in caplog.get_records("call") if r.levelno >= logging.ERROR and r.name.startswith("podlab")]
    assert not errors, [r.getMessage() for r in errors]


@pytest.fixture(scope="module")
def busybox() -> None:
    script = Path(__file__).parents[1] / "images" / "build.sh"
    subprocess.run([str(script)], check=True, timeout=120)


@pytest.fixture
def node(busybox: None, tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    made.close()
