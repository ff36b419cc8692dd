"""What the three probes of a container would do to it: the kubelet's own counting over a supposed program. Pure.

The probe designer draws it. The program is supposed to answer from one second on and perhaps to stop at a later one; all
times are seconds after the container's start. The pod is supposed to have been seen a second earlier, because that is when
the kubelet's tickers begin; in life this differs by pod, so single ticks may lie up to a period elsewhere.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from podlab.apis import probing
from podlab.apis.probing import Gate, Kind, Outcome, ProbeSpec, State, Target
from podlab.apis.types import Manifest

START = datetime(2000, 1, 1, tzinfo=UTC)
SEEN_BEFORE = 1.0
MOST_TICKS = 600
LONGEST = 3600.0
_KINDS = (Kind.STARTUP, Kind.LIVENESS, Kind.READINESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Answers from `answers` until `breaks` (None: for ever), each time after `latency` seconds."""

    answers: float = 0.0
    breaks: float | None = None
    latency: float = 0.0

    def outcome(self, at: float, timeout: int) -> tuple[Outcome, float]:
        """What a probe at that second ends with, and how long it takes."""
        if at < self.answers or (self.breaks is not None and at >= self.breaks):
            return Outcome.FAILURE, 0.0
        return (Outcome.FAILURE, float(timeout)) if self.latency > timeout else (Outcome.SUCCESS, self.latency)


@dataclass(frozen=True, slots=True)
class Tick:
    probe: str
    at: float
    ok: bool
    run: int
    threshold: int
    caused: str  # "" | started | ready | unready | restart


@dataclass(slots=True)
class Course:
    """`ready` are spans (until None: to the end). `killed` is when TERM is sent, `grace` how long until KILL."""

    ticks: list[Tick] = field(default_factory=list)
    started: float | None = None
    ready: list[tuple[float, float | None]] = field(default_factory=list)
    killed: float | None = None
    killer: str = ""
    grace: int = 30
    horizon: float = 30.0


def course(container: Manifest, program: Program, *, grace: int = 30) -> Course:
    """`container` is the manifest's; probes whose numbers are not numbers are left out."""
    specs = _specs(container)
    run = _Run(specs, program, Course(grace=grace))
    run.play(_limit(specs, program))
    return run.course


def _specs(container: Manifest) -> dict[Kind, ProbeSpec]:
    found = {}
    for kind in _KINDS:
        probe = container.get(f"{kind.value}Probe")
        if not isinstance(probe, dict):
            continue
        try:
            spec = probing.spec_of(kind.value, probe)
        except (TypeError, ValueError):
            continue
        numbers = (spec.initial_delay, spec.period, spec.timeout, spec.success_threshold, spec.failure_threshold)
        if all(0 <= number <= LONGEST for number in numbers) and spec.period:
            found[kind] = spec
    return found


def _limit(specs: Mapping[Kind, ProbeSpec], program: Program) -> float:
    """Long enough for everything that can still happen."""
    waits = [
        one.initial_delay + (max(one.failure_threshold, one.success_threshold) + 2) * one.period + one.timeout
        for one in specs.values()
    ]
    return min(max(program.answers, program.breaks or 0.0) + sum(waits) + 10.0, LONGEST)


class _Run:
    """One container's life, tick by tick."""

    def __init__(self, specs: dict[Kind, ProbeSpec], program: Program, into: Course) -> None:
        self.specs, self.program, self.course = specs, program, into
        self.states = {kind: probing.meet(State(), spec, self._target(started=False)) for kind, spec in specs.items()}
        self.epochs = dict.fromkeys(specs, -SEEN_BEFORE)
        self.queue: list[tuple[float, int, Kind]] = []

    def _target(self, *, started: bool) -> Target:
        return Target(container_id="c", running=True, started=started, started_at=START, deleting=False)

    def play(self, limit: float) -> None:
        for kind in self.specs:
            self._push(kind, self._next(kind, 0.0))
        if Kind.STARTUP not in self.specs:
            self._start(0.0)
        while self.queue and len(self.course.ticks) < MOST_TICKS and self.course.killed is None:
            at, _, kind = heapq.heappop(self.queue)
            if at > limit:
                break
            self._tick(kind, at)
        self.course.horizon = self._horizon(limit)

    def _push(self, kind: Kind, at: float) -> None:
        heapq.heappush(self.queue, (at, _KINDS.index(kind), kind))

    def _next(self, kind: Kind, after: float) -> float:
        tick = probing.next_tick(_moment(self.epochs[kind]), self.specs[kind].period, _moment(after))
        return (tick - START).total_seconds()

    def _start(self, at: float) -> None:
        """From now on it counts as started: readiness is asked at once, and its period begins anew."""
        self.course.started = at
        if Kind.READINESS in self.specs:
            self.queue = [one for one in self.queue if one[2] is not Kind.READINESS]
            self.epochs[Kind.READINESS] = at
            self._push(Kind.READINESS, at)
        else:
            self.course.ready.append((at, None))

    def _tick(self, kind: Kind, at: float) -> None:
        spec, state = self.specs[kind], self.states[kind]
        gate = probing.gate(state, spec, self._target(started=self.course.started is not None), _moment(at))
        if gate is not Gate.PROBE:
            if not state.on_hold:
                self._push(kind, self._next(kind, at))
            return
        outcome, took = self.program.outcome(at, spec.timeout)
        counted = probing.observe(state, spec, outcome)
        self.states[kind] = counted.state
        ok = outcome is Outcome.SUCCESS
        self.course.ticks.append(Tick(kind.value, at, ok, counted.run, counted.threshold, counted.caused))
        if not counted.state.on_hold:
            self._push(kind, max(self._next(kind, at), at + took))
        self._cause(kind, counted.caused, at + took)

    def _cause(self, kind: Kind, caused: str, at: float) -> None:
        if caused == "started":
            self._start(at)
        elif caused == "ready":
            self.course.ready.append((at, None))
        elif caused in ("unready", "restart") and self.course.ready and self.course.ready[-1][1] is None:
            self.course.ready[-1] = (self.course.ready[-1][0], at)
        if caused == "restart":
            spec = self.specs[kind]
            self.course.killed, self.course.killer = at, kind.value
            self.course.grace = spec.grace if isinstance(spec.grace, int) else self.course.grace

    def _horizon(self, limit: float) -> float:
        """A little after the last thing that changed, or after the end."""
        if self.course.killed is not None:
            return self.course.killed + min(float(max(self.course.grace, 1)), self.course.killed + 15.0) + 2.0
        seen = [tick.at for tick in self.course.ticks if tick.caused]
        seen += [self.program.answers, self.program.breaks or 0.0, self.course.started or 0.0]
        slowest = max((spec.period for spec in self.specs.values()), default=5)
        return min(max(20.0, max(seen) + 2.5 * slowest), max(limit, 20.0))


def _moment(at: float) -> datetime:
    return START + timedelta(seconds=at)
