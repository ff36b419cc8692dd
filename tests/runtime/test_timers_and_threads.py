"""What timers and threads hold: limits that were not reached are let go, a slow piece of work holds up no other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from podlab.clock import LabClock, RealClock, monotonic, pause
from podlab.runtime.docker.threads import Threads

START = datetime(2026, 11, 21, tzinfo=UTC)


def until(condition: Callable[[], bool], within: float = 10.0) -> None:
    end = monotonic() + within
    while not condition():
        assert monotonic() < end
        pause(0.005)


def test_cancelled_timers_do_not_pile_up() -> None:
    clock = RealClock()
    try:
        kept = clock.call_later(3600, lambda: None)
        for _ in range(10_000):
            clock.call_later(3600, lambda: None).cancel()
        assert clock.pending() < 200
        kept.cancel()
        kept.cancel()
    finally:
        clock.close()


def test_what_a_timer_held_is_free_once_it_fired_or_was_cancelled() -> None:
    class Held:
        alive = 0

        def __init__(self) -> None:
            Held.alive += 1

        def __del__(self) -> None:
            Held.alive -= 1

        def call(self) -> None:
            pass

    clock = LabClock(START)
    timers = [clock.call_later(3600, Held().call), clock.call_later(1, Held().call)]
    timers[0].cancel()
    clock.advance(START + timedelta(seconds=2))
    assert Held.alive == 0
    assert len(timers) == 2


def test_timers_keep_their_order_when_cancelled_ones_are_thrown_out() -> None:
    clock, fired = LabClock(START), list[int]()
    timers = [clock.call_later(10 + number % 7, lambda number=number: fired.append(number)) for number in range(500)]
    for number, timer in enumerate(timers):
        if number % 3:
            timer.cancel()
    clock.advance(START + timedelta(seconds=60))
    assert fired == sorted((n for n in range(500) if n % 3 == 0), key=lambda n: (n % 7, n))


def test_a_timer_that_fails_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    clock, fired = RealClock(), threading.Event()

    def fail() -> None:
        raise ValueError("a bug")

    try:
        with caplog.at_level(logging.CRITICAL):
            clock.call_later(0, fail)
            clock.call_later(0.01, fired.set)
            assert fired.wait(10)
    finally:
        clock.close()


def test_work_that_hangs_holds_up_no_other() -> None:
    threads, over = Threads("work", idle_seconds=0.05), threading.Event()
    done: list[int] = []
    try:
        for _ in range(100):
            threads.submit(lambda: over.wait(30) and None)
        for number in range(3):
            threads.submit(lambda number=number: done.append(number))
        until(lambda: sorted(done) == [0, 1, 2])
    finally:
        over.set()
    until(lambda: len(threads) == 0)  # nobody keeps threads that have nothing to do
    threads.submit(lambda: done.append(3))
    until(lambda: done[-1] == 3)
    threads.close()


def test_work_one_after_the_other_needs_one_thread() -> None:
    threads = Threads("work")
    for _ in range(20):
        done = threading.Event()
        threads.submit(done.set)
        assert done.wait(10)
        until(lambda: threads.idle() == len(threads))
    assert len(threads) == 1
    threads.close()
    until(lambda: len(threads) == 0)


def test_beyond_the_bound_work_waits_for_its_turn() -> None:
    threads, over, done = Threads("work", most=2), threading.Event(), list[int]()
    threads.submit(lambda: over.wait(30) and None)
    threads.submit(lambda: over.wait(30) and None)
    threads.submit(lambda: done.append(1))
    assert len(threads) == 2
    over.set()
    until(lambda: done == [1])
    threads.close()
    threads.submit(lambda: done.append(2))
    until(lambda: len(threads) == 0)
    assert done == [1]


def test_a_timer_in_a_thousand_years_stops_no_other() -> None:
    clock, fired = RealClock(), threading.Event()
    clock.call_later(3e10, lambda: None)  # longer than a thread can wait
    pause(0.05)  # it waits for that one now
    clock.call_later(0.01, fired.set)
    assert fired.wait(15)
    clock.close()
