"""Tells whoever follows logs that something was written. The kubelet, another process, appends to files; nobody says when.
So each pod's folder is looked at five times a second while somebody follows it: once, however many they are.

`timeline` listens for pages; the API's `follow` asks for itself, as it must see the end of a container at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

_LOOK = 0.2  # seconds between two looks
State = frozenset[tuple[str, int, int]]


@dataclass(eq=False)
class _Watch:
    listeners: set[asyncio.Event] = field(default_factory=set)
    task: asyncio.Task[None] | None = None


_watches: dict[tuple[asyncio.AbstractEventLoop, Path], _Watch] = {}


@contextlib.asynccontextmanager
async def listen(folder: Path) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Gives `rung`: awaiting it returns when something in the folder of a pod (`layout.pod_folder`) has been written, rotated,
    begun or removed since it returned last, or since this began. Read after it has returned, and nothing is missed."""
    key = (asyncio.get_running_loop(), folder)
    watch = _watches.setdefault(key, _Watch())
    heard = asyncio.Event()
    watch.listeners.add(heard)

    async def rung() -> None:
        await heard.wait()
        heard.clear()

    try:
        seen = await asyncio.to_thread(_state, folder)
        if watch.task is None:  # of several who begin at once whose look is over first: before any of them reads
            watch.task = asyncio.create_task(_follow(folder, watch, seen))
        yield rung
    finally:
        watch.listeners.discard(heard)
        if not watch.listeners:
            if watch.task is not None:
                watch.task.cancel()
            _watches.pop(key, None)


async def _follow(folder: Path, watch: _Watch, seen: State) -> None:
    while True:
        await asyncio.sleep(_LOOK)
        now = await asyncio.to_thread(_state, folder)
        if now != seen:
            seen = now
            for heard in watch.listeners:
                heard.set()


def _state(folder: Path) -> State:
    """What is in the folders of the containers: path, inode and size of each file."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as containers:
        for container in containers:
            with contextlib.suppress(OSError), os.scandir(container.path) as files:
                for file in files:
                    with contextlib.suppress(FileNotFoundError):  # rotated or removed meanwhile
                        told = file.stat()
                        found.append((file.path, told.st_ino, told.st_size))
    return frozenset(found)
