"""Plain SQL for what every request does: one statement at a time, with `%s` for values on both databases.

Django's cursor costs more than SQLite takes for the statement itself (wrappers, and a search for placeholders in each text). On
SQLite its connection is used without them; transactions, errors and the ban on event loops stay Django's. Whoever watches
statements (tests, a debugger) gets Django's own cursor back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Row = Sequence[Any]
_TEXTS = 1024  # different statements whose SQLite form is kept


def rows(query: str, values: Sequence[Any] = ()) -> list[Row]:
    """All rows of a SELECT."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if _is_plain(wrapper):
        with wrapper.wrap_database_errors:
            return list(wrapper.connection.execute(_on_sqlite(query), values).fetchall())
    with wrapper.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def row(query: str, values: Sequence[Any] = ()) -> Row | None:
    """The first row of a SELECT."""
    return next(iter(rows(query, values)), None)


def change(query: str, values: Sequence[Any]) -> None:
    """An INSERT, UPDATE or DELETE."""
    _write("execute", query, values)


def change_many(query: str, values: Sequence[Sequence[Any]]) -> None:
    """The same statement for each of several values."""
    _write("executemany", query, values)


def _write(method: str, query: str, values: Sequence[Any]) -> None:
    wrapper = connections[DEFAULT_DB_ALIAS]
    if _is_plain(wrapper):
        with wrapper.wrap_database_errors:
            getattr(wrapper.connection, method)(_on_sqlite(query), values)
        return
    with wrapper.cursor() as cursor:
        getattr(cursor, method)(query, values)


def written() -> int | None:
    """How many rows this connection has changed since it was opened; None where the database does not tell."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.vendor != "sqlite":
        return None
    wrapper.ensure_connection()
    return int(wrapper.connection.total_changes)


def _is_plain(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether the statement may go to SQLite as it is. Opens the connection, and refuses a transaction that is broken already."""
    if wrapper.vendor != "sqlite" or wrapper.execute_wrappers or wrapper.queries_logged:
        return False
    wrapper.ensure_connection()
    wrapper.validate_no_broken_transaction()
    return True


@lru_cache(_TEXTS)
def _on_sqlite(query: str) -> str:
    return query.replace("%s", "?").replace("%%", "%")
