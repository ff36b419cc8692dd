"""Writers and watchers in threads of one process: nothing is lost, reordered or doubled."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_samples import AT, make_pod, pod_key
from storage_traffic import check_log, check_watcher, in_thread, ops, watch, write, write_last

from podlab.storage import clusters, log, store
from podlab.storage.errors import StaleWrite
from podlab.storage.feed import Limits
from podlab.storage.hub import Hub

pytestmark = pytest.mark.django_db(transaction=True)

_numbers = itertools.count()

watchers = st.lists(st.integers(0, 4), min_size=1, max_size=3)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    plans=st.lists(ops, min_size=1, max_size=3),
    every=watchers,
    early=ops,
    limits=st.sampled_from([Limits(), Limits(entries=3, preload=2), Limits(bytes=2000, preload=0)]),
)
def test_every_watcher_sees_every_change_once_and_in_order(
    plans: list[list[tuple[str, str, int]]], every: list[int], early: list[tuple[str, str, int]], limits: Limits
) -> None:
    cluster = f"threads-{next(_numbers)}"
    clusters.create(cluster, runtime="sim")
    start = log.head()
    hub = Hub(poll=0.05, limits=limits, redis=False)
    try:
        first = [in_thread(lambda e=e: watch(hub, cluster, start, e)) for e in every]
        committed = write(cluster, early, 99)
        middle = log.head()
        writing = [in_thread(lambda p=p, n=n: write(cluster, p, n)) for n, p in enumerate(plans)]
        # These begin while the writers write: some from the start, some from the middle.
        later = [in_thread(lambda e=e: watch(hub, cluster, middle, e)) for e in every]
        again = [in_thread(lambda e=e: watch(hub, cluster, start, e)) for e in every]
        for result in writing:
            committed += result()
        committed.append(write_last(cluster))
        for result in first + again:
            check_watcher(cluster, start, result())
        for result in later:
            check_watcher(cluster, middle, result())
        check_log(cluster, start, committed)
    finally:
        hub.close()


def test_of_many_writers_with_one_expectation_one_wins(main_cluster: clusters.ClusterRow) -> None:
    store.create(pod_key(), make_pod(uid="u", annotations={"count": "0"}), at=AT)
    writers, rounds = 4, 10

    def count() -> int:
        lost = 0
        for _ in range(rounds):
            while True:
                current = store.get(pod_key())
                assert current is not None
                value = int(current.obj["metadata"]["annotations"]["count"]) + 1
                try:
                    pod = make_pod(uid="u", annotations={"count": str(value)})
                    store.update(pod_key(), pod, expect=current.revision, at=AT)
                except StaleWrite:
                    lost += 1
                    continue
                break
        return lost

    for result in [in_thread(count) for _ in range(writers)]:
        result()
    final = store.get(pod_key())
    assert final is not None
    assert final.obj["metadata"]["annotations"]["count"] == str(writers * rounds)
    assert final.revision == final.created_revision + writers * rounds
