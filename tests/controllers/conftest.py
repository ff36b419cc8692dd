"""A cluster whose controllers run by hand, on a clock that stands where the test puts it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from controllers_driven import Driven

from podlab.registry import clusters
from podlab.storage.clusters import ClusterRow

START = datetime(2026, 11, 21, 2, 0, 0, tzinfo=UTC)


@pytest.fixture
def main(db: None) -> ClusterRow:
    return clusters.ensure_main("sim")


@pytest.fixture
def driven(main: ClusterRow) -> Driven:
    return Driven("main", START)
