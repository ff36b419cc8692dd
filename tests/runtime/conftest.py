"""One `lab` per runtime. A contract test gets runtimes from it and waits through it, and so need not know whether time
is real (Docker) or advanced (the simulator). A new runtime adds a class beside `DockerLab` and a parameter here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runtime.labs import DockerLab, Lab
from tests.runtime.sim_lab import SimLab
from tests.runtime.sim_node import Sim

LABS: dict[str, Callable[[], Lab]] = {"docker": DockerLab, "sim": SimLab}


@pytest.fixture(scope="session")
def busybox() -> None:
    script = Path(__file__).parents[1] / "images" / "build.sh"
    subprocess.run([str(script)], check=True, timeout=120)


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.docker), "sim"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    if request.param == "docker":
        request.getfixturevalue("busybox")
    made = LABS[request.param]()
    yield made
    made.close()


@pytest.fixture
def docker_lab(busybox: None) -> Iterator[DockerLab]:
    made = DockerLab()
    yield made
    made.close()


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Sim]:
    made = Sim(tmp_path)
    yield made
    made.runtime.close()
