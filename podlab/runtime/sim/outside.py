"""What a simulated container sees beyond itself: the network (names, who stands behind an address, what a server says), and
what the kubelet placed in its volumes.

The cluster's side is given by the world that plays it (`ClusterNetwork`). Answers are plain JSON, because a container that
is replayed from the journal must hear what it heard then: `container` notes every answer that differs from the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from podlab.runtime.sim.network import Listener

Question = tuple[str, ...]
Ask = Callable[[Question], Any]
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a connection to an address and port may end. None = there is nobody with this address; nothing = refused.
    `sticky`: a client always comes to the same place."""

    to: tuple[tuple[str, int], ...] | None
    sticky: bool = False


class ClusterNetwork(Protocol):
    def lookup(self, name: str, kind: str) -> list[str] | None:
        """The data of a name's records of a type; None when there is no such name."""
        ...

    def route(self, ip: str, port: int) -> Route: ...

    def listening(self, ip: str, port: int) -> Listener | None:
        """Who listens in the pod with this address; None when no pod has it."""
        ...


class Outside:
    """The questions of one machine."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def lookup(self, name: str, kind: str) -> list[str] | None:
        found = self._ask(("lookup", name, kind))
        return None if found is None else [str(one) for one in found]

    def route(self, ip: str, port: int) -> Route:
        found = self._ask(("route", ip, str(port)))
        if found is None:
            return Route(None)
        return Route(tuple((str(one[0]), int(one[1])) for one in found["to"]), bool(found["sticky"]))

    def processes(self) -> list[list[str]]:
        """The main processes of the containers whose namespace this one is in, the first being process 1."""
        found = self._ask(("processes",))
        return [[str(word) for word in one] for one in found or ()]

    def placed(self, root: str) -> dict[str, Any] | None:
        """What the kubelet placed in a volume, by path below its root, as `node_files` writes it; None = not known."""
        found = self._ask(("files", root))
        return found if isinstance(found, dict) else None

    def fetch(self, ip: str, port: int, path: str) -> tuple[int, str] | None:
        """HTTP status and body; status 0: what listens speaks no HTTP. None: nobody listens."""
        found = self._ask(("fetch", ip, str(port), path))
        return None if found is None else (int(found[0]), str(found[1]))


class Heard:
    """The answers that a container was given, each from the moment at which it was a new one."""

    def __init__(self) -> None:
        self._answers: dict[Question, list[tuple[int, Any]]] = {}

    def note(self, micros: int, question: Question, answer: Any) -> bool:
        """False when it is what was heard last."""
        known = self._answers.setdefault(question, [])
        if known and known[-1][1] == answer:
            return False
        known.append((micros, answer))
        return True

    def recall(self, micros: int, question: Question) -> Any:
        """What was heard at that time."""
        known = [answer for since, answer in self._answers.get(question, ()) if since <= micros]
        return known[-1] if known else None


def answer(network: ClusterNetwork | None, own: Callable[[int], Listener], question: Question) -> Any:
    """The answer as of now. `own`: who listens in the container's own pod."""
    if question[0] == "lookup":
        return None if network is None else network.lookup(question[1], question[2])
    ip, port = question[1], int(question[2])
    if question[0] == "route":
        if ip == LOOPBACK:
            return {"to": [[ip, port]] if own(port).open else [], "sticky": False}
        route = network.route(ip, port) if network is not None else Route(None)
        return None if route.to is None else {"to": [list(one) for one in route.to], "sticky": route.sticky}
    listener = own(port) if ip == LOOPBACK else (network.listening(ip, port) if network is not None else None)
    if listener is None or not listener.open:
        return None
    return [0, ""] if listener.site is None else list(listener.site(listener.micros, question[3]))


def nowhere(question: Question) -> Any:
    """For a machine that nobody has connected."""
    return None
