"""What compaction takes and what it never takes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_samples import AT, make_pod, make_probe, pod_key
from storage_traffic import Op, ops, write

from podlab.storage import clusters, compaction, forgetting, history, log, pulls, store
from podlab.storage.errors import Compacted
from podlab.storage.models import Change, ImagePull

pytestmark = pytest.mark.usefixtures("main_cluster")

_numbers = itertools.count()


def revisions() -> list[int]:
    return list(Change.objects.order_by("revision").values_list("revision", flat=True))


def test_superseded_states_and_tombstones_go() -> None:
    first = store.create(pod_key("kept"), make_pod("kept", uid="k"), at=AT)
    second = store.update(pod_key("kept"), make_pod("kept", uid="k", labels={"a": "1"}), expect=None, at=AT)
    store.create(pod_key("gone"), make_pod("gone"), at=AT)
    store.delete(pod_key("gone"), at=AT)
    third = store.update(pod_key("kept"), make_pod("kept", uid="k", labels={"a": "2"}), expect=None, at=AT)

    pruned = compaction.compact(keep=1)

    assert (pruned.floor, pruned.rows) == (third.revision - 1, 3)
    assert revisions() == [second.revision, third.revision]
    (entry,) = log.read_after(pruned.floor)
    assert entry.prev == second.obj, "what was before a change above the floor stays readable"
    with pytest.raises(Compacted) as raised:
        log.read_after(first.revision)
    assert (raised.value.requested, raised.value.floor) == (first.revision, pruned.floor)
    with pytest.raises(Compacted):
        store.get_at(pod_key("kept"), first.revision)
    with pytest.raises(Compacted):
        store.list_at(first.revision, "main", "pods", None)
    assert store.get_at(pod_key("kept"), pruned.floor) == second
    assert log.floor() == pruned.floor


def test_the_floor_never_sinks_and_respects_pins() -> None:
    for name in "abcdef":
        last = store.create(pod_key(name), make_pod(name), at=AT)
    assert compaction.compact(keep=1, pinned=last.revision - 3).floor == last.revision - 3
    assert compaction.compact(keep=100).floor == last.revision - 3
    assert compaction.compact(keep=0).floor == last.revision
    assert log.read_after(last.revision) == []


def test_compaction_that_was_cut_off_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    store.create(pod_key(), make_pod(uid="u"), at=AT)
    for number in range(5):
        last = store.update(pod_key(), make_pod(uid="u", labels={"n": str(number)}), expect=None, at=AT)

    def die(floor: int, batch: int) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(compaction, "_prune", die)
        with pytest.raises(KeyboardInterrupt):
            compaction.compact(keep=0)
    assert len(revisions()) == 6
    assert compaction.compact(keep=0, batch=2).rows == 5
    assert revisions() == [last.revision]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plans=st.lists(ops, min_size=1, max_size=4),
    keeps=st.lists(st.integers(0, 20), min_size=4, max_size=4),
    batch=st.integers(1, 5),
)
def test_whatever_is_read_at_or_above_the_floor_stays_the_same(
    plans: list[list[Op]], keeps: list[int], batch: int
) -> None:
    cluster = f"compaction-{next(_numbers)}"
    clusters.create(cluster, runtime="sim")
    begin = log.head()
    pages: dict[int, list[store.Stored]] = {}
    entries: dict[int, log.LogEntry] = {}
    for number, (plan, keep) in enumerate(zip(plans, keeps, strict=False)):
        write(cluster, plan, number)
        head = log.head()
        for revision in range(max(begin, log.floor()), head + 1):
            page = store.list_at(revision, cluster, "pods", None).items
            assert pages.setdefault(revision, page) == page
        entries |= {entry.revision: entry for entry in log.read_after(max(begin, log.floor()), cluster=cluster)}

        floor = compaction.compact(keep, batch=batch).floor

        for revision in range(max(begin, floor), head + 1):
            assert store.list_at(revision, cluster, "pods", None).items == pages[revision]
        kept = log.read_after(max(begin, floor), cluster=cluster)
        assert kept == [entry for revision, entry in sorted(entries.items()) if revision > max(begin, floor)]
        # One row a living key at the floor, and nothing else below it.
        below = set(Change.objects.filter(cluster=cluster, revision__lte=floor).values_list("revision", flat=True))
        if floor >= begin:
            assert below == {item.revision for item in pages[floor]}


def test_what_nobody_can_reach_any_more_is_forgotten() -> None:
    """Runs, probe results and pulls go with the last change that tells of their pod; those of others stay."""
    uids = [f"0000000{number}-0000-4000-8000-000000000000" for number in range(3)]
    for number, uid in enumerate(uids):
        store.create(pod_key(f"p{number}"), make_pod(f"p{number}", uid=uid), at=AT)
    for uid in [*uids, "f" * 32]:  # the last one is a static pod's
        history.start_run(history.Run("main", "default", "p", uid, "app", 0, "node-a", "c", "i", AT))
        history.record_probes([make_probe(uid)] * 3)
        pulls.record(pulls.PullRow("main", uid, "app", "i", AT))
    store.delete(pod_key("p0"), at=AT)
    store.delete(pod_key("p1"), at=AT)
    assert forgetting.untold() == []
    compaction.compact(keep=1)  # the deletion of p1 is told still
    assert [pod.uid for pod in forgetting.untold()] == [uids[0]]
    assert forgetting.forget(forgetting.untold()) == 5
    assert forgetting.untold() == []
    assert history.runs_of("main", uids[0]) == history.probes_of("main", uids[0]) == []
    for uid in (uids[1], uids[2], "f" * 32):
        assert (len(history.runs_of("main", uid)), len(history.probes_of("main", uid))) == (1, 3)
    assert ImagePull.objects.count() == 3
