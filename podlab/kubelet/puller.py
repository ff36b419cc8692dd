"""Pulls images for one node, one after the other (pkg/kubelet/images/puller.go, serializeImagePulls), each with the log-ins
that fit until one does it (kuberuntime_image.go PullImage)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from podlab.clock import Clock
from podlab.kubelet.keyring import Login
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.images import HANDLER, PullProgress, PullResult, RegistryLogin
from podlab.runtime.interface import Runtime


@dataclass(frozen=True, slots=True)
class Pulled:
    """How a pull went: `waited` seconds from being asked for to the end, `login` the one that did it."""

    result: PullResult
    waited: float
    login: Login | None = None


@dataclass(slots=True)
class Order:
    """`wanted` is asked when its turn has come: a pod may have gone meanwhile, and then `done` is not called."""

    ref: str
    logins: list[Login]
    annotations: Mapping[str, str]
    wanted: Callable[[], bool]
    done: Callable[[Pulled], None]
    progress: Callable[[PullProgress], None] | None = None
    asked: datetime | None = None
    handler: str = ""
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)


class Puller:
    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime = runtime
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[Order] = deque()
        self._busy = False

    def pull(self, order: Order) -> None:
        """Returns at once; `order.done` is called later, perhaps on another thread."""
        order.asked, order.handler = self._clock.now(), HANDLER.get()
        with self._lock:
            self._waiting.append(order)
            if self._busy:
                return
            self._busy = True
        self._next()

    def _next(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                order = self._waiting.popleft()
            if order.wanted():
                self._try(order, 0)
                return

    def _try(self, order: Order, number: int) -> None:
        login = order.logins[number] if order.logins else None

        def done(result: PullResult) -> None:
            order.seconds += result.seconds
            if result.image is None:
                order.errors.append(result.error)
                if number + 1 < len(order.logins):
                    self._try(order, number + 1)
                    return
                result = PullResult(None, _all(order.errors), order.seconds)
            waited = (self._clock.now() - (order.asked or self._clock.now())).total_seconds()
            final = PullResult(result.image, result.error, order.seconds)
            try:
                order.done(Pulled(final, max(waited, order.seconds), login if result.image is not None else None))
            finally:
                self._next()

        as_login = RegistryLogin(login.username, login.password) if login is not None else None
        handler = HANDLER.set(order.handler)
        try:
            self._runtime.pull_image(order.ref, done, order.progress, order.annotations, as_login)
        except RuntimeFailure as error:
            done(PullResult(None, str(error)))
        finally:
            HANDLER.reset(handler)


def _all(errors: list[str]) -> str:
    """As Go prints several errors in one (apimachinery/pkg/util/errors)."""
    different = list(dict.fromkeys(errors))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]"
