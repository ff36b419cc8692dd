"""Writers and watchers in processes of their own, on one database."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_traffic import check_log, check_watcher, in_thread, ops, watch, write_last

from podlab.storage import clusters, log
from podlab.storage.hub import Hub

pytestmark = pytest.mark.django_db(transaction=True)

_numbers = itertools.count()
_here = Path(__file__).parent
WRITERS, WATCHERS = 2, 2


class Worker:
    """One process and its two pipes."""

    def __init__(self) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": _database_url(),
            "PYTHONPATH": f"{_here.parent.parent}{os.pathsep}{_here}",
            "PODLAB_LOG_LEVEL": "WARNING",
        }
        self._process = subprocess.Popen(
            [sys.executable, str(_here / "storage_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def order(self, **order: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def answer(self) -> list[object]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the worker ended with {self._process.poll()}"
        return json.loads(line)  # type: ignore[no-any-return]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _database_url() -> str:
    """The test database as another process opens it."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite://{at['NAME']}"
    login = f"{quote(at['USER'])}:{quote(at['PASSWORD'])}"
    return f"postgres://{login}@{at['HOST']}:{at['PORT']}/{quote(at['NAME'])}"


@pytest.fixture
def workers(transactional_db: None) -> Iterator[list[Worker]]:
    workers = [Worker() for _ in range(WRITERS + WATCHERS)]
    try:
        for worker in workers:
            assert worker.answer() == "ready"
        yield workers
    finally:
        for worker in workers:
            worker.close()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    plans=st.lists(ops, min_size=WRITERS, max_size=WRITERS),
    every=st.lists(st.integers(0, 4), min_size=WATCHERS, max_size=WATCHERS),
)
def test_processes_share_one_order_of_changes(
    workers: list[Worker], plans: list[list[tuple[str, str, int]]], every: list[int]
) -> None:
    cluster = f"processes-{next(_numbers)}"
    clusters.create(cluster, runtime="sim")
    start = log.head()
    writers, watchers = workers[:WRITERS], workers[WRITERS:]
    hub = Hub(poll=0.05, redis=False)
    try:
        here = in_thread(lambda: watch(hub, cluster, start, 0))
        watchers[0].order(do="watch", cluster=cluster, since=start, every=every[0])
        for number, (worker, plan) in enumerate(zip(writers, plans, strict=True)):
            worker.order(do="write", cluster=cluster, plan=plan, writer=number)
        middle = log.head()
        for worker, count in zip(watchers[1:], every[1:], strict=True):
            worker.order(do="watch", cluster=cluster, since=middle, every=count)
        committed = [revision for worker in writers for revision in worker.answer()]
        committed.append(write_last(cluster))
        check_log(cluster, start, committed)
        check_watcher(cluster, start, here())
        check_watcher(cluster, start, _tuples(watchers[0].answer()))
        for worker in watchers[1:]:
            check_watcher(cluster, middle, _tuples(worker.answer()))
    finally:
        hub.close()


def _tuples(rows: list[object]) -> list[tuple[int, int, str, str]]:
    return [tuple(row) for row in rows]  # type: ignore[misc, arg-type]
