"""A simulated cluster and clients of it, on a clock that stands where the test puts it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from podlab.registry import clusters
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.storage.clusters import ClusterRow

START = datetime(2026, 11, 21, 2, 0, 0, tzinfo=UTC)


class Hands:
    """A clock for `Client(now=...)`."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


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
