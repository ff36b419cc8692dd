"""Random names and ids from a supply of bytes."""

from __future__ import annotations

import os
import uuid

from podlab.registry import chance


def test_ids_are_random_uuids_and_no_two_are_alike() -> None:
    made = [chance.uid() for _ in range(2000)]
    assert len(set(made)) == len(made)
    assert {uuid.UUID(one).version for one in made} == {4}


def test_small_numbers_stay_below_their_limit_and_reach_all() -> None:
    assert {chance.below(3) for _ in range(2000)} == {0, 1, 2}


def test_a_fork_has_a_supply_of_its_own() -> None:
    chance.uid()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, chance.uid().encode())
        finally:
            os._exit(0)
    os.close(writing)
    theirs = os.read(reading, 36).decode()
    os.close(reading)
    os.waitpid(child, 0)
    assert uuid.UUID(theirs).version == 4
    assert theirs != chance.uid()
