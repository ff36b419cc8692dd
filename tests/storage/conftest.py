"""A cluster to write to."""

from __future__ import annotations

import pytest
from storage_samples import AT

from podlab.storage import clusters


@pytest.fixture
def main_cluster(transactional_db: None) -> clusters.ClusterRow:
    return clusters.create("main", runtime="sim", lab=AT)
