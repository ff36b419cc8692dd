"""The bookkeeping of subscribers, without a database: whatever the order of events, each gets each entry once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podlab.storage import feed
from podlab.storage.database import CounterState
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.feed import End, Feed, Limits, SlowReader, Source, Subscription, Wanted


@dataclass(frozen=True)
class Row:
    number: int
    cluster: str


@dataclass(frozen=True)
class InCluster:
    cluster: str | None = None

    def matches(self, row: Row) -> bool:
        return self.cluster in (None, row.cluster)


@dataclass
class Table:
    """Rows with a floor, as the database has them."""

    rows: list[Row] = field(default_factory=list)
    floor: int = 0
    reads: int = 0

    @property
    def state(self) -> CounterState:
        return CounterState(self.rows[-1].number if self.rows else 0, self.floor)

    def append(self, cluster: str = "main") -> None:
        self.rows.append(Row(self.state.value + 1, cluster))

    def read(self, after: int, wanted: Wanted[Row] | None, limit: int, upto: int | None) -> list[Row]:
        self.reads += 1
        if after < self.floor:
            raise Compacted(after, self.floor)
        rows = [row for row in self.rows if row.number > after and (upto is None or row.number <= upto)]
        return [row for row in rows if wanted is None or wanted.matches(row)][:limit]


@dataclass
class Reader:
    since: int
    wanted: InCluster
    room: int = 100
    got: list[Row] = field(default_factory=list)
    end: End | None = None
    subscription: Subscription[Row] | None = None

    def join(self, to: Feed[Row], state: CounterState) -> Reader:
        self.subscription = to.add(
            self.wanted, self.since, state, deliver=self.got.extend, on_end=self._ended, room=lambda: self.room
        )
        return self

    def _ended(self, reason: End) -> None:
        self.end = reason


def make_feed(table: Table, *, limits: Limits | None = None) -> Feed[Row]:
    source: Source[Row] = Source("rows", table.read, lambda row: row.number, lambda row: 1)
    return Feed(source, limits or Limits(preload=0))


def settle(to: Feed[Row], table: Table) -> None:
    to.follow(table.state)
    while to.catch_up():
        pass


# What can happen, in any order.
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(["main", "other"])),
        st.tuples(st.just("join"), st.sampled_from(["main", "other", None]), st.integers(0, 30), st.integers(1, 3)),
        st.tuples(st.just("look")),
        st.tuples(st.just("follow")),
        st.tuples(st.just("catch up")),
    ),
    max_size=40,
)


@pytest.mark.parametrize("slice_size", [1, 2, 500])
@given(steps=steps, entries=st.integers(0, 5), preload=st.integers(0, 5))
def test_each_reader_gets_each_entry_once_and_in_order(
    slice_size: int, steps: list[tuple[object, ...]], entries: int, preload: int
) -> None:
    table = Table()
    to = make_feed(table, limits=Limits(entries=entries, preload=preload))
    readers: list[Reader] = []
    state = table.state
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed, "SLICE", slice_size)
        for step, *details in steps:
            match step:
                case "write":
                    table.append(str(details[0]))
                case "join":
                    # A subscriber may know a newer state than the hub's thread, which looked before.
                    cluster, since, room = details
                    reader = Reader(min(since, table.state.value), InCluster(cluster), room)  # type: ignore[arg-type, type-var]
                    readers.append(reader.join(to, table.state))
                case "look":
                    state = table.state
                case "follow":
                    to.follow(state)
                case "catch up":
                    to.catch_up()
        settle(to, table)
    for reader in readers:
        assert reader.got == [row for row in table.rows if row.number > reader.since and reader.wanted.matches(row)]
        assert reader.subscription is not None
        assert reader.subscription.position == table.state.value
        assert reader.end is None


def test_a_change_is_read_once_for_all_readers() -> None:
    table = Table()
    to = make_feed(table)
    readers = [Reader(0, InCluster()).join(to, table.state) for _ in range(200)]
    settle(to, table)
    table.reads = 0
    table.append()
    settle(to, table)
    assert table.reads == 1
    assert all(reader.got[0] is readers[0].got[0] for reader in readers)


def test_a_late_reader_is_served_from_the_ring() -> None:
    table = Table()
    to = make_feed(table)
    Reader(0, InCluster()).join(to, table.state)
    settle(to, table)
    for _ in range(10):
        table.append()
    settle(to, table)
    table.reads = 0
    reader = Reader(4, InCluster()).join(to, table.state)
    settle(to, table)
    assert ([row.number for row in reader.got], table.reads) == ([5, 6, 7, 8, 9, 10], 0)


def test_while_nobody_reads_nothing_is_read() -> None:
    table = Table()
    to = make_feed(table, limits=Limits(preload=100))
    table.append()
    settle(to, table)
    for _ in range(10):
        table.append()
    settle(to, table)
    assert table.reads == 0
    late, new = Reader(4, InCluster()).join(to, table.state), Reader(11, InCluster()).join(to, table.state)
    settle(to, table)
    table.append()
    settle(to, table)
    assert [row.number for row in late.got] == [5, 6, 7, 8, 9, 10, 11, 12]
    assert [row.number for row in new.got] == [12]


@pytest.mark.parametrize("preload", [pytest.param(0, id="from SQL"), pytest.param(100, id="from the ring")])
def test_a_replay_waits_for_room_and_live_entries_do_not(preload: int) -> None:
    table = Table([Row(number, "main") for number in range(1, 6)])
    to = make_feed(table, limits=Limits(preload=preload))
    reader = Reader(0, InCluster(), room=0).join(to, table.state)
    settle(to, table)
    assert reader.got == []
    reader.room = 2
    to.catch_up()
    assert [row.number for row in reader.got] == [1, 2]
    settle(to, table)
    assert len(reader.got) == 5
    reader.room = 0
    table.append()
    settle(to, table)
    assert len(reader.got) == 6


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(SlowReader(), End.SLOW, id="a reader without room"),
        pytest.param(ValueError("broken"), End.FAILED, id="a reader that fails"),
    ],
)
def test_a_reader_that_raises_is_dropped_and_told(error: Exception, reason: End) -> None:
    table = Table()
    to = make_feed(table)

    def refuse(rows: list[Row]) -> None:
        raise error

    ends: list[End] = []
    to.add(InCluster(), 0, table.state, deliver=refuse, on_end=ends.append, room=None)
    other = Reader(0, InCluster()).join(to, table.state)
    for _ in range(2):
        table.append()
        settle(to, table)
    assert ends == [reason]
    assert len(other.got) == 2, "the others go on"


def test_a_closed_reader_gets_nothing_more() -> None:
    table = Table()
    to = make_feed(table)
    reader = Reader(0, InCluster()).join(to, table.state)
    assert reader.subscription is not None
    reader.subscription.close()
    reader.subscription.close()
    table.append()
    settle(to, table)
    assert (reader.got, reader.end) == ([], None)


def test_nobody_can_begin_below_the_floor_or_above_the_head() -> None:
    table = Table([Row(number, "main") for number in range(1, 6)], floor=3)
    to = make_feed(table)
    with pytest.raises(Compacted):
        Reader(2, InCluster()).join(to, table.state)
    with pytest.raises(FutureRevision):
        Reader(6, InCluster()).join(to, table.state)
    reader = Reader(3, InCluster()).join(to, table.state)
    settle(to, table)
    assert [row.number for row in reader.got] == [4, 5]


def test_readers_that_fell_below_the_floor_are_ended_and_the_rest_goes_on() -> None:
    table = Table()
    to = make_feed(table)
    behind = Reader(0, InCluster()).join(to, table.state)
    settle(to, table)
    for _ in range(10):
        table.append()
    table.floor = 5
    ahead = Reader(7, InCluster()).join(to, table.state)
    settle(to, table)
    assert (behind.end, behind.got) == (End.COMPACTED, [])
    assert [row.number for row in ahead.got] == [8, 9, 10]


def test_a_database_that_went_back_ends_everybody() -> None:
    table = Table([Row(number, "main") for number in range(1, 6)])
    to = make_feed(table)
    reader = Reader(5, InCluster()).join(to, table.state)
    settle(to, table)
    del table.rows[2:]
    settle(to, table)
    assert reader.end is End.RESTARTED
    fresh = Reader(2, InCluster()).join(to, table.state)
    table.append()
    settle(to, table)
    assert [row.number for row in fresh.got] == [3]


def test_the_end_of_a_cluster_ends_its_readers_only() -> None:
    table = Table()
    to = make_feed(table)
    readers = [Reader(0, InCluster(name)).join(to, table.state) for name in ("main", "other", None)]
    to.end_cluster("other")
    assert [reader.end for reader in readers] == [None, End.DELETED, None]
