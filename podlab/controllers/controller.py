"""What a controller is, and what it is given. The controllers of a cluster are gathered in `manager.CONTROLLERS`.

The shape is that of Kubernetes' controllers: changes of objects become keys in a queue, and `sync` looks at the present
state behind one key and does what is missing. A key may be synced at any time, twice, or late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from podlab.clock import Clock
from podlab.registry.client import Client
from podlab.registry.events import Recorder
from podlab.storage.log import LogEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """`enqueue(key, seconds)` asks for a sync of a key of the same controller, now or later."""

    client: Client
    clock: Clock
    recorder: Recorder
    enqueue: Callable[[str, float], None]


class Controller:
    name: ClassVar[str]  # in queues, tasks and logs
    component: ClassVar[str]  # who writes, and whose events they are

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.client = kit.client
        self.cluster = kit.client.cluster

    def load(self) -> Iterable[str]:
        """The keys to look at when a cluster is taken up. What the changes of the log are compared with is read here."""
        return ()

    def affected(self, entry: LogEntry) -> Iterable[str]:
        """The keys that a change gives reason to look at. Called in the order of the log, on one thread."""
        return ()

    def sync(self, key: str) -> None:
        """Look at one key. Never twice at once for the same key, but on any thread. An exception means: again, later."""
        raise NotImplementedError
