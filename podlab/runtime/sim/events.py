"""The events of a simulated node: what changed, told to whoever follows. `runtime` tells them."""

from __future__ import annotations

from collections.abc import Callable

from podlab.clock import Clock
from podlab.runtime.interface import RuntimeEvent


class Events:
    """Those who follow one node, and what they are told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._followers: list[Follower] = []

    def follow(self, on_event: Callable[[RuntimeEvent], None]) -> Follower:
        """Call `on_event` with every change from now on, from a timer of the lab clock."""
        follower = Follower(on_event, self._followers)
        self._followers.append(follower)
        return follower

    def tell(self, uid: str, id: str, kind: str) -> None:
        """From a timer, so that nobody is called back in the middle of an operation."""
        event = RuntimeEvent(uid, id, kind)

        def tell() -> None:
            for follower in list(self._followers):
                follower.on_event(event)

        if self._followers:
            self._clock.call_later(0, tell)

    def close(self) -> None:
        """Nobody follows any more."""
        self._followers.clear()


class Follower:
    """A `Subscription` to the events of a node."""

    def __init__(self, on_event: Callable[[RuntimeEvent], None], followers: list[Follower]) -> None:
        self.on_event = on_event
        self._followers = followers

    def close(self) -> None:
        """Nothing comes any more; may be repeated."""
        if self in self._followers:
            self._followers.remove(self)
