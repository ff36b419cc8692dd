"""How many pods a disruption budget lets go: the arithmetic between a budget, its pods and its status.

The disruption controller writes what `status_of` answers; `registry.evicting` counts it down. Pure. Source:
pkg/controller/disruption/disruption.go, component-helpers/apps/poddisruptionbudget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from podlab.apis import pods, times
from podlab.apis.types import Manifest

DELETION_TIMEOUT = timedelta(minutes=2)
ALLOWED = "DisruptionAllowed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`recheck`: when the first evicted pod that is still there counts again. `overdue`: names of those that do already."""

    status: Manifest
    recheck: datetime | None = None
    overdue: tuple[str, ...] = ()


def needs_scale(budget: Manifest) -> bool:
    """Whether the budget is a share of what the pods' controllers want, rather than a number of pods."""
    spec = budget.get("spec") or {}
    return spec.get("maxUnavailable") is not None or isinstance(spec.get("minAvailable"), str)


def status_of(budget: Manifest, selected: Sequence[Manifest], expected: int, now: datetime) -> Outcome:
    """The status for these pods. `expected` is how many there should be."""
    desired = _desired(budget.get("spec") or {}, expected)
    evicted, recheck, overdue = _evicted(budget, selected, now)
    healthy = sum(1 for pod in selected if _is_healthy(pod, evicted))
    allowed = max(healthy - desired, 0) if expected > 0 else 0
    generation = int((budget.get("metadata") or {}).get("generation") or 0)
    before = budget.get("status") or {}
    status: Manifest = {
        "observedGeneration": generation,
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "conditions": with_allowed(before.get("conditions") or [], allowed=allowed, generation=generation, now=now),
    }
    if evicted:
        status["disruptedPods"] = evicted
    return Outcome(status, recheck, overdue)


def with_allowed(conditions: Sequence[Manifest], *, allowed: int, generation: int, now: datetime) -> list[Manifest]:
    """The conditions with the one that tells whether anything may be disrupted."""
    return _replaced(
        conditions,
        {
            "type": ALLOWED,
            "status": "True" if allowed > 0 else "False",
            "observedGeneration": generation,
            "reason": "SufficientPods" if allowed > 0 else "InsufficientPods",
            "message": "",
        },
        now,
    )


def failed(budget: Manifest, problem: str, now: datetime) -> Manifest:
    """The status when the pods cannot be counted: nothing may be disrupted."""
    before = budget.get("status") or {}
    condition = {
        "type": ALLOWED,
        "status": "False",
        "observedGeneration": int(before.get("observedGeneration") or 0),
        "reason": "SyncFailed",
        "message": problem,
    }
    return {**before, "disruptionsAllowed": 0, "conditions": _replaced(before.get("conditions") or [], condition, now)}


def _replaced(conditions: Sequence[Manifest], fresh: Manifest, now: datetime) -> list[Manifest]:
    """meta.SetStatusCondition: the time moves only with the status."""
    old = pods.get_condition(conditions, fresh["type"])
    same = old is not None and old.get("status") == fresh["status"]
    fresh["lastTransitionTime"] = old["lastTransitionTime"] if old and same else times.rfc3339(now)
    if old is None:
        return [*conditions, fresh]
    return [fresh if item is old else item for item in conditions]


def scaled(value: Any, whole: int) -> int:
    """A number, or a share of `whole` rounded up (intstr.GetScaledValueFromIntOrPercent)."""
    if isinstance(value, int):
        return value
    return -(-int(str(value).removesuffix("%")) * whole // 100)


def _desired(spec: Manifest, expected: int) -> int:
    if spec.get("maxUnavailable") is not None:
        return max(expected - scaled(spec["maxUnavailable"], expected), 0)
    return scaled(spec["minAvailable"], expected) if spec.get("minAvailable") is not None else 0


def _evicted(
    budget: Manifest, selected: Sequence[Manifest], now: datetime
) -> tuple[Manifest, datetime | None, tuple[str, ...]]:
    """Pods that were evicted and are still there, for as long as they are believed to be going."""
    known: Mapping[str, str] = (budget.get("status") or {}).get("disruptedPods") or {}
    believed: Manifest = {}
    ends: list[datetime] = []
    overdue = []
    for pod in selected:
        meta = pod.get("metadata") or {}
        name = str(meta.get("name"))
        if name not in known or meta.get("deletionTimestamp"):
            continue
        end = times.parse(known[name]) + DELETION_TIMEOUT
        if end < now:
            overdue.append(name)
        else:
            believed[name] = known[name]
            ends.append(end)
    return believed, min(ends, default=None), tuple(overdue)


def _is_healthy(pod: Manifest, evicted: Manifest) -> bool:
    meta = pod.get("metadata") or {}
    return not meta.get("deletionTimestamp") and meta.get("name") not in evicted and pods.is_ready(pod)
