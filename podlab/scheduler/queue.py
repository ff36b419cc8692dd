"""When to try which pod. Fed with the change log of one cluster; says names to `dispatch`, which runs `bind.schedule_one`.

As pkg/scheduler/backend/queue does: a pod that found no node waits for a change that could help (a node appeared or got
better, a pod went away; for rules about other pods also one that came or got other labels), never sooner after its last
try than its back-off of 1, 2, 4, 8, 10 s, and is tried again anyhow after five minutes. The more important pods go first.
Not thread-safe: the owner serialises calls, timers included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from podlab.apis import pods as pod_facts
from podlab.apis import volume_claims as facts
from podlab.apis.types import Key, Manifest
from podlab.clock import Clock, Timer
from podlab.scheduler.cycle import wants_node

INITIAL_BACK_OFF = 1.0
MAX_BACK_OFF = 10.0
FLUSH = timedelta(minutes=5)

Dispatch = Callable[[str, str], None]  # namespace, name


class Change(Protocol):
    """The part of `storage.log.LogEntry` that is read here."""

    @property
    def type(self) -> str: ...
    @property
    def key(self) -> Key: ...
    @property
    def obj(self) -> Manifest: ...
    @property
    def prev(self) -> Manifest | None: ...


@dataclass(slots=True)
class _Waiting:
    uid: str
    priority: int = 0
    claims: frozenset[str] = frozenset()
    attempts: int = 0
    last_try: datetime | None = None
    timer: Timer | None = None
    # What its place depends on beside the room on nodes: where other pods are, and in which labels these are found.
    follows_pods: bool = False
    spreads: bool = False


class SchedulingQueue:
    def __init__(self, clock: Clock, dispatch: Dispatch) -> None:
        self._clock = clock
        self._dispatch = dispatch
        self._waiting: dict[tuple[str, str], _Waiting] = {}

    @property
    def waiting(self) -> int:
        """How many pods want a node."""
        return len(self._waiting)

    def close(self) -> None:
        for entry in self._waiting.values():
            _cancel(entry)
        self._waiting.clear()

    def add(self, pod: Manifest) -> None:
        """A pod as listed when the owner starts."""
        if wants_node(pod):
            self._want(pod, None)

    def on_change(self, change: Change) -> None:
        if change.key.resource == "pods":
            self._pod_changed(change)
        elif change.key.resource == "nodes" and change.type == "DELETED":
            self._try_those(lambda entry: entry.spreads)
        elif change.type == "DELETED":
            return
        elif change.key.resource == "nodes" and node_may_help(change.prev, change.obj):
            self._something_may_fit()
        elif change.key.resource == "namespaces" and _labels_changed(change.prev, change.obj):
            self._try_those(lambda entry: entry.follows_pods)
        elif change.key.resource == facts.CLAIMS:
            self._claim_changed(change)
        elif change.key.resource in (facts.VOLUMES, facts.CLASSES):
            self._storage_changed()

    def _pod_changed(self, change: Change) -> None:
        pod = change.obj
        place = (change.key.namespace, change.key.name)
        if change.type != "DELETED" and wants_node(pod):
            self._want(pod, change.prev)
            return
        entry = self._waiting.get(place)
        if entry is not None and entry.uid == pod["metadata"]["uid"]:
            _cancel(self._waiting.pop(place))
        if not pod["spec"].get("nodeName"):
            if change.type == "DELETED" and facts.uses(pod):
                self._something_may_fit()  # it may have held room while its claims were being bound
            return
        if change.type == "DELETED" or _just_finished(change.prev, pod):
            self._something_may_fit()
        elif _came(change.prev, pod) or _labels_changed(change.prev, pod):
            self._try_those(lambda entry: entry.follows_pods or entry.spreads)
        elif _began_to_end(change.prev, pod):
            self._try_those(lambda entry: entry.spreads)

    def _claim_changed(self, change: Change) -> None:
        """A pod whose claims are bound now goes on at once: it had its turn, and waited only for that."""
        bound = facts.is_bound(change.obj)
        if change.prev is not None and bound == facts.is_bound(change.prev):
            return
        for place, entry in self._in_order():
            if place[0] == change.key.namespace and change.key.name in entry.claims:
                if bound:
                    self._try(place)
                else:
                    self._try_when_allowed(place, entry)

    def _storage_changed(self) -> None:
        self._try_those(lambda entry: bool(entry.claims))

    def _want(self, pod: Manifest, prev: Manifest | None) -> None:
        metadata = pod["metadata"]
        place = (metadata["namespace"], metadata["name"])
        entry = self._waiting.get(place)
        if entry is None or entry.uid != metadata["uid"]:
            if entry is not None:
                _cancel(entry)
            self._waiting[place] = entry = _waiting(pod)
            self._try(place)
        elif prev is None or _asks_for(prev) != _asks_for(pod):
            self._try_when_allowed(place, entry)

    def _something_may_fit(self) -> None:
        self._try_those(lambda entry: True)

    def _try_those(self, wanted: Callable[[_Waiting], bool]) -> None:
        for place, entry in self._in_order():
            if wanted(entry):
                self._try_when_allowed(place, entry)

    def _in_order(self) -> list[tuple[tuple[str, str], _Waiting]]:
        """Of equal priority by name, so that a simulated cluster does the same every time."""
        return sorted(self._waiting.items(), key=lambda item: (-item[1].priority, item[0]))

    def _try_when_allowed(self, place: tuple[str, str], entry: _Waiting) -> None:
        if entry.last_try is None:
            self._try(place)
            return
        allowed = entry.last_try + timedelta(seconds=back_off(entry.attempts))
        if allowed <= self._clock.now():
            self._try(place)
        else:
            self._set_timer(place, entry, allowed)

    def _try(self, place: tuple[str, str]) -> None:
        entry = self._waiting[place]
        entry.attempts += 1
        entry.last_try = self._clock.now()
        self._set_timer(place, entry, entry.last_try + FLUSH)
        self._dispatch(*place)

    def _set_timer(self, place: tuple[str, str], entry: _Waiting, when: datetime) -> None:
        _cancel(entry)

        def due() -> None:
            if self._waiting.get(place) is entry:
                self._try(place)

        entry.timer = self._clock.call_at(when, due)


def _waiting(pod: Manifest) -> _Waiting:
    affinity = pod["spec"].get("affinity") or {}
    return _Waiting(
        pod["metadata"]["uid"],
        priority=pod_facts.priority(pod),
        claims=frozenset(use.claim for use in facts.uses(pod)),
        follows_pods=bool(affinity.get("podAffinity") or affinity.get("podAntiAffinity")),
        spreads=bool(pod["spec"].get("topologySpreadConstraints")),
    )


def back_off(attempts: int) -> float:
    """Seconds that must lie between a try and the next."""
    return float(min(INITIAL_BACK_OFF * 2 ** max(attempts - 1, 0), MAX_BACK_OFF))


def node_may_help(before: Manifest | None, after: Manifest) -> bool:
    """A heartbeat does not: only what filters look at counts."""
    return before is None or _offer(before) != _offer(after)


def _offer(node: Manifest) -> tuple[Any, ...]:
    spec, status = node.get("spec", {}), node.get("status", {})
    labels = node["metadata"].get("labels")
    return (labels, spec.get("taints"), bool(spec.get("unschedulable")), status.get("allocatable"))


def _asks_for(pod: Manifest) -> tuple[Any, ...]:
    """What of a pending pod a person may change so that it fits: its spec and labels, not the scheduler's own words."""
    return (pod["spec"], pod["metadata"].get("labels"))


def _just_finished(before: Manifest | None, after: Manifest) -> bool:
    return pod_facts.is_terminal(after) and (before is None or not pod_facts.is_terminal(before))


def _came(before: Manifest | None, after: Manifest) -> bool:
    """It has a node now and had none."""
    return bool(after["spec"].get("nodeName")) and (before is None or not before["spec"].get("nodeName"))


def _labels_changed(before: Manifest | None, after: Manifest) -> bool:
    return before is not None and before["metadata"].get("labels") != after["metadata"].get("labels")


def _began_to_end(before: Manifest | None, after: Manifest) -> bool:
    ends = bool(after["metadata"].get("deletionTimestamp"))
    return ends and (before is None or not before["metadata"].get("deletionTimestamp"))


def _cancel(entry: _Waiting) -> None:
    if entry.timer is not None:
        entry.timer.cancel()
        entry.timer = None
