"""Pulls of images: one row that is brought up to date, followed by number."""

from __future__ import annotations

import queue
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from podlab.registry import clusters
from podlab.storage import pulls
from podlab.storage.errors import UnknownCluster
from podlab.storage.hub import Hub
from podlab.storage.pulls import PullFilter, PullRow

pytestmark = pytest.mark.django_db(transaction=True)
ROW = PullRow("main", "uid", "app", "web:2", datetime(2026, 11, 21, 2, 0, tzinfo=UTC))


def test_a_pull_is_one_row_with_a_new_number_each_time() -> None:
    clusters.ensure_main("sim")
    first = pulls.record(ROW)
    second = pulls.record(replace(ROW, layers=3, current=10, total=100))
    assert second.seq == first.seq + 1
    assert pulls.pulls_of("main", "uid") == [second]
    assert pulls.read(first.seq, PullFilter("main", "other"), None, None) == []
    with pytest.raises(UnknownCluster):
        pulls.record(replace(ROW, cluster="gone"))


def test_the_hub_follows_pulls() -> None:
    clusters.ensure_main("sim")
    before = pulls.record(ROW)
    hub = Hub(poll=0.05, redis=False)
    seen: queue.Queue[PullRow] = queue.Queue()
    try:
        hub.subscribe_pulls(PullFilter("main", "uid"), 0, lambda rows: [seen.put(row) for row in rows])  # type: ignore[func-returns-value]
        assert seen.get(timeout=10) == before
        after = pulls.record(replace(ROW, finished_at=ROW.started_at, error="no such host"))
        pulls.record(replace(ROW, pod_uid="other"))
        assert seen.get(timeout=10) == after
    finally:
        hub.close()
