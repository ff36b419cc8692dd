"""What the garbage collector makes of one object: a pure function from what is known to what is to be done.

Source: pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem, classifyReferences,
processDeletingDependentsItem, attemptToOrphanWorker).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from podlab.apis.types import Manifest
from podlab.registry.deleting import FOREGROUND_FINALIZER, ORPHAN_FINALIZER


class State(Enum):
    ABSENT = auto()  # there is no such owner
    WAITING = auto()  # the owner goes once its dependents are gone
    SOLID = auto()  # the owner stays, or nobody knows
    IMPOSSIBLE = auto()  # a cluster-scoped object cannot have an owner in a namespace


@dataclass(frozen=True, slots=True)
class Owner:
    uid: str
    text: str  # as people call it: "replicasets.apps web-1"
    state: State


@dataclass(frozen=True, slots=True)
class Dependents:
    """`blocking`: one of them keeps an owner that waits. `cyclic`: one of them waits for its own dependents."""

    any: bool = False
    blocking: bool = False
    cyclic: bool = False


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


@dataclass(frozen=True, slots=True)
class Orphan:
    """Take the reference off all dependents, then take the finalizer off."""


@dataclass(frozen=True, slots=True)
class Release:
    """Take the finalizer foregroundDeletion off: nothing waits any more."""


@dataclass(frozen=True, slots=True)
class DropOwners:
    uids: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Delete:
    """`unblock`: first let the owners go without waiting for this object, or a circle would wait for ever."""

    policy: str
    why: str
    unblock: bool = False


Plan = Nothing | Orphan | Release | DropOwners | Delete
NOTHING = Nothing()


def plan(obj: Manifest, owners: Sequence[Owner], dependents: Dependents) -> Plan:
    meta = obj["metadata"]
    finalizers = meta.get("finalizers") or []
    if meta.get("deletionTimestamp"):
        if ORPHAN_FINALIZER in finalizers:
            return Orphan()
        if FOREGROUND_FINALIZER in finalizers and not dependents.blocking:
            return Release()
        return NOTHING
    if not owners or any(owner.state is State.IMPOSSIBLE for owner in owners):
        return NOTHING
    absent = [owner for owner in owners if owner.state is State.ABSENT]
    waiting = [owner for owner in owners if owner.state is State.WAITING]
    if len(absent) + len(waiting) < len(owners):
        lost = (*absent, *waiting)
        why = f"{_list(lost)} {'is' if len(lost) == 1 else 'are'} gone or going, and another owner stays."
        return DropOwners(tuple(owner.uid for owner in lost), why) if lost else NOTHING
    if waiting and dependents.any:
        why = f"Its owner {_list(waiting)} is deleted once its dependents are gone, and this one has dependents too."
        return Delete("Foreground", why, unblock=dependents.cyclic)
    if waiting:
        why = f"Its owner {_list(waiting)} is deleted once its dependents are gone."
    else:
        why = f"Its {'owner' if len(absent) == 1 else 'owners'} {_list(absent)} {'is' if len(absent) == 1 else 'are'} gone."
    return Delete(_policy(finalizers), why)


def _policy(finalizers: Sequence[str]) -> str:
    """An object that carries a wish about its own dependents has it granted."""
    if ORPHAN_FINALIZER in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND_FINALIZER in finalizers else "Background"


def _list(owners: Sequence[Owner]) -> str:
    return ", ".join(owner.text for owner in owners)
