"""A simulated cluster and clients of it, on a clock that stands where the test puts it."""

from __future__ import annotations

import pytest
from registry_samples import START, Hands

from podlab.registry import clusters
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.storage.clusters import ClusterRow

__all__ = ["START", "Hands"]


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def main(db: None) -> ClusterRow:
    return clusters.ensure_main("sim")


@pytest.fixture
def client(main: ClusterRow, hands: Hands) -> Client:
    """The lab itself: never refused."""
    return Client("main", system("test"), hands)
