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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which kubectl was driven: it depends on the machine."""
    driven: dict[str, set[str]] = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, value in getattr(report, "user_properties", ()):
            if name == "kubectl":
                version, _, rows = value.partition(" ")
                driven.setdefault(version, set()).add(rows)
    for version, found in driven.items():
        rows = sum(int(text.split()[-1]) for text in found)
        terminalreporter.write_line(f"kubectl {version}: {rows} commands of the table")
