from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole_lab import Lab


@pytest.fixture(scope="module")
def sim_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(_folder(tmp_path_factory), "sim")
    try:
        yield lab.start()
    finally:
        lab.stop()


@pytest.fixture(scope="module")
def docker_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(_folder(tmp_path_factory), "docker")
    try:
        yield lab.start()
    finally:
        lab.kubectl("delete", "pods", "--all", "-A", "--force", "--grace-period=0", check=False)
        lab.stop()


def _folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("lab") / "data"
