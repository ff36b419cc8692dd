"""What a feed (`pod_feed`, `list_feed`, `log_stream`) knows of the connection it feeds; `consumers` implements it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from podlab.registry.client import Client
from podlab.timeline.messages import ServerMessage

T = TypeVar("T")


class Outlet(Protocol):
    cluster: str

    async def send_message(self, message: ServerMessage) -> None:
        """Blocks while the client does not take what it was sent."""
        ...

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run database work away from the event loop."""
        ...

    def client(self) -> Client:
        """The registry, as the person at the other end."""
        ...

    def now(self) -> datetime:
        """Lab time."""
        ...


class Refusal(Exception):
    """The opening of a feed is refused; the client may not or cannot have it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
