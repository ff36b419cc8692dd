"""One probe of one container as a state machine: values in, values out. The kubelet's probe manager feeds it with real
results, `glance.probe_course` with supposed ones, so that what the probe designer draws is what the kubelet does.

doProbe of pkg/kubelet/prober/worker.go, cut in two: `gate` says whether a probe may run now, `observe` counts its
result. A verdict changes only after `threshold` equal results in a row; after a failed liveness probe or any verdict
of a startup probe the worker is on hold until another container takes the place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from podlab.apis.types import Manifest


class Kind(StrEnum):
    STARTUP = "startup"
    LIVENESS = "liveness"
    READINESS = "readiness"


class Outcome(StrEnum):
    """`ERROR` means that the probe could not be made; it counts as neither."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    kind: Kind
    initial_delay: int = 0
    period: int = 10
    timeout: int = 1
    success_threshold: int = 1
    failure_threshold: int = 3
    grace: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The container as the worker sees it at one moment."""

    container_id: str
    running: bool
    started: bool  # its startup probe, if any, has succeeded
    started_at: datetime | None
    deleting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`verdict` None = unknown yet (startup); `last`/`run`: the latest result and how often in a row."""

    container_id: str = ""
    verdict: bool | None = None
    last: bool | None = None
    run: int = 0
    on_hold: bool = False


class Gate(StrEnum):
    PROBE = "probe"
    SKIP = "skip"  # not now, ask again at the next tick
    STOP = "stop"  # never again


INITIAL = {Kind.READINESS: False, Kind.LIVENESS: True, Kind.STARTUP: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What one result did. `threshold` is the one it counts towards; `caused`: restart | ready | unready | started,
    when this result crossed it and changed something."""

    state: State
    run: int
    threshold: int
    caused: str = ""


def spec_of(kind: str, probe: Manifest) -> ProbeSpec:
    return ProbeSpec(
        kind=Kind(kind),
        initial_delay=int(probe.get("initialDelaySeconds") or 0),
        period=int(probe.get("periodSeconds") or 10),
        timeout=int(probe.get("timeoutSeconds") or 1),
        success_threshold=int(probe.get("successThreshold") or 1),
        failure_threshold=int(probe.get("failureThreshold") or 3),
        grace=probe.get("terminationGracePeriodSeconds"),
    )


def meet(state: State, spec: ProbeSpec, target: Target) -> State:
    """A container that the worker has not seen resets it."""
    if state.container_id == target.container_id:
        return state
    # lastResult and resultRun survive in the kubelet too: only hold and verdict belong to the container.
    return replace(state, container_id=target.container_id, verdict=INITIAL[spec.kind], on_hold=False)


def gate(state: State, spec: ProbeSpec, target: Target, now: datetime) -> Gate:
    if state.on_hold or not target.running:
        return Gate.SKIP
    if target.deleting and spec.kind is not Kind.READINESS:
        return Gate.STOP
    age = now - target.started_at if target.started_at else timedelta()
    if int(age.total_seconds()) < spec.initial_delay:
        return Gate.SKIP
    # Before the container counts as started only the startup probe runs, afterwards only the others.
    return Gate.PROBE if (spec.kind is Kind.STARTUP) is not target.started else Gate.SKIP


def observe(state: State, spec: ProbeSpec, outcome: Outcome) -> Counted:
    """Count one result."""
    if outcome is Outcome.ERROR:
        return Counted(state=state, run=1, threshold=spec.failure_threshold)
    ok = outcome is not Outcome.FAILURE
    run = state.run + 1 if state.last is ok else 1
    threshold = spec.success_threshold if ok else spec.failure_threshold
    counted = replace(state, last=ok, run=run)
    if run < threshold:
        return Counted(state=counted, run=run, threshold=threshold)
    caused = _caused(spec.kind, ok) if state.verdict is not ok else ""
    counted = replace(counted, verdict=ok)
    if spec.kind is Kind.STARTUP or (spec.kind is Kind.LIVENESS and not ok):
        counted = replace(counted, on_hold=True, run=0)
    return Counted(state=counted, run=run, threshold=threshold, caused=caused)


def _caused(kind: Kind, ok: bool) -> str:
    if kind is Kind.READINESS:
        return "ready" if ok else "unready"
    if not ok:
        return "restart"
    return "started" if kind is Kind.STARTUP else ""


def next_tick(epoch: datetime, period: int, after: datetime) -> datetime:
    """The first tick of a ticker that began at `epoch`, later than `after`."""
    passed = int((after - epoch).total_seconds() // period)
    tick = epoch + timedelta(seconds=period * max(passed, 0))
    while tick <= after:
        tick += timedelta(seconds=period)
    return tick
