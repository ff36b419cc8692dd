"""Looks at a node's pressure: shows it as conditions, tells it, and evicts one pod at a time while it lasts.

synchronize of pkg/kubelet/eviction/eviction_manager.go. `agent` calls `look` every ten seconds on a Docker node; on a
simulated one when the Node changes, and every ten seconds of lab time while there is pressure. Rules: `pressure`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from podlab.apis import reasons, times
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.clock import Timer
from podlab.kubelet import pods, pressure, readings
from podlab.kubelet.context import Context, PodState, Stage
from podlab.kubelet.eviction import CHECK_SECONDS, GRACE, has_limit, look_at, usage_of
from podlab.kubelet.pressure import Reading, Threshold
from podlab.kubelet.status import Forced
from podlab.storage.errors import StorageError

logger = logging.getLogger(__name__)

THRESHOLDS = "podlab.dev/eviction-hard"
_ABOUT_US = (readings.SIMULATED_PREFIX, THRESHOLDS)
_HOLD = times.go_duration(pressure.HOLD.total_seconds())
_BAD_ANNOTATION = "the node goes on with what it had before"
# condition → event when it comes, event when it goes
_TOLD = {
    "MemoryPressure": ("NodeHasInsufficientMemory", reasons.NODE_HAS_SUFFICIENT_MEMORY),
    "DiskPressure": ("NodeHasDiskPressure", reasons.NODE_HAS_NO_DISK_PRESSURE),
    "PIDPressure": ("NodeHasInsufficientPID", reasons.NODE_HAS_SUFFICIENT_PID),
}


class EvictionManager:
    def __init__(
        self,
        ctx: Context,
        thresholds: tuple[Threshold, ...],
        *,
        states: Callable[[], Iterable[PodState]],
        dispatch: Callable[[str], None],
        post: Callable[[], None],
    ) -> None:
        """`post` has the Node's conditions written anew."""
        self._ctx, self._default = ctx, thresholds
        self._states, self._dispatch, self._post = states, dispatch, post
        self._seen: dict[str, datetime] = {}
        self._told: set[str] = set()  # problems, each once
        self._timer: Timer | None = None
        self._annotations: dict[str, str] = {}
        self.conditions: frozenset[str] = frozenset()

    def restore(self, node: Manifest) -> None:
        """A pressure that the last agent showed is held on from now."""
        for one in (node.get("status") or {}).get("conditions") or []:
            if one.get("type") in _TOLD and one.get("status") == "True":
                self._seen[one["type"]] = self._ctx.clock.now()
        self.conditions = frozenset(self._seen)
        self.heard(node)
        self._again()

    def heard(self, node: Manifest) -> None:
        """The Node of a simulated node was written: its annotations say what it has left."""
        annotations = node["metadata"].get("annotations") or {}
        told = {name: text for name, text in annotations.items() if name.startswith(_ABOUT_US)}
        if self._ctx.machine.simulated and told != self._annotations:
            self._annotations = told
            self.look()

    def limit_set(self) -> None:
        """A pod of a simulated node has a limit of storage: from now on the node looks every ten seconds."""
        if self._ctx.machine.simulated and self._timer is None:
            self._timer = self._ctx.clock.call_later(CHECK_SECONDS, self.look)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        self.close()
        try:
            node = self._ctx.client.get("nodes", "", self._ctx.node).obj
        except (ApiError, StorageError) as error:
            logger.info("node %s: pressure is not looked at: %s", self._ctx.node, error)
            return
        found, thresholds = self._readings(node), self._thresholds(node)
        met = pressure.met(thresholds, found)
        now = self._ctx.clock.now()
        self._seen |= {pressure.SIGNALS[one.signal][0]: now for one in met}
        crossed = {pressure.SIGNALS[one.signal][0]: _crossing(one, found[one.signal]) for one in reversed(met)}
        self._show(node, pressure.held(self._seen, now), crossed)
        evicting = self._look_at_storage()
        if met and not evicting:
            self._relieve(node, met[0], found[met[0].signal])
        self._again()

    def _look_at_storage(self) -> bool:
        """Limits of single pods come first; while they make room nobody else has to go."""
        going = [s for s in self._states() if look_at(self._ctx, s)]
        for state in going:
            self._dispatch(state.ref.uid)
        return bool(going)

    def _readings(self, node: Manifest) -> dict[str, Reading]:
        if not self._ctx.machine.simulated:
            return readings.of_machine(self._ctx.pod_root)
        annotations = node["metadata"].get("annotations") or {}
        found, problems = readings.of_annotations(annotations, self._ctx.machine)
        for problem in problems:
            self._complain(node, problem)
        return found

    def _thresholds(self, node: Manifest) -> tuple[Threshold, ...]:
        text = (node["metadata"].get("annotations") or {}).get(THRESHOLDS)
        if text is None:
            return self._default
        try:
            return pressure.parse_thresholds(text)
        except ValueError as error:
            self._complain(node, f"annotation {THRESHOLDS}: {error}")
            return self._default

    def _complain(self, node: Manifest, problem: str) -> None:
        if problem not in self._told:
            self._told.add(problem)
            logger.warning("node %s: %s", self._ctx.node, problem)
            self._event(node, reasons.WARNING, reasons.FAILED_VALIDATION, problem, _BAD_ANNOTATION)

    def _show(self, node: Manifest, conditions: frozenset[str], crossed: Mapping[str, str]) -> None:
        before, self.conditions = self.conditions, conditions
        if before == conditions:
            return
        self._post()
        for name in sorted(before ^ conditions):
            came = name in conditions
            reason = _TOLD[name][0 if came else 1]
            why = crossed.get(name, "") if came else f"nothing was short for {_HOLD}"
            text = f"Node {self._ctx.node} status is now: {reason}"
            self._event(node, reasons.NORMAL, reason, text, why)

    def _relieve(self, node: Manifest, threshold: Threshold, reading: Reading) -> None:
        resource = pressure.SIGNALS[threshold.signal][1]
        why = _crossing(threshold, reading)
        text = f"Attempting to reclaim {resource}"
        self._event(node, reasons.WARNING, reasons.EVICTION_THRESHOLD_MET, text, why)
        living = {
            pods.uid(state.pod): state
            for state in self._states()
            if state.pod is not None and state.admitted and state.stage is Stage.SYNC and state.forced is None
        }
        measured = {uid: usage_of(self._ctx, state) for uid, state in living.items()}
        usage = {uid: used for uid, used in measured.items() if used is not None}
        first = pressure.victim(threshold, reading, [s.granted or {} for s in living.values()], usage)
        if first is None:
            logger.warning("node %s: %s is short, and no pod may be evicted", self._ctx.node, resource)
            return
        state = living[pods.uid(first.pod)]
        self._ctx.recorder.event(first.pod, reasons.WARNING, reasons.EVICTED, first.message, why=first.why)
        state.forced = Forced(reasons.EVICTED, first.message, unless_succeeded=True, disruption=first.message)
        state.grace = GRACE
        self._dispatch(state.ref.uid)

    def _again(self) -> None:
        """A simulated node has no clockwork of its own: it looks again while there is something to look for."""
        self.close()
        if not self._ctx.machine.simulated:
            return
        now = self._ctx.clock.now()
        soon = now + timedelta(seconds=CHECK_SECONDS)
        if not self.conditions:
            if any(has_limit(state) for state in self._states()):
                self._timer = self._ctx.clock.call_at(soon, self.look)
            return
        under_pressure = any(at == now for at in self._seen.values())
        over = min(at + pressure.HOLD for name, at in self._seen.items() if name in self.conditions)
        self._timer = self._ctx.clock.call_at(soon if under_pressure else max(over, soon), self.look)

    def _event(self, node: Manifest, kind: str, reason: str, text: str, why: str) -> None:
        about = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self._ctx.node, "uid": self._ctx.node}}
        self._ctx.recorder.event(about, kind, reason, text, why=why)


def _crossing(threshold: Threshold, reading: Reading) -> str:
    return f"{threshold.signal} is {reading.available}, less than the threshold {threshold.of(reading.capacity)}"
