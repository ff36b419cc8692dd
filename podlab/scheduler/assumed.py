"""Pods that have been given a node and are not bound to it yet, because their claims are being bound first. They hold their room
there meanwhile: nobody else gets it.

AssumePod and ForgetPod of pkg/scheduler/backend/cache, and the bindTimeoutSeconds of the plugin VolumeBinding. As there, it is
what one scheduler knows: after a restart the pods are placed anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from podlab.apis.types import Manifest
from podlab.scheduler.cycle import wants_node

BIND_TIMEOUT = timedelta(seconds=600)
TIMED_OUT = 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'


@dataclass(frozen=True, slots=True)
class Held:
    """`pod` as if it were on its node; `until`: how long its claims may take."""

    pod: Manifest
    node: str
    until: datetime


@dataclass(slots=True)
class Assumed:
    """By uid. Not thread-safe: pods of one cluster are placed one after the other."""

    _held: dict[str, Held] = field(default_factory=dict)

    def of(self, pod: Manifest) -> Held | None:
        return self._held.get(pod["metadata"]["uid"])

    def hold(self, pod: Manifest, node: str, now: datetime) -> None:
        """Take the room. The time for the claims counts from the first call."""
        before = self.of(pod)
        until = before.until if before is not None and before.node == node else now + BIND_TIMEOUT
        placed = {**pod, "spec": {**pod["spec"], "nodeName": node}}
        self._held[pod["metadata"]["uid"]] = Held(placed, node, until)

    def release(self, pod: Manifest) -> None:
        self._held.pop(pod["metadata"]["uid"], None)

    def beside(self, pod: Manifest, present: Iterable[Manifest]) -> list[Manifest]:
        """The others, as pods of their nodes. `present`: all pods that there are; those that are gone or bound by now are
        forgotten."""
        waiting = {one["metadata"]["uid"] for one in present if wants_node(one)}
        for uid in self._held.keys() - waiting:
            del self._held[uid]
        return [held.pod for uid, held in self._held.items() if uid != pod["metadata"]["uid"]]
