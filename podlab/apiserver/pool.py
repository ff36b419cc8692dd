"""The bounded thread pool through which async views call the registry, which is synchronous.

One hop per request: everything that touches the database in a request runs in one function. Each pool thread keeps its
own database connection; Django's rules for stale ones are applied before and after, as its request cycle would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

T = TypeVar("T")

# More than the cores of a laptop, because a write may wait for the database's one writer. Many more would only take the
# interpreter from each other.
WORKERS = 4
_POOL = ThreadPoolExecutor(WORKERS, thread_name_prefix="api")


async def run(work: Callable[[], T]) -> T:
    """Run `work` on a pool thread. If the caller is cancelled the work still finishes: a write is never half done."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, _clean, work)


def _clean(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
