"""Fixtures for every test; tests/settings.py gives them a data folder of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_hub_outlives_its_test() -> Iterator[None]:
    """The hub that a test started must not go on with the next test's database."""
    yield
    if (hub := sys.modules.get("podlab.storage.hub")) is not None:
        hub.close()
