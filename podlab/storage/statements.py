"""Plain SQL for what every request does: one statement at a time, with `%s` for values on both databases.

Django's cursor costs more than SQLite takes for the statement itself (wrappers, and a search for placeholders in each text). On
SQLite its connection is used without them; transactions, errors and the ban on event loops stay Django's. Whoever watches
statements (tests, a debugger) gets Django's own cursor back.
"""

from __future__ import annotations

import sqlite3
import threading
from asyncio import _get_running_loop
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Row = Sequence[Any]
T = TypeVar("T")
_TEXTS = 1024  # different statements whose SQLite form is kept


class _Here(threading.local):
    """This thread's connection: Django's own look-up costs as much as a short statement."""

    def __init__(self) -> None:
        self.wrapper: BaseDatabaseWrapper = connections[DEFAULT_DB_ALIAS]


_here = _Here()


def connection() -> BaseDatabaseWrapper:
    """Django's connection of this thread."""
    return _here.wrapper


def rows(query: str, values: Sequence[Any] = ()) -> list[Row]:
    """All rows of a SELECT."""
    if (plain := _plain()) is not None:
        return _asked(lambda: plain.execute(_on_sqlite(query), values).fetchall())
    with connection().cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def row(query: str, values: Sequence[Any] = ()) -> Row | None:
    """The first row of a SELECT."""
    return next(iter(rows(query, values)), None)


def change(query: str, values: Sequence[Any]) -> None:
    """An INSERT, UPDATE or DELETE."""
    if (plain := _plain()) is not None:
        _asked(lambda: plain.execute(_on_sqlite(query), values))
        return
    with connection().cursor() as cursor:
        cursor.execute(query, values)


def change_many(query: str, values: Sequence[Sequence[Any]]) -> None:
    """The same statement for each of several values."""
    if (plain := _plain()) is not None:
        _asked(lambda: plain.executemany(_on_sqlite(query), values))
        return
    with connection().cursor() as cursor:
        cursor.executemany(query, values)


def _plain() -> sqlite3.Connection | None:
    """SQLite's own connection, if the statement may go there as it is. Opens it, and refuses a transaction that is broken
    already."""
    wrapper = _here.wrapper
    if wrapper.vendor != "sqlite" or wrapper.execute_wrappers or wrapper.force_debug_cursor or _debugging():
        return None
    if wrapper.connection is None or _get_running_loop() is not None:
        wrapper.ensure_connection()  # which refuses event loops
    if wrapper.needs_rollback:
        wrapper.validate_no_broken_transaction()
    found: sqlite3.Connection = wrapper.connection
    return found


def _asked(ask: Callable[[], T]) -> T:
    """Errors become Django's; what goes well pays nothing for that."""
    try:
        return ask()
    except sqlite3.Error:
        with _here.wrapper.wrap_database_errors:
            raise


@cache
def _debugging() -> bool:
    """Django writes all statements down then."""
    return bool(settings.DEBUG)


@lru_cache(_TEXTS)
def _on_sqlite(query: str) -> str:
    return query.replace("%s", "?").replace("%%", "%")
