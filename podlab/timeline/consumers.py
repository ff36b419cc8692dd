"""One websocket per page, `/ws/c/<cluster>/`: who may have what, and one task for each thing that the page opened.

`routing` leads here; `asgi` has checked the origin and put the session's user into the scope. The feeds do the work:
`pod_feed`, `space_feed`, `list_feed`, `object_feed`, `change_feed`,
`log_stream`. A client that is too slow is closed and comes back with its last revision.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import get_user_model
from django.utils import translation

from podlab import clock
from podlab.apis.status_errors import ApiError
from podlab.clock import LabTime
from podlab.glance.anatomy import instant
from podlab.registry import authorizer, identity
from podlab.registry.client import Client
from podlab.registry.identity import Identity
from podlab.registry.rbac import policies
from podlab.storage import clusters
from podlab.storage.clusters import ClusterRow
from podlab.storage.errors import Compacted, FutureRevision, StorageError
from podlab.storage.hub import ClusterSubscription, hub
from podlab.storage.watch import SlowReader, WatchEnded
from podlab.timeline import list_feed, log_stream, messages
from podlab.timeline.change_feed import ChangeFeed
from podlab.timeline.messages import Asking, Clock, Opening, ServerMessage
from podlab.timeline.object_feed import ObjectFeed
from podlab.timeline.outlet import Refusal
from podlab.timeline.pod_feed import PodFeed
from podlab.timeline.space_feed import SpaceFeed

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Close codes; static/src/socket.js knows them.
NOT_LOGGED_IN = 4401
FORBIDDEN = 4403
NO_CLUSTER = 4404
TOO_SLOW = 4408
NONSENSE = 4400
BROKEN = 1011

_HEARTBEAT = 15.0  # seconds; socket.js gives up after 45 s of silence
_MOST_OPEN = 40
_MOST_BYTES = 8 * 1024
_MOST_MESSAGES = (120, 10.0)  # this many within so many seconds
_SEND_TIMEOUT = 20.0


class PageConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """The connection of one page."""

    # None is configured under this name, so there is no channel layer: the hub brings everything, and a page lives on
    # while Redis is away.
    channel_layer_alias = "no layer"

    async def connect(self) -> None:
        self.cluster: str = self.scope["url_route"]["kwargs"]["cluster"]
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.spaces: dict[str, SpaceFeed] = {}
        self.background: list[asyncio.Task[None]] = []
        self.clock_feed: ClusterSubscription | None = None
        self.recent: deque[float] = deque()
        self.row: ClusterRow | None = None
        self._speak()
        # Accepted first: a browser learns the close code of an accepted socket only.
        await self.accept()
        if not await self._admit():
            return
        self.background = [asyncio.create_task(self._guard(work)) for work in (self._beat(), self._follow_clock())]

    def _speak(self) -> None:
        """In the language of the page, which says it in its address. It holds for this task and those begun in it."""
        asked = parse_qs(self.scope.get("query_string", b"").decode("ascii", "replace")).get("lang", ["en"])[0]
        translation.activate(asked if translation.check_for_language(asked) else "en")

    async def _admit(self) -> bool:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(NOT_LOGGED_IN)
            return False
        self.identity: Identity = await self.in_thread(lambda: identity.of_user(user))
        self.row = await self.in_thread(lambda: clusters.find(self.cluster))
        # Somebody without business in a cluster does not learn whether it exists.
        enters = await self.in_thread(lambda: authorizer.sees_cluster(self.identity, self.cluster))
        self.standing = await self.in_thread(self._present_standing)
        if self.row is None or not enters:
            await self.close(NO_CLUSTER)
            return False
        hello: messages.Hello = {
            "type": "hello",
            "cluster": self.cluster,
            "runtime": self.row.runtime,
            "clock": clock_message(self.row.time),
        }
        await self.send_message(hello)
        return True

    async def disconnect(self, code: int) -> None:
        tasks = [*self.tasks.values(), *self.background]
        for task in tasks:
            task.cancel()
        if self.clock_feed is not None:
            self.clock_feed.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        """What fails unexpectedly ends the connection, not silently a part of it: the client comes back."""
        try:
            await work
        except Exception:
            logger.exception("the socket of a page failed")
            await self.close(BROKEN)

    # --- Outlet ----------------------------------------------------------------------------------------------------

    async def send_message(self, message: ServerMessage) -> None:
        # Not wait_for: until Python 3.12 it can swallow the cancellation of a feed that is being closed.
        async with asyncio.timeout(_SEND_TIMEOUT):
            await self.send(json.dumps(message, separators=(",", ":")))

    async def in_thread(self, work: Callable[[], T]) -> T:
        result: T = await database_sync_to_async(work)()
        return result

    def client(self) -> Client:
        return Client(self.cluster, self.identity, self.now)

    def now(self) -> datetime:
        wall = clock.wall_now()
        return self.row.time.at(wall) if self.row is not None else wall

    # --- from the client -------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.row is None:
            return
        if text_data is None or len(text_data) > _MOST_BYTES or self._too_many():
            await self.close(NONSENSE)
            return
        try:
            message = messages.parse(json.loads(text_data))
        except (ValueError, messages.BadMessage, RecursionError):
            await self.close(NONSENSE)
            return
        if message["type"] == "look" or message["type"] == "tell":
            await self._ask(message)
            return
        await self._stop(message["sub"])
        if message["type"] == "close":
            return
        if len(self.tasks) >= _MOST_OPEN:
            await self._refuse(message["sub"], 429, "Too many things are open on this page.")
            return
        sub = message["sub"]
        task = self.tasks[sub] = asyncio.create_task(self._guard(self._serve(message)))
        task.add_done_callback(lambda done: self._ended(sub, done))

    def _ended(self, sub: str, task: asyncio.Task[None]) -> None:
        """What is over is not open any more; unless something new has its name."""
        if self.tasks.get(sub) is task:
            del self.tasks[sub]
            self.spaces.pop(sub, None)

    async def _ask(self, message: Asking) -> None:
        """A question to a space that is open; one that has been closed meanwhile answers nothing."""
        feed = self.spaces.get(message["sub"])
        if feed is not None and not feed.ask(message):
            await self.close(NONSENSE)

    def _too_many(self) -> bool:
        most, within = _MOST_MESSAGES
        now = clock.monotonic()
        self.recent.append(now)
        while self.recent and self.recent[0] < now - within:
            self.recent.popleft()
        return len(self.recent) > most

    async def _stop(self, sub: str) -> None:
        self.spaces.pop(sub, None)
        task = self.tasks.pop(sub, None)
        if task is not None:
            task.cancel()
            # Not `await task`: its cancellation could not be told from our own, and a connection that swallows its own
            # goes on for ever.
            await asyncio.wait({task})

    async def _serve(self, message: Opening) -> None:
        """Run one feed and translate how it ends."""
        sub = message["sub"]
        try:
            await self._feed(message)
        except* Refusal as group:
            refusal = _first(group)
            await self._refuse(sub, refusal.code, refusal.message)
        except* ApiError as group:
            error = _first(group)
            await self._refuse(sub, error.code, error.message)
        except* (SlowReader, TimeoutError):
            await self.close(TOO_SLOW)
        except* (WatchEnded, Compacted, FutureRevision) as group:
            await self.send_message({"type": "ended", "sub": sub, "reason": str(_first(group)), "again": True})
        except* StorageError as group:
            logger.warning("a feed of cluster %s ended: %s", self.cluster, group.exceptions[0])
            await self.send_message(
                {"type": "ended", "sub": sub, "reason": "The store does not answer.", "again": True}
            )

    def _feed(self, message: Opening) -> Coroutine[Any, Any, None]:
        if message["type"] == "open-space":
            space = self.spaces[message["sub"]] = SpaceFeed(self, message)
            return space.run()
        if message["type"] == "open-pod":
            return PodFeed(self, message).run()
        if message["type"] == "open-list":
            if message.get("resource", "pods") == "pods":
                return list_feed.feed(self, message)
            return ObjectFeed(self, message).run()
        if message["type"] == "open-changes":
            return ChangeFeed(self, message).run()
        if message["type"] == "open-log":
            return log_stream.feed(self, message)
        if message["type"] == "open-written":
            return log_stream.ring(self, message)
        raise AssertionError(message["type"])

    async def _refuse(self, sub: str, code: int, text: str) -> None:
        await self.send_message({"type": "refused", "sub": sub, "code": code, "message": text})

    # --- time and rights -------------------------------------------------------------------------------------------

    async def _follow_clock(self) -> None:
        """Tell at once when somebody turns the cluster's clock."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def deliver(names: list[str]) -> None:
            if self.cluster in names:
                loop.call_soon_threadsafe(changed.set)

        self.clock_feed = await self.in_thread(lambda: hub().subscribe_clusters(deliver))
        while True:
            await changed.wait()
            changed.clear()
            if not await self._tell_time(read=True):
                return

    async def _beat(self) -> None:
        """Sign of life; and whoever was logged out or lost a right meanwhile is shown the door."""
        while True:
            await asyncio.sleep(_HEARTBEAT)
            if not await self.in_thread(self._still_welcome):
                await self.close(NOT_LOGGED_IN)
                return
            if not await self._tell_time(read=False):
                return

    def _still_welcome(self) -> bool:
        session = self.scope["session"]
        if not session.session_key or not session.exists(session.session_key):
            return False
        user = get_user_model().objects.filter(pk=self.scope["user"].pk).first()
        present = identity.of_user(user) if user is not None else identity.ANONYMOUS
        return present == self.identity and self._present_standing() == self.standing

    def _present_standing(self) -> frozenset[object]:
        """What bindings in the cluster give to the person."""
        return frozenset(policies.of(self.cluster).standing(self.identity))

    async def _tell_time(self, *, read: bool) -> bool:
        if read:
            self.row = await self.in_thread(lambda: clusters.find(self.cluster))
        if self.row is None:
            await self.close(NO_CLUSTER)
            return False
        try:
            await self.send_message(clock_message(self.row.time))
        except TimeoutError:
            await self.close(TOO_SLOW)
            return False
        return True


def clock_message(time: LabTime) -> Clock:
    lab = time.at(clock.wall_now())
    return {"type": "clock", "lab": instant(lab), "speed": time.speed, "paused": time.paused}


E_ = TypeVar("E_", bound=Exception)


def _first(group: ExceptionGroup[E_]) -> E_:
    """The first plain exception of a group of groups."""
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error  # type: ignore[return-value]  # the group holds only these
