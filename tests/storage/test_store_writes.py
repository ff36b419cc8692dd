"""What the only writer promises: revisions, bodies, optimistic concurrency."""

from __future__ import annotations

import json

import pytest
from django.db import transaction
from storage_samples import AT, make_pod, pod_key

from podlab.storage import clusters, log, store
from podlab.storage.errors import AlreadyStored, NotStored, StaleWrite, UnknownCluster

pytestmark = pytest.mark.usefixtures("main_cluster")


def test_the_body_is_compact_json_with_type_first_and_its_revision() -> None:
    pod = make_pod()
    stored = store.create(pod_key(), pod, at=AT)
    assert stored.body.startswith('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"')
    assert json.loads(stored.body)["metadata"]["resourceVersion"] == str(stored.revision)
    assert "resourceVersion" not in pod["metadata"], "the caller's object is left alone"
    assert store.get(pod_key()) == stored
    assert store.get_by_uid("main", stored.uid) == stored


def test_every_write_takes_the_next_revision() -> None:
    first = store.create(pod_key("a"), make_pod("a"), at=AT)
    second = store.create(pod_key("b"), make_pod("b"), at=AT)
    third = store.delete(pod_key("a"), at=AT)
    assert [second.revision, third.revision] == [first.revision + 1, first.revision + 2]
    assert log.head() == third.revision


def test_a_create_under_a_taken_name_says_what_is_there() -> None:
    there = store.create(pod_key(), make_pod(), at=AT)
    with pytest.raises(AlreadyStored) as raised:
        store.create(pod_key(), make_pod(), at=AT)
    assert raised.value.current == there
    assert log.head() == there.revision


def test_a_stale_update_is_refused_and_leaves_nothing() -> None:
    old = store.create(pod_key(), make_pod(uid="u"), at=AT)
    new = store.update(pod_key(), make_pod(uid="u", labels={"a": "b"}), expect=old.revision, at=AT)
    with pytest.raises(StaleWrite) as raised:
        store.update(pod_key(), make_pod(uid="u", labels={"a": "c"}), expect=old.revision, at=AT)
    assert raised.value.current == new
    assert store.get(pod_key()) == new
    assert log.head() == new.revision


def test_an_update_without_expectation_overwrites() -> None:
    store.create(pod_key(), make_pod(uid="u"), at=AT)
    store.update(pod_key(), make_pod(uid="u", labels={"a": "1"}), expect=None, at=AT)
    last = store.update(pod_key(), make_pod(uid="u", labels={"a": "2"}), expect=None, at=AT)
    assert last.obj["metadata"]["labels"] == {"a": "2"}
    assert last.created_revision == last.revision - 2


def test_an_update_with_another_uid_is_refused() -> None:
    store.create(pod_key(), make_pod(uid="u"), at=AT)
    with pytest.raises(StaleWrite):
        store.update(pod_key(), make_pod(uid="v"), expect=None, at=AT)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param({}, True, id="nothing changes"),
        pytest.param({"resourceVersion": "9999"}, True, id="only the resourceVersion differs"),
        pytest.param({"generation": 1}, False, id="a field is added"),
    ],
)
def test_an_update_that_changes_nothing_makes_no_revision(change: dict[str, object], same: bool) -> None:
    first = store.create(pod_key(), make_pod(uid="u"), at=AT)
    pod = make_pod(uid="u", **change)
    again = store.update(pod_key(), dict(reversed(pod.items())), expect=first.revision, at=AT)
    assert (again == first) is same
    assert (log.head() == first.revision) is same


def test_true_and_one_are_different_content() -> None:
    pod = make_pod(uid="u")
    pod["spec"]["value"] = True
    first = store.create(pod_key(), pod, at=AT)
    pod["spec"]["value"] = 1
    assert store.update(pod_key(), pod, expect=None, at=AT).revision == first.revision + 1


def test_a_deletion_is_a_change_with_the_last_state() -> None:
    first = store.create(pod_key(), make_pod(), at=AT)
    gone = store.delete(pod_key(), expect=first.revision, uid=first.uid, at=AT, actor="kubelet", why="It ended.")
    entry = log.read_after(first.revision)[0]
    assert (entry.type, entry.revision, entry.prev_revision) == ("DELETED", gone.revision, first.revision)
    assert (entry.body, entry.actor, entry.why) == (gone.body, "kubelet", "It ended.")
    assert entry.obj["metadata"]["resourceVersion"] == str(gone.revision)
    assert entry.obj["spec"] == first.obj["spec"]
    assert store.get(pod_key()) is None
    with pytest.raises(NotStored):
        store.delete(pod_key(), at=AT)


def test_a_deletion_may_bring_a_final_state() -> None:
    store.create(pod_key(), make_pod(uid="u"), at=AT)
    gone = store.delete(pod_key(), final=make_pod(uid="u", deletionGracePeriodSeconds=0), at=AT)
    assert gone.obj["metadata"]["deletionGracePeriodSeconds"] == 0


def test_a_name_can_come_back_with_another_uid() -> None:
    first = store.create(pod_key(), make_pod(uid="one"), at=AT)
    store.delete(pod_key(), at=AT)
    second = store.create(pod_key(), make_pod(uid="two"), at=AT)
    assert second.created_revision == second.revision
    assert [entry.type for entry in log.history_of("main", first.uid)] == ["ADDED", "DELETED"]
    assert [entry.type for entry in log.history_of("main", second.uid)] == ["ADDED"]
    with pytest.raises(StaleWrite):
        store.delete(pod_key(), uid="one", at=AT)


def test_a_write_that_is_rolled_back_leaves_no_gap() -> None:
    before = log.head()

    class Stop(Exception):
        pass

    def write_and_stop() -> None:
        with transaction.atomic():
            store.create(pod_key("lost"), make_pod("lost"), at=AT)
            raise Stop

    with pytest.raises(Stop):
        write_and_stop()
    assert store.get(pod_key("lost")) is None
    assert store.create(pod_key(), make_pod(), at=AT).revision == before + 1


def test_a_cluster_that_does_not_exist_takes_no_writes() -> None:
    with pytest.raises(UnknownCluster):
        store.create(pod_key(cluster="nowhere"), make_pod(), at=AT)
    clusters.create("class", runtime="sim")
    assert store.create(pod_key(cluster="class"), make_pod(), at=AT)
    assert store.get(pod_key()) is None, "clusters share no keys"


def test_what_comes_first_belongs_to_the_write() -> None:
    """A quota that is booked, say: both or neither, and no revision is lost between them."""

    def book() -> None:
        store.create(pod_key("quota"), make_pod("quota"), at=AT)

    before = log.head()
    pod = store.create(pod_key(), make_pod(), at=AT, first=book)
    assert (before + 1, before + 2) == (store.get(pod_key("quota")).revision, pod.revision)  # type: ignore[union-attr]
    with pytest.raises(AlreadyStored):
        store.create(pod_key(), make_pod(), at=AT, first=lambda: store.delete(pod_key("quota"), at=AT) and None)
    assert store.get(pod_key("quota")) is not None
    assert log.head() == pod.revision


def test_what_fails_afterwards_takes_the_object_along() -> None:
    def fail(made: store.Stored) -> None:
        assert store.get(made.key) == made
        raise RuntimeError("no")

    before = log.head()
    with pytest.raises(RuntimeError, match="no"):
        store.create(pod_key(), make_pod(), at=AT, then=fail)
    assert (store.get(pod_key()), log.head()) == (None, before)
