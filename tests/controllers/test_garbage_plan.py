"""What the garbage collector makes of one object, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.controllers.garbage_plan import (
    NOTHING,
    Delete,
    Dependents,
    DropOwners,
    Orphan,
    Owner,
    Release,
    State,
    plan,
)

ABSENT = Owner("a", "Pod a", State.ABSENT)
WAITING = Owner("w", "Pod w", State.WAITING)
SOLID = Owner("s", "Pod s", State.SOLID)
IMPOSSIBLE = Owner("i", "Pod i", State.IMPOSSIBLE)

GONE = {"deletionTimestamp": "2026-11-21T02:00:00Z"}
FOREGROUND = {"finalizers": ["foregroundDeletion"]}
ORPHAN = {"finalizers": ["orphan"]}

CASES: dict[str, tuple[dict[str, Any], list[Owner], Dependents, Any]] = {
    "without owners it is nobody's business": ({}, [], Dependents(), NOTHING),
    "a living owner keeps it": ({}, [SOLID], Dependents(), NOTHING),
    "it goes with its only owner": ({}, [ABSENT], Dependents(), Delete("Background", "Its owner Pod a is gone.")),
    "it goes when all are gone": (
        {},
        [ABSENT, Owner("b", "Pod b", State.ABSENT)],
        Dependents(),
        Delete("Background", "Its owners Pod a, Pod b are gone."),
    ),
    "its own wish about its dependents is granted": (
        ORPHAN,
        [ABSENT],
        Dependents(),
        Delete("Orphan", "Its owner Pod a is gone."),
    ),
    "one of two owners is gone: only the reference goes": (
        {},
        [ABSENT, SOLID],
        Dependents(),
        DropOwners(("a",), "Pod a is gone or going, and another owner stays."),
    ),
    "so it does when the owner waits for its dependents": (
        {},
        [WAITING, SOLID],
        Dependents(),
        DropOwners(("w",), "Pod w is gone or going, and another owner stays."),
    ),
    "a waiting owner takes it along": (
        {},
        [WAITING],
        Dependents(),
        Delete("Background", "Its owner Pod w is deleted once its dependents are gone."),
    ),
    "one with dependents of its own waits for them in turn": (
        {},
        [WAITING],
        Dependents(any=True),
        Delete(
            "Foreground",
            "Its owner Pod w is deleted once its dependents are gone, and this one has dependents too.",
        ),
    ),
    "a circle is cut": (
        {},
        [WAITING],
        Dependents(any=True, cyclic=True),
        Delete(
            "Foreground",
            "Its owner Pod w is deleted once its dependents are gone, and this one has dependents too.",
            unblock=True,
        ),
    ),
    "an owner that cannot be leaves it alone": ({}, [IMPOSSIBLE, ABSENT], Dependents(), NOTHING),
    "what is being deleted is left alone": (GONE, [ABSENT], Dependents(), NOTHING),
    "a foreground deletion waits": ({**GONE, **FOREGROUND}, [], Dependents(any=True, blocking=True), NOTHING),
    "not for what does not block": ({**GONE, **FOREGROUND}, [], Dependents(any=True), Release()),
    "orphans are set free": ({**GONE, **ORPHAN}, [], Dependents(any=True), Orphan()),
    "the finalizers alone say nothing": ({**FOREGROUND}, [], Dependents(), NOTHING),
}


@pytest.mark.parametrize(("meta", "owners", "dependents", "wanted"), list(CASES.values()), ids=list(CASES))
def test_plan(meta: dict[str, Any], owners: list[Owner], dependents: Dependents, wanted: Any) -> None:
    assert plan({"metadata": meta}, owners, dependents) == wanted
