"""Lists and states, present and past."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from storage_samples import AT, make_pod, pod_key

from podlab.storage import clusters, log, store
from podlab.storage.errors import FutureRevision

pytestmark = pytest.mark.usefixtures("main_cluster")


def names(page: store.Page) -> list[str]:
    return [f"{item.key.namespace}/{item.key.name}" for item in page.items]


def test_a_list_is_in_byte_order_and_exact_at_its_revision() -> None:
    for name in ("b", "a-b", "a", "a.b", "B"):
        last = store.create(pod_key(name, namespace="x"), make_pod(name), at=AT)
    store.create(pod_key("z", namespace="a"), make_pod("z"), at=AT)
    assert names(store.list_objects("main", "pods", "x")) == ["x/B", "x/a", "x/a-b", "x/a.b", "x/b"]
    everything = store.list_objects("main", "pods", None)
    assert names(everything)[0] == "a/z"
    assert everything.revision == last.revision + 1


def test_an_empty_list_has_the_present_revision() -> None:
    made = store.create(pod_key(), make_pod(), at=AT)
    page = store.list_objects("main", "configmaps", None)
    assert (page.items, page.revision, page.more) == ([], made.revision, False)


def test_a_list_comes_in_pages_without_loss() -> None:
    for number in range(7):
        store.create(pod_key(f"p{number}"), make_pod(), at=AT)
    seen, after = [], None
    while True:
        page = store.list_objects("main", "pods", "default", limit=3, after=after)
        seen += names(page)
        assert page.remaining == 7 - len(seen)
        if not page.more:
            break
        after = (page.items[-1].key.namespace, page.items[-1].key.name)
    assert seen == [f"default/p{number}" for number in range(7)]


def test_past_states_are_read_from_the_log() -> None:
    one = store.create(pod_key("one"), make_pod("one", uid="1"), at=AT)
    two = store.create(pod_key("two"), make_pod("two"), at=AT)
    changed = store.update(pod_key("one"), make_pod("one", uid="1", labels={"a": "b"}), expect=None, at=AT)
    gone = store.delete(pod_key("two"), at=AT)

    assert store.get_at(pod_key("one"), one.revision) == one
    assert store.get_at(pod_key("two"), one.revision) is None
    assert store.get_at(pod_key("one"), gone.revision) == changed
    assert store.get_at(pod_key("two"), gone.revision) is None

    assert store.list_at(two.revision, "main", "pods", None).items == [one, two]
    assert store.list_at(changed.revision, "main", "pods", "default").items == [changed, two]
    assert store.list_at(gone.revision, "main", "pods", None).items == [changed]
    page = store.list_at(changed.revision, "main", "pods", None, limit=1)
    assert (page.items, page.more, page.remaining) == ([changed], True, 1)
    rest = store.list_at(changed.revision, "main", "pods", None, limit=1, after=("default", "one"))
    assert (rest.items, rest.more) == ([two], False)


def test_the_future_cannot_be_read() -> None:
    made = store.create(pod_key(), make_pod(), at=AT)
    with pytest.raises(FutureRevision):
        store.get_at(pod_key(), made.revision + 1)
    with pytest.raises(FutureRevision):
        store.list_at(made.revision + 1, "main", "pods", None)


def test_clusters_share_nothing_but_the_counter() -> None:
    clusters.create("other", runtime="sim")
    store.create(pod_key(), make_pod(uid="same"), at=AT)
    store.create(pod_key(cluster="other"), make_pod(uid="same"), at=AT)
    assert len(store.list_objects("other", "pods", None).items) == 1
    found = store.get_by_uid("other", "same")
    assert found is not None
    assert found.key.cluster == "other"


def test_the_changes_of_a_cluster_are_read_from_the_revision_on() -> None:
    """Not by going through all that it ever had, which is what SQLite would choose."""
    first = store.create(pod_key("a"), make_pod("a"), at=AT)
    second = store.create(pod_key("b"), make_pod("b"), at=AT)
    with CaptureQueriesContext(connection) as seen:
        entries = log.read_after(first.revision, cluster="main")
    assert [entry.revision for entry in entries] == [second.revision]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + seen[0]["sql"].replace("%", "%%"))
            plan = " ".join(str(row[3]) for row in cursor.fetchall())
        assert "(revision>?)" in plan
        assert "ORDER BY" not in plan  # nothing is left to sort
