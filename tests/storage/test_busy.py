"""A lock that cannot be had in time is an error that says: try again."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection, transaction
from storage_samples import AT, make_pod, pod_key
from storage_traffic import in_thread

from podlab.storage import database, log, store
from podlab.storage.errors import StoreBusy
from podlab.storage.models import REVISIONS

pytestmark = pytest.mark.usefixtures("main_cluster")


def shorten_patience() -> None:
    """From 20 s to a moment, for this thread's connection."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout = 50")
        else:
            cursor.execute("SET lock_timeout = '50ms'")


def test_a_writer_that_waits_too_long_gets_store_busy_and_can_try_again() -> None:
    store.create(pod_key("first"), make_pod("first"), at=AT)
    before = log.head()
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            database.lock(REVISIONS)
            held.set()
            assert release.wait(30)

    def write() -> None:
        shorten_patience()
        with pytest.raises(StoreBusy):
            store.create(pod_key(), make_pod(), at=AT)
        release.set()
        while True:
            try:
                store.create(pod_key(), make_pod(), at=AT)
            except StoreBusy:
                continue
            break

    holding = in_thread(hold)
    assert held.wait(30)
    in_thread(write)()
    holding()
    assert log.head() == before + 1


def test_readers_do_not_wait_for_a_writer() -> None:
    made = store.create(pod_key(), make_pod(), at=AT)
    with transaction.atomic():
        store.create(pod_key("second"), make_pod("second"), at=AT)
        assert in_thread(lambda: store.get(pod_key()))() == made
        assert in_thread(log.head)() == made.revision, "what is not committed is not seen"


def test_another_error_of_the_database_is_not_called_busy() -> None:
    with pytest.raises(OperationalError, match="gone"), database.writing():
        raise OperationalError("the disk is gone")
