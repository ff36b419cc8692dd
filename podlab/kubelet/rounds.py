"""What an agent does again and again: each duty by a timer of the clock, its work off the clock's thread. `agent` makes one. And
how work is handed on where nothing takes time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from podlab.clock import Clock, Timer


def at_once(work: Callable[[], None]) -> None:
    work()


def done_at_once(work: Callable[[], None]) -> Future[None]:
    """Raises what the work raises."""
    work()
    done: Future[None] = Future()
    done.set_result(None)
    return done


class Rounds:
    def __init__(self, clock: Clock, defer: Callable[[Callable[[], None]], None]) -> None:
        """`defer` takes work that may take a moment."""
        self._clock, self._defer = clock, defer
        self._timers: dict[int, Timer] = {}
        self._over = False
        self._lock = threading.Lock()

    def every(self, seconds: float, work: Callable[[], None]) -> None:
        """Do it for the first time after so many seconds."""
        number = len(self._timers)

        def fire() -> None:
            self._defer(work)
            self._set(number, seconds, fire)

        self._set(number, seconds, fire)

    def stop(self) -> None:
        with self._lock:
            self._over = True
            timers = list(self._timers.values())
        for timer in timers:
            timer.cancel()

    def _set(self, number: int, seconds: float, fire: Callable[[], None]) -> None:
        with self._lock:
            if not self._over:
                self._timers[number] = self._clock.call_later(seconds, fire)
