"""The follower thread on a real database."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from storage_samples import AT, make_pod, make_probe, pod_key

from podlab.storage import clusters, compaction, history, hub, objects, statements, store
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.feed import Limits
from podlab.storage.hub import End, Filter, Hub, LogEntry

pytestmark = pytest.mark.usefixtures("main_cluster")

PATIENCE = 20.0
Arrived = queue.Queue[list[LogEntry]]


@pytest.fixture
def arrived() -> Arrived:
    return queue.Queue()


def test_a_subscription_without_a_revision_begins_now(own_hub: Hub, arrived: Arrived) -> None:
    store.create(pod_key("before"), make_pod("before"), at=AT)
    own_hub.subscribe(Filter(), None, arrived.put)
    made = store.create(pod_key("after"), make_pod("after"), at=AT, actor="someone", why="To see it.")
    (entry,) = arrived.get(timeout=PATIENCE)
    assert (entry.revision, entry.body, entry.uid) == (made.revision, made.body, made.uid)
    assert (entry.at, entry.actor, entry.why) == (AT, "someone", "To see it.")


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        pytest.param(Filter(), ["main/a", "main/b", "other/a"], id="everything"),
        pytest.param(Filter(cluster="main"), ["main/a", "main/b"], id="one cluster"),
        pytest.param(Filter(name="a"), ["main/a", "other/a"], id="one name"),
        pytest.param(Filter(uid="uid-of-b"), ["main/b"], id="one uid"),
        pytest.param(Filter(namespace="kube-system"), [], id="another namespace"),
        pytest.param(Filter(resource="nodes"), [], id="another resource"),
    ],
)
@pytest.mark.parametrize("live", [True, False], ids=["live", "replayed from SQL"])
def test_a_filter_chooses_changes(own_hub: Hub, arrived: Arrived, wanted: Filter, seen: list[str], live: bool) -> None:
    clusters.create("other", runtime="sim")
    everything: Arrived = queue.Queue()
    if live:
        own_hub.subscribe(Filter(), None, everything.put)
        own_hub.subscribe(wanted, None, arrived.put)
    for cluster, name in (("main", "a"), ("main", "b"), ("other", "a")):
        store.create(pod_key(name, cluster=cluster), make_pod(name, uid=f"uid-of-{name}"), at=AT)
    last = store.create(pod_key("last"), make_pod("last", uid="last"), at=AT)
    if not live:
        own_hub.subscribe(wanted, last.revision - 4, arrived.put)
        own_hub.subscribe(Filter(), last.revision - 4, everything.put)
    names: list[str] = []
    while "main/last" not in names:
        names += [f"{entry.key.cluster}/{entry.key.name}" for entry in everything.get(timeout=PATIENCE)]
    # The hub serves in order of subscription, and both hear of one batch in one turn.
    own_hub.close()
    got = [f"{e.key.cluster}/{e.key.name}" for batch in list(arrived.queue) for e in batch]
    assert [name for name in got if name != "main/last"] == seen


def test_two_hundred_readers_cost_one_read_and_one_decode(
    own_hub: Hub, arrived: Arrived, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded, done = [], threading.Semaphore(0)
    decode = objects.decode

    def counting(body: str) -> dict[str, object]:
        decoded.append(body)
        return decode(body)

    monkeypatch.setattr("podlab.storage.log.decode", counting)
    first = store.create(pod_key(), make_pod(uid="u"), at=AT)
    own_hub.subscribe(Filter(), first.revision - 1, arrived.put)
    assert arrived.get(timeout=PATIENCE), "the hub has begun"
    names: list[str] = []

    def deliver(entries: list[LogEntry]) -> None:
        names.extend(str(entry.obj["metadata"]["name"]) for entry in entries)
        done.release()

    for _ in range(200):
        own_hub.subscribe(Filter(cluster="main"), first.revision, deliver)
    reads: list[str] = []
    rows = statements.rows

    def counting_reads(query: str, values: Sequence[Any] = ()) -> list[statements.Row]:
        if query.startswith("SELECT") and "JOIN storage_change" in query:
            reads.append(query)
        return rows(query, values)

    monkeypatch.setattr(statements, "rows", counting_reads)
    store.update(pod_key(), make_pod(uid="u", labels={"a": "b"}), expect=None, at=AT)
    for _ in range(200):
        assert done.acquire(timeout=PATIENCE)
    assert names == ["web"] * 200
    assert (len(decoded), len(reads)) == (1, 1)


def test_a_hub_that_cannot_read_goes_on_when_it_can_again(
    own_hub: Hub, arrived: Arrived, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    own_hub.subscribe(Filter(), None, arrived.put)
    store.create(pod_key("one"), make_pod("one"), at=AT)
    assert arrived.get(timeout=PATIENCE)
    failed = threading.Semaphore(0)
    broken = threading.Event()
    broken.set()
    rows = statements.rows

    def failing(query: str, values: Sequence[Any] = ()) -> list[statements.Row]:
        if broken.is_set() and threading.current_thread().name == "hub":
            failed.release()
            raise DatabaseError("database is locked")
        return rows(query, values)

    monkeypatch.setattr(statements, "rows", failing)
    with caplog.at_level(logging.WARNING, "podlab.storage.hub"):
        store.create(pod_key("two"), make_pod("two"), at=AT)
        for _ in range(2):
            assert failed.acquire(timeout=PATIENCE)
        assert arrived.empty()
        broken.clear()
        (entry,) = arrived.get(timeout=PATIENCE)
    assert entry.key.name == "two"
    assert "cannot read the database" in caplog.text


def test_a_revision_below_the_floor_or_above_the_head_is_refused(own_hub: Hub, arrived: Arrived) -> None:
    for name in "abc":
        last = store.create(pod_key(name), make_pod(name), at=AT)
    compaction.compact(keep=1)
    with pytest.raises(Compacted) as compacted:
        own_hub.subscribe(Filter(), last.revision - 2, arrived.put)
    assert (compacted.value.requested, compacted.value.floor) == (last.revision - 2, last.revision - 1)
    with pytest.raises(FutureRevision):
        own_hub.subscribe(Filter(), last.revision + 1, arrived.put)
    own_hub.subscribe(Filter(), last.revision - 1, arrived.put)
    assert [entry.key.name for entry in arrived.get(timeout=PATIENCE)] == ["c"]


def test_close_ends_every_subscription_and_says_so(own_hub: Hub) -> None:
    ends: queue.Queue[End] = queue.Queue()
    own_hub.subscribe(Filter(), None, lambda entries: None, on_end=ends.put)
    own_hub.subscribe_probes(None, None, None, lambda rows: None, on_end=ends.put)
    own_hub.close()
    assert [ends.get(timeout=1), ends.get(timeout=1)] == [End.CLOSED, End.CLOSED]
    with pytest.raises(RuntimeError, match="closed"):
        own_hub.subscribe(Filter(), None, lambda entries: None)


@pytest.fixture
def process_hub() -> Iterator[None]:
    yield
    hub.close()


@pytest.mark.usefixtures("process_hub")
def test_a_process_has_one_hub_until_it_is_closed() -> None:
    first = hub.hub()
    assert hub.hub() is first
    first.close()
    assert hub.hub() is not first


def test_a_ring_of_this_process_is_faster_than_the_poll(arrived: Arrived, transactional_db: None) -> None:
    slow = Hub(poll=3600, redis=False)
    try:
        slow.subscribe(Filter(), None, arrived.put)
        for name in "abc":
            store.create(pod_key(name), make_pod(name), at=AT)
            seen: list[str] = []
            while name not in seen:
                seen += [entry.key.name for entry in arrived.get(timeout=PATIENCE)]
    finally:
        slow.close()


def test_the_last_changes_before_the_start_are_in_the_ring(arrived: Arrived, transactional_db: None) -> None:
    for name in "abcdef":
        last = store.create(pod_key(name), make_pod(name), at=AT)
    small = Hub(poll=0.05, limits=Limits(entries=3, preload=5), redis=False)
    try:
        small.subscribe(Filter(), last.revision - 6, arrived.put)
        names: list[str] = []
        while len(names) < 6:
            names += [entry.key.name for entry in arrived.get(timeout=PATIENCE)]
    finally:
        small.close()
    assert names == list("abcdef")


def test_probe_results_are_followed_like_changes(own_hub: Hub) -> None:
    rows: queue.Queue[list[history.ProbeRow]] = queue.Queue()
    (old,) = history.record_probes([make_probe("u", at=AT)])
    own_hub.subscribe_probes("main", "u", 0, rows.put)
    own_hub.subscribe_probes("main", "other", 0, lambda rows: pytest.fail("not of this pod"))
    assert rows.get(timeout=PATIENCE) == [old]
    new = history.record_probes([make_probe("u", at=AT + timedelta(seconds=n)) for n in range(3)])
    got: list[history.ProbeRow] = []
    while len(got) < 3:
        got += rows.get(timeout=PATIENCE)
    assert got == new


def test_changed_clusters_are_named(own_hub: Hub) -> None:
    names: queue.Queue[list[str]] = queue.Queue()
    subscription = own_hub.subscribe_clusters(names.put)
    assert names.get(timeout=PATIENCE) == ["main"]
    clusters.create("class", runtime="sim")
    assert names.get(timeout=PATIENCE) == ["class"]
    clusters.set_paused("main", paused=True)
    assert names.get(timeout=PATIENCE) == ["main"]
    clusters.request_step("class")
    assert names.get(timeout=PATIENCE) == ["class"]
    clusters.delete("class")
    assert names.get(timeout=PATIENCE) == ["class"]
    subscription.close()
    clusters.create("unseen", runtime="sim")
    own_hub.close()
    assert names.empty()


def test_the_end_of_a_cluster_ends_who_follows_it(own_hub: Hub) -> None:
    clusters.create("class", runtime="sim")
    ends: queue.Queue[End] = queue.Queue()
    joined = threading.Event()
    own_hub.subscribe_clusters(lambda names: joined.set())
    own_hub.subscribe(Filter(cluster="class"), None, lambda entries: None, on_end=ends.put)
    own_hub.subscribe(
        Filter(cluster="main"),
        None,
        lambda entries: None,
        on_end=lambda end: pytest.fail("not this one") if end is not End.CLOSED else None,
    )
    assert joined.wait(PATIENCE)
    clusters.delete("class")
    assert ends.get(timeout=PATIENCE) is End.DELETED
