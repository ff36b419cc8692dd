"""The threads through which async views call the registry, which is synchronous.

One hop per request: everything that touches the database in a request runs in one function. Each thread keeps its own
database connection; Django's rules for stale ones are applied before and after, as its request cycle would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar, cast

from podlab.storage import database

T = TypeVar("T")

# More than the cores of a laptop, because a reader may wait for the disk. Many more would only take the interpreter from
# each other.
WORKERS = 4
_POOL = ThreadPoolExecutor(WORKERS, thread_name_prefix="api")
# SQLite has one writer. Writes that wait for their turn on one thread do not take the interpreter from each other at every
# statement, find the database's pages in its connection's cache, and leave the other threads to those who read.
_WRITER = ThreadPoolExecutor(1, thread_name_prefix="api-write")


async def run(work: Callable[[], T]) -> T:
    """Run `work` on a pool thread. If the caller is cancelled the work still finishes: a write is never half done."""
    return await _on(_POOL, work)


async def run_write(work: Callable[[], T]) -> T:
    """The same for a write of one object. What takes longer would keep all others waiting: that is for `run`."""
    return await _on(_WRITER if database.has_one_writer() else _POOL, work)


async def _on(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    """Like run_in_executor, whose two futures that follow each other took a tenth of the event loop's time."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def answered(result: T | None, problem: BaseException | None) -> None:
        if answer.done():  # the caller was cancelled
            return
        if problem is not None:
            answer.set_exception(problem)
        else:
            answer.set_result(cast("T", result))

    def do() -> None:
        try:
            result, problem = _clean(work), None
        except BaseException as error:
            result, problem = None, error
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(answered, result, problem)

    pool.submit(do)
    return await answer


def _clean(work: Callable[[], T]) -> T:
    database.let_go()
    try:
        return work()
    finally:
        database.let_go()
