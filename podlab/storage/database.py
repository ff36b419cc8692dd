"""Write transactions and counters, the same on SQLite and PostgreSQL.

Every write of this package goes through `writing()` and takes a counter's lock first, so writes are serial and the
numbers a counter hands out are in commit order, without gaps. Where one transaction takes several counters, it takes them
in the order CLUSTERS, REVISIONS, HISTORY; PULLS is taken alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

from podlab.storage import statements
from podlab.storage.errors import StoreBusy
from podlab.storage.models import Counter

# SQLite reports a lock that outlasted `timeout`, PostgreSQL one that outlasted `lock_timeout` (55P03), a deadlock (40P01)
# or a serialisation failure (40001). In each case the transaction was rolled back as a whole.
_BUSY_SQLSTATES = {"55P03", "40P01", "40001"}


# SQLite has one writer, and who waits for it sleeps and looks again. The writers of one process wait for each other here
# instead, where the next one begins the moment the last one is done.
_turn = threading.Lock()
_PATIENCE = 20.0  # seconds, as for the lock of the database


@contextmanager
def writing() -> Iterator[None]:
    """One write transaction; part of the caller's, if it has one. A lock that cannot be had is StoreBusy."""
    revive()
    wrapper = statements.connection()
    queued = wrapper.vendor == "sqlite" and not wrapper.in_atomic_block
    if queued and not _turn.acquire(timeout=_PATIENCE):
        raise StoreBusy("other writers of this process are busy")
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        if _is_busy(error):
            raise StoreBusy(str(error)) from error
        raise
    finally:
        if queued:
            _turn.release()


def revive() -> None:
    """Replace this thread's connection if its last statement failed and it is dead (a database that was restarted)."""
    wrapper = statements.connection()
    if wrapper.errors_occurred and not wrapper.in_atomic_block:
        wrapper.close_if_unusable_or_obsolete()


def has_one_writer() -> bool:
    """Whether writers wait for each other whatever they write: so it is with SQLite, not with PostgreSQL. Asked of the
    settings, because who asks on an event loop has no connection and shall not get one."""
    return str(connections.settings[DEFAULT_DB_ALIAS]["ENGINE"]).endswith(".sqlite3")


def let_go() -> None:
    """Close this thread's connection if it is broken or too old: what Django does around each of its requests."""
    statements.connection().close_if_unusable_or_obsolete()


def _is_busy(error: OperationalError) -> bool:
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if sqlstate is not None:
        return sqlstate in _BUSY_SQLSTATES
    return "locked" in str(error)


@dataclass(frozen=True, slots=True)
class CounterState:
    value: int
    floor: int


def lock(name: str) -> int:
    """Take the counter for this transaction and return its value. What was committed before is visible from now on."""
    # SQLite needs no row lock: the transaction began IMMEDIATE.
    suffix = " FOR UPDATE" if statements.connection().features.has_select_for_update else ""
    query = f"SELECT value FROM storage_counter WHERE name = %s{suffix}"
    row = statements.row(query, [name])
    if row is None:
        # A new database, or one that a test emptied. Two writers may come here; one row survives.
        Counter.objects.bulk_create([Counter(name=name)], ignore_conflicts=True)
        (row,) = statements.rows(query, [name])
    return int(row[0])


def hold(name: str) -> None:
    """Take the counter for this transaction, by whoever reads its value later. SQLite's transaction began IMMEDIATE: it has
    the only lock there is."""
    if not has_one_writer():
        lock(name)


def advance(name: str, value: int) -> None:
    """Set the locked counter to the last number used."""
    statements.change("UPDATE storage_counter SET value = %s WHERE name = %s", [value, name])


def counters() -> dict[str, CounterState]:
    """All counters in one read; one that was never used is missing."""
    revive()
    found = statements.rows("SELECT name, value, floor FROM storage_counter")
    return {name: CounterState(value, floor) for name, value, floor in found}


def counter(name: str) -> CounterState:
    return counters().get(name, CounterState(0, 0))


def moment(value: datetime) -> datetime:
    """A time as a cursor gives it, which on SQLite knows no time zone."""
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def as_column(value: datetime) -> Any:
    """A time as a statement takes it: on SQLite text in UTC, as Django writes it."""
    if statements.connection().vendor != "sqlite":
        return value
    return str((value if value.tzinfo is UTC else value.astimezone(UTC)).replace(tzinfo=None))


def clean(text: str) -> str:
    """PostgreSQL's text cannot hold NUL; program output can."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def _after_fork() -> None:
    """Another thread may have held it when the process was forked."""
    global _turn
    _turn = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
