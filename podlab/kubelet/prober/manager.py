"""All probes of a node: one worker per container and probe type, driven by timers of the clock.

`update` is called with every sync of a pod; ticks are those of a ticker that began when the pod was first seen
(worker.go run). Results go to history in batches, to the pod as `Unhealthy` and `ProbeWarning` events, and a verdict that
changed asks for a sync. Nothing is decided here: `apis.probing` counts, `prober` dials, the sync acts.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from podlab.apis import probing, reasons
from podlab.apis.probing import Gate, Kind, Outcome, ProbeSpec, State, Target
from podlab.apis.types import Manifest
from podlab.clock import Clock, Timer
from podlab.kubelet import pods
from podlab.kubelet.plan import Verdict, newest
from podlab.kubelet.pods import Spec
from podlab.kubelet.prober import prober
from podlab.kubelet.runs import ProbeNote
from podlab.registry.events import Recorder
from podlab.runtime.calls import PURPOSE
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import ContainerState, PodStatus, Runtime

MAX_TRIES = 3  # prober.go maxProbeRetries: only probes that could not be made are tried again


@dataclass(slots=True)
class _Worker:
    """One probe of one container. `target` is renewed by every update."""

    pod: Manifest
    container: Spec
    probe: Manifest
    spec: ProbeSpec
    epoch: datetime
    state: State = field(default_factory=State)
    target: Target | None = None
    attempt: int = 0
    pod_ip: str = ""
    message: str = ""
    probing: bool = False
    again: bool = False  # a manual trigger came while probing
    stopped: bool = False
    timer: Timer | None = None


class ProbeManager:
    def __init__(
        self,
        *,
        runtime: Runtime,
        clock: Clock,
        recorder: Recorder,
        rng: random.Random,
        dispatch: Callable[[str], None],
        record: Callable[[list[ProbeNote]], None],
        batch_seconds: float,
        defer: Callable[[Callable[[], None]], None],
    ) -> None:
        self._runtime = runtime
        self._clock = clock
        self._recorder = recorder
        self._rng = rng
        self._dispatch = dispatch
        self._record = record
        self._batch_seconds = batch_seconds
        self._defer = defer
        self._begun = clock.now()
        self._workers: dict[str, dict[tuple[str, str], _Worker]] = {}
        self._notes: list[ProbeNote] = []
        self._flushing = False
        self._lock = threading.RLock()
        self._closed = False

    # What the pod's sync asks and tells

    def update(self, pod: Manifest, observed: PodStatus, *, hooked: frozenset[str] = frozenset()) -> None:
        """Show the workers of a pod their containers; new ones begin, those of containers that run get their ticks."""
        sandbox = next((s for s in observed.sandboxes if s.ready), None)
        with self._lock:
            if self._closed:
                return
            mine = self._workers.setdefault(pods.uid(pod), {})
            for spec in (*pods.sidecar_specs(pod), *pods.app_specs(pod)):
                for kind, probe in pods.probes(spec.manifest):
                    one = mine.get((spec.name, kind))
                    if one is None:
                        one = self._new_worker(pod, spec, kind, probe)
                        mine[(spec.name, kind)] = one
                    one.pod, one.pod_ip = pod, sandbox.ip if sandbox is not None else ""
                    self._aim(one, observed, hooked, mine)

    def verdicts(self, uid: str) -> dict[tuple[str, str], Verdict]:
        """What the probes say now, by container id and kind."""
        with self._lock:
            return {
                (one.state.container_id, one.spec.kind.value): Verdict(one.state.verdict, one.message)
                for one in self._workers.get(uid, {}).values()
                if one.state.container_id and one.state.verdict is not None
            }

    def stop_killers(self, uid: str) -> None:
        """The pod is ending: liveness and startup probes have no say any more, readiness goes on."""
        with self._lock:
            for one in self._workers.get(uid, {}).values():
                if one.spec.kind is not Kind.READINESS:
                    self._stop(one)

    def remove(self, uid: str) -> None:
        with self._lock:
            for one in self._workers.pop(uid, {}).values():
                self._stop(one)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for uid in list(self._workers):
                self.remove(uid)
        self.flush()

    def flush(self) -> None:
        """Write the results that wait."""
        with self._lock:
            notes, self._notes, self._flushing = self._notes, [], False
        if notes:
            self._record(notes)

    # Timers

    def _new_worker(self, pod: Manifest, spec: Spec, kind: str, probe: Manifest) -> _Worker:
        made = probing.spec_of(kind, probe)
        now = self._clock.now()
        # Only an agent that has just begun spreads its probes; later the first one is made at once.
        just_begun = now - self._begun < timedelta(seconds=made.period) and now > self._begun
        jitter = self._rng.random() * made.period if just_begun and pods.phase(pod) == "Running" else 0.0
        return _Worker(pod, spec, probe, made, now + timedelta(seconds=jitter))

    def _aim(
        self, one: _Worker, observed: PodStatus, hooked: frozenset[str], mine: dict[tuple[str, str], _Worker]
    ) -> None:
        status = newest(observed, one.container.name)
        if status is None or one.stopped:
            return
        running = status.state is ContainerState.RUNNING and status.id not in hooked
        startup = mine.get((one.container.name, Kind.STARTUP.value))
        started = running and (
            startup is None or (startup.state.container_id == status.id and startup.state.verdict is True)
        )
        before = one.target
        one.target = Target(
            container_id=status.id,
            running=running,
            started=started,
            started_at=status.started_at,
            deleting=pods.deletion_time(one.pod) is not None,
        )
        one.attempt = status.attempt
        one.state = probing.meet(one.state, one.spec, one.target)
        if before is None:
            self._inherit(one)
        if not running:
            self._pause(one)
            return
        fresh = before is None or before.container_id != status.id or not before.started
        if one.spec.kind is Kind.READINESS and started and fresh:
            self._trigger(one)
        elif one.timer is None and not one.probing:
            self._schedule(one)

    def _inherit(self, one: _Worker) -> None:
        """An agent that takes a running container over believes what the last one said, until it knows better:
        replacing the agent changes no pod (ChangeContainerStatusOnKubeletRestart, off since 1.35)."""
        old = pods.old_status(one.pod, one.container)
        if old is None or not str(old.get("containerID") or "").endswith(f"://{one.state.container_id}"):
            return
        if one.spec.kind is Kind.STARTUP and old.get("started"):
            one.state = replace(one.state, verdict=True, on_hold=True)
        elif one.spec.kind is Kind.READINESS and old.get("ready"):
            one.state = replace(one.state, verdict=True)

    def _pause(self, one: _Worker) -> None:
        if one.timer is not None:
            one.timer.cancel()
            one.timer = None
        if one.spec.kind is Kind.READINESS and one.state.verdict:
            one.state = State(container_id=one.state.container_id, verdict=False)

    def _stop(self, one: _Worker) -> None:
        one.stopped = True
        one.state = State(container_id=one.state.container_id, verdict=True if one.state.verdict is not None else None)
        if one.timer is not None:
            one.timer.cancel()
            one.timer = None

    def _trigger(self, one: _Worker) -> None:
        """Probe now, and begin the period anew."""
        if one.probing:
            one.again = True
            return
        if one.timer is not None:
            one.timer.cancel()
        one.epoch = self._clock.now()
        one.timer = self._clock.call_later(0.0, lambda: self._tick(one))

    def _schedule(self, one: _Worker, after: datetime | None = None) -> None:
        if one.stopped or one.state.on_hold or self._closed:
            return
        tick = probing.next_tick(one.epoch, one.spec.period, after or self._clock.now())
        one.timer = self._clock.call_at(tick, lambda: self._tick(one))

    def _tick(self, one: _Worker) -> None:
        now = self._clock.now()
        with self._lock:
            one.timer = None
            if one.stopped or one.target is None or self._closed:
                return
            gate = probing.gate(one.state, one.spec, one.target, now)
            if gate is Gate.STOP:
                self._stop(one)
                return
            if gate is Gate.SKIP:
                if one.target.running:
                    self._schedule(one)
                return
            one.probing = True
        self._probe(one, one.target.container_id, now, tries=1)

    # One probe

    def _probe(self, one: _Worker, container_id: str, now: datetime, *, tries: int) -> None:
        attempt = prober.Attempt(
            probe=one.probe,
            container=one.container.manifest,
            container_id=container_id,
            pod_ip=one.pod_ip,
            timeout=one.spec.timeout,
        )

        def done(result: prober.Result) -> None:
            if result.outcome is Outcome.ERROR and tries < MAX_TRIES and not one.stopped:
                self._probe(one, container_id, now, tries=tries + 1)
            else:
                self._finish(one, container_id, now, result)

        purpose = PURPOSE.set(one.spec.kind.value)
        try:
            prober.run(self._runtime, attempt, done)
        except RuntimeFailure as error:
            self._finish(one, container_id, now, prober.Result(Outcome.ERROR, str(error), 0.0))
        finally:
            PURPOSE.reset(purpose)

    def _finish(self, one: _Worker, container_id: str, began: datetime, result: prober.Result) -> None:
        with self._lock:
            one.probing = False
            if one.stopped or self._closed or one.target is None or one.target.container_id != container_id:
                if not one.stopped and not self._closed and one.target is not None and one.target.running:
                    self._schedule(one)
                return
            before = one.state.verdict
            counted = probing.observe(one.state, one.spec, result.outcome)
            one.state = counted.state
            changed = counted.state.verdict is not before
            if changed:
                one.message = verdict_text(one.spec.kind, result, counted.run)
            self._note(one, began, result, counted)
            if one.again:
                one.again = False
                self._trigger(one)
            else:
                self._schedule(one, began)
        self._tell(one, result, counted)
        if changed or counted.caused:
            self._dispatch(pods.uid(one.pod))

    def _note(self, one: _Worker, at: datetime, result: prober.Result, counted: probing.Counted) -> None:
        self._notes.append(
            ProbeNote(
                pod_uid=pods.uid(one.pod),
                container=one.container.name,
                attempt=one.attempt,
                probe=one.spec.kind.value,
                at=at,
                latency_ms=round(result.seconds * 1000, 3),
                outcome=result.outcome.value,
                message=result.message,
                run=counted.run,
                threshold=counted.threshold,
                caused=counted.caused,
            )
        )
        if not self._flushing:
            self._flushing = True
            self._clock.call_later(self._batch_seconds, lambda: self._defer(self.flush))

    def _tell(self, one: _Worker, result: prober.Result, counted: probing.Counted) -> None:
        name, path = one.spec.kind.value.capitalize(), one.container.field_path
        if result.outcome is Outcome.FAILURE:
            why = _count_text(counted)
            text = f"{name} probe failed: {result.message}"
            self._recorder.event(one.pod, reasons.WARNING, reasons.UNHEALTHY, text, field_path=path, why=why)
        elif result.outcome is Outcome.ERROR:
            text = f"{name} probe errored and resulted in unknown state: {result.message}"
            why = f"the probe could not be made in {MAX_TRIES} tries, so it does not count"
            self._recorder.event(one.pod, reasons.WARNING, reasons.UNHEALTHY, text, field_path=path, why=why)
        elif result.outcome is Outcome.WARNING:
            text = f"{name} probe warning: {result.message}"
            self._recorder.event(
                one.pod, reasons.WARNING, reasons.PROBE_WARNING, text, field_path=path, why="a warning is a success"
            )


_CAUSED = {"restart": "the container is restarted", "unready": "the container is not ready any more"}


def _count_text(counted: probing.Counted) -> str:
    """`3 of 3 failures in a row: the container is restarted`"""
    told = f"{counted.run} of {counted.threshold} failures in a row"
    if counted.run > counted.threshold:
        told = f"{counted.run} failures in a row, where {counted.threshold} are enough"
    return f"{told}: {_CAUSED[counted.caused]}" if counted.caused in _CAUSED else told


def verdict_text(kind: Kind, result: prober.Result, run: int) -> str:
    """Why the verdict is what it is, in one sentence."""
    times = "once" if run == 1 else f"{run} times in a row"
    if result.outcome is Outcome.FAILURE:
        return f"{kind.value} probe failed {times}: {result.message.strip()}"
    return f"{kind.value} probe succeeded {times}"
