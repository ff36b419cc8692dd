"""A cluster to write to, and a hub of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from storage_samples import AT

from podlab.storage import clusters
from podlab.storage.hub import Hub


@pytest.fixture
def main_cluster(transactional_db: None) -> clusters.ClusterRow:
    return clusters.create("main", runtime="sim", lab=AT)


@pytest.fixture
def own_hub(transactional_db: None) -> Iterator[Hub]:
    """Without Redis; it polls often, so that what no bell announces is found soon too."""
    hub = Hub(poll=0.05, redis=False)
    yield hub
    hub.close()
