"""Plain SQL keeps Django's promises: its errors, its transactions, its ban on event loops, its record of statements."""

from __future__ import annotations

import asyncio

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import IntegrityError, OperationalError, ProgrammingError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from podlab.storage import statements

pytestmark = pytest.mark.django_db(transaction=True)

_INSERT = "INSERT INTO storage_counter (name, value, floor) VALUES (%s, %s, %s)"
_SELECT = "SELECT name, value FROM storage_counter WHERE name LIKE %s AND name LIKE 't%%' ORDER BY name"


def test_values_go_in_and_rows_come_out() -> None:
    statements.change(_INSERT, ["t-1", 7, 0])
    statements.change_many(_INSERT, [["t-2", 8, 0], ["t-%s?", 9, 0]])
    assert [tuple(row) for row in statements.rows(_SELECT, ["t-%"])] == [("t-%s?", 9), ("t-1", 7), ("t-2", 8)]
    found = statements.row(_SELECT, ["t-2"])
    assert found is not None
    assert tuple(found) == ("t-2", 8)
    assert statements.row(_SELECT, ["nobody"]) is None


def test_errors_are_djangos() -> None:
    statements.change(_INSERT, ["t-1", 7, 0])
    with pytest.raises(IntegrityError):
        statements.change(_INSERT, ["t-1", 8, 0])
    with pytest.raises((OperationalError, ProgrammingError)):
        statements.rows("SELECT nothing FROM nowhere")


def test_a_broken_transaction_takes_no_more_statements_and_leaves_nothing() -> None:
    with transaction.atomic():
        statements.change(_INSERT, ["t-1", 7, 0])
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            statements.rows(_SELECT, ["t-%"])
    assert statements.rows(_SELECT, ["t-%"]) == []


def test_a_closed_connection_is_opened_again() -> None:
    connection.close()
    assert statements.rows(_SELECT, ["t-%"]) == []


def test_who_watches_statements_sees_them() -> None:
    with CaptureQueriesContext(connection) as seen:
        statements.rows(_SELECT, ["t-%"])
    assert len(seen) == 1


def test_not_in_an_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)

    async def ask() -> None:
        statements.rows(_SELECT, ["t-%"])

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(ask())
