"""How one container ends: preStop hook, TERM, the rest of the grace period, KILL. Pure; `pod_workers` plays the steps.

killContainer of pkg/kubelet/kuberuntime/kuberuntime_container.go. A kill never waits: it is a value with points in
time, looked at again when the hook answers, a timer fires or the container has died.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.kubelet import pods

MINIMUM_GRACE = 2  # seconds that every container gets after TERM
_ROUNDING = timedelta(seconds=1)  # deletionTimestamp is cut to whole seconds


class Stage(StrEnum):
    HOOK = "hook"
    TERM = "term"
    KILL = "kill"


@dataclass(slots=True)
class Kill:
    """`deadline`: when the grace period ends. `hook_done` is set by the hook's answer. `after`: containers, by name, that
    must have ended before this one gets its TERM, as long as the grace lasts."""

    container_id: str
    name: str
    why: str
    deadline: datetime
    restart: bool = False
    stage: Stage = Stage.HOOK
    hook_done: bool = False
    kill_at: datetime | None = None
    after: frozenset[str] = frozenset()


class Step(StrEnum):
    """What to do next; `WAIT` until `next_look`."""

    TERM = "TERM"
    KILL = "KILL"
    WAIT = "WAIT"


def grace_seconds(pod: Manifest | None, *, label: int, probe_level: int | None = None, forced: bool = False) -> int:
    """The grace period of one kill. `label`: the one written on the container, for pods that are no longer known;
    `probe_level`: of the probe that failed; `forced`: the object has gone already."""
    if forced and pod is not None:
        return int(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
    if pod is None:
        return label
    given = pod["metadata"].get("deletionGracePeriodSeconds")
    if given is not None:
        return int(given)
    return pods.grace_period(pod) if probe_level is None else probe_level


def deadline(pod: Manifest | None, now: datetime, grace: int) -> datetime:
    """An agent that takes over a deletion goes on with what is left of its grace period."""
    end = now + times.span(grace)
    deletion = pods.deletion_time(pod) if pod is not None else None
    return end if deletion is None else max(min(end, deletion + _ROUNDING), now)


def goes_after(pod: Manifest, name: str) -> frozenset[str]:
    """Whom a container waits for in the end of its pod: a sidecar for the app containers and the sidecars behind it
    (kuberuntime_termination_order.go); others for nobody."""
    sidecars = [spec.name for spec in pods.sidecar_specs(pod)]
    if name not in sidecars:
        return frozenset()
    later = sidecars[sidecars.index(name) + 1 :]
    return frozenset([*(spec.name for spec in pods.app_specs(pod)), *later])


def next_step(kill: Kill, now: datetime, living: Set[str] = frozenset()) -> Step:
    """`living`: names of the pod's containers that still run."""
    if kill.stage is Stage.HOOK:
        ready = kill.hook_done and not kill.after & living
        return Step.TERM if ready or now >= kill.deadline else Step.WAIT
    if kill.kill_at is not None and now >= kill.kill_at:
        return Step.KILL
    return Step.WAIT


def after_term(kill: Kill, now: datetime) -> None:
    """TERM was sent: what is left of the grace, but never less than the minimum."""
    kill.stage = Stage.TERM
    kill.kill_at = max(kill.deadline, now + timedelta(seconds=MINIMUM_GRACE))


def next_look(kill: Kill) -> datetime | None:
    if kill.stage is Stage.HOOK:
        return kill.deadline
    return kill.kill_at
