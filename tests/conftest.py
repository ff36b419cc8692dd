"""Fixtures for every test: a data folder of its own, no Redis, no network."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before Django reads its settings.
_data = Path(tempfile.mkdtemp(prefix="podlab-test-"))
os.environ.setdefault("PODLAB_DATA", str(_data))
os.environ.setdefault("PODLAB_RUNTIME", "sim")


@pytest.fixture(autouse=True)
def _no_hub_outlives_its_test() -> Iterator[None]:
    """The hub that a test started must not go on with the next test's database."""
    yield
    if (hub := sys.modules.get("podlab.storage.hub")) is not None:
        hub.close()
