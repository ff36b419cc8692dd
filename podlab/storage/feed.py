"""One numbered stream of rows (changes, or probe results) on its way from SQL to the subscribers of this process.

Only the hub's thread calls `follow` and `catch_up`, so each subscriber gets its entries in order from one thread. A new
subscriber is registered first, then replayed in slices (from the ring, or from SQL where the ring does not reach back),
and becomes live exactly where the feed stands: nothing falls between, nothing comes twice.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from podlab.clock import monotonic
from podlab.storage.database import CounterState
from podlab.storage.errors import Compacted, FutureRevision

logger = logging.getLogger(__name__)

SLICE = 500  # entries read or delivered at a time
_SLOW_DELIVERY = 0.5  # seconds; worth a warning, because it holds up all others


class End(StrEnum):
    """Why a subscription ended by itself. The subscriber reads the present state and subscribes anew."""

    SLOW = "slow"  # it did not keep up
    FAILED = "failed"  # its deliver raised
    COMPACTED = "compacted"  # what comes next for it was pruned
    RESTARTED = "restarted"  # the database was replaced by an older one
    DELETED = "deleted"  # its cluster is gone
    CLOSED = "closed"  # the process stops


class SlowReader(Exception):
    """Raised by a deliver that has no room left; by AsyncWatch to its reader."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a feed remembers for late subscribers."""

    entries: int = 4000
    bytes: int = 8 * 2**20
    preload: int = 500  # what lies before the start of the process


Entry = TypeVar("Entry")
Contra = TypeVar("Contra", contravariant=True)


class Wanted(Protocol[Contra]):
    """A filter of a subscriber."""

    @property
    def cluster(self) -> str | None: ...

    def matches(self, entry: Contra, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Source(Generic[Entry]):
    """How a feed reads its table."""

    counter: str
    # read(after, wanted, limit, upto): in order, Compacted when rows after `after` were pruned
    read: Callable[[int, Wanted[Entry] | None, int, int | None], list[Entry]]
    number: Callable[[Entry], int]
    size: Callable[[Entry], int]


class Subscription(Generic[Entry]):
    """One subscriber. `position`: everything up to it that the subscriber wants was delivered."""

    def __init__(
        self,
        feed: Feed[Entry],
        wanted: Wanted[Entry],
        position: int,
        *,
        deliver: Callable[[list[Entry]], None],
        on_end: Callable[[End], None] | None,
        room: Callable[[], int] | None,
    ) -> None:
        self.wanted = wanted
        self.position = position
        self.live = False
        self._feed = feed
        self._deliver = deliver
        self._on_end = on_end
        self._room = room

    def close(self) -> None:
        """No delivery begins after this returns, except one that is under way."""
        self._feed.remove(self)

    def room(self) -> int:
        """How many replayed entries it takes now."""
        return SLICE if self._room is None else min(self._room(), SLICE)

    def give(self, entries: list[Entry], position: int) -> End | None:
        """Deliver what it wants of `entries` and has not had yet; the reason to end it if that failed."""
        began, number, had = monotonic(), self._feed.source.number, self.position
        try:
            if wanted := [entry for entry in entries if number(entry) > had and self.wanted.matches(entry)]:
                self._deliver(wanted)
        except SlowReader:
            return End.SLOW
        except Exception:
            logger.exception("a subscriber failed and is dropped")
            return End.FAILED
        if (took := monotonic() - began) > _SLOW_DELIVERY:
            logger.warning("a subscriber held up all others for %.1f s", took)
        self.position = max(position, had)  # it may have begun ahead of the feed
        return None

    def ended(self, reason: End) -> None:
        if self._on_end is None:
            return
        try:
            self._on_end(reason)
        except Exception:
            logger.exception("a subscriber failed when it was told its end")


class Feed(Generic[Entry]):
    def __init__(self, source: Source[Entry], limits: Limits) -> None:
        self.source = source
        self._limits = limits
        self._lock = threading.Lock()  # guards _subscriptions only
        self._subscriptions: list[Subscription[Entry]] = []
        self._ring: deque[Entry] = deque()
        self._ring_bytes = 0
        self._ring_after = 0  # the ring holds everything above this number, up to _position
        self._position: int | None = None  # None = not started

    def add(
        self,
        wanted: Wanted[Entry],
        since: int | None,
        state: CounterState,
        *,
        deliver: Callable[[list[Entry]], None],
        on_end: Callable[[End], None] | None,
        room: Callable[[], int] | None,
    ) -> Subscription[Entry]:
        if since is not None and since < state.floor:
            raise Compacted(since, state.floor)
        if since is not None and since > state.value:
            raise FutureRevision(since, state.value)
        start = state.value if since is None else since
        added = Subscription(self, wanted, start, deliver=deliver, on_end=on_end, room=room)
        with self._lock:
            self._subscriptions.append(added)
        return added

    def limit(self, limits: Limits) -> None:
        self._limits = limits

    def remove(self, subscription: Subscription[Entry]) -> bool:
        with self._lock:
            if subscription not in self._subscriptions:
                return False
            self._subscriptions.remove(subscription)
            return True

    def subscriptions(self) -> list[Subscription[Entry]]:
        with self._lock:
            return list(self._subscriptions)

    def end(self, subscription: Subscription[Entry], reason: End) -> None:
        if self.remove(subscription):
            subscription.ended(reason)

    def end_all(self, reason: End) -> None:
        for subscription in self.subscriptions():
            self.end(subscription, reason)

    def end_cluster(self, cluster: str) -> None:
        for subscription in self.subscriptions():
            if subscription.wanted.cluster == cluster:
                self.end(subscription, End.DELETED)

    def follow(self, state: CounterState) -> None:
        """Read what is new up to `state` and deliver it to the live subscribers. Nobody there: nothing is read, and who comes
        later reads by itself what lies before."""
        position = self._begin(state)
        if position < state.value and not self.subscriptions():
            self._forget(state.value)
            return
        while position < state.value:
            try:
                entries = self.source.read(position, None, SLICE, state.value)
            except Compacted:
                return  # the next turn sees the new floor
            # Fewer than asked for: there is nothing more up to the head (a deleted cluster leaves holes).
            position = self.source.number(entries[-1]) if len(entries) == SLICE else state.value
            self._remember(entries)
            self._position = position
            for subscription in self.subscriptions():
                if subscription.live:
                    self._give(subscription, entries, position)

    def catch_up(self) -> bool:
        """Give each subscriber that is still behind one slice; whether some of them can take more at once."""
        more = False
        for subscription in self.subscriptions():
            if not subscription.live and self._replay(subscription):
                more = True
        return more

    def _begin(self, state: CounterState) -> int:
        """The position, after the first start or after the ground under the feed changed."""
        if self._position is not None and state.value < self._position:
            logger.warning("%s went back from %d to %d", self.source.counter, self._position, state.value)
            self.end_all(End.RESTARTED)
            self._position = None
        if self._position is not None and self._position < state.floor:
            for subscription in self.subscriptions():
                if subscription.position < state.floor:
                    self.end(subscription, End.COMPACTED)
            self._position = None
        if self._position is None:
            return self._forget(max(state.floor, state.value - self._limits.preload))
        return self._position

    def _forget(self, position: int) -> int:
        """Go on from `position` with an empty ring."""
        self._ring.clear()
        self._ring_bytes = 0
        self._ring_after = self._position = position
        return position

    def _replay(self, subscription: Subscription[Entry]) -> bool:
        room, head = subscription.room(), self._position
        if head is None or room <= 0:
            return False
        after = subscription.position
        if after >= self._ring_after:
            entries, upto = [entry for entry in self._from_ring(after) if subscription.wanted.matches(entry)], head
            cut = len(entries) > room
        else:
            try:
                entries = self.source.read(after, subscription.wanted, room, self._ring_after)
            except Compacted:
                self.end(subscription, End.COMPACTED)
                return False
            upto, cut = self._ring_after, len(entries) == room
        if cut:
            entries = entries[:room]
            upto = self.source.number(entries[-1])
        self._give(subscription, entries, upto)
        subscription.live = subscription.position >= head
        return not subscription.live

    def _from_ring(self, after: int) -> list[Entry]:
        found: list[Entry] = []
        for entry in reversed(self._ring):
            if self.source.number(entry) <= after:
                break
            found.append(entry)
        found.reverse()
        return found

    def _give(self, subscription: Subscription[Entry], entries: list[Entry], position: int) -> None:
        reason = subscription.give(entries, position)
        if reason is not None:
            self.end(subscription, reason)

    def _remember(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._ring.append(entry)
            self._ring_bytes += self.source.size(entry)
        while len(self._ring) > self._limits.entries or self._ring_bytes > self._limits.bytes:
            oldest = self._ring.popleft()
            self._ring_bytes -= self.source.size(oldest)
            self._ring_after = self.source.number(oldest)
