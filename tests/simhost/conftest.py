"""Clusters to play with, removed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from simhost_played import Played

from podlab.storage import clusters


@pytest.fixture
def play(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Callable[..., Played]]:
    settings.PODLAB_DATA = tmp_path
    (tmp_path / "pki").mkdir()
    # Pods mount it; nobody speaks TLS here.
    (tmp_path / "pki" / "ca.crt").write_text("a certificate\n")
    made: list[Played] = []

    def begin(name: str = "lab", **options: Any) -> Played:
        made.append(Played(name, tmp_path, **options))
        return made[-1]

    yield begin
    for one in made:
        one.world.close()
        if clusters.find(one.name):
            clusters.delete(one.name)
