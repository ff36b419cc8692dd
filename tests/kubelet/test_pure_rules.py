"""Back-off, kills, probe counting, phases: the small pure rules, each as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kubelet_world import container, pod

from podlab.apis import probing
from podlab.apis.probing import Gate, Kind, Outcome, ProbeSpec, State, Target
from podlab.apis.types import Manifest
from podlab.kubelet import backoff, conditions, kill, pleg, pods
from podlab.kubelet.backoff import Entry, Run
from podlab.kubelet.plan import with_running
from podlab.runtime.interface import ContainerState, ContainerStatus, PodRef, PodStatus

T0 = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


# Back-off


def test_waits_double_from_ten_to_three_hundred_seconds() -> None:
    entry: Entry | None = None
    waits, end = [], 0.0
    for _ in range(8):
        until = backoff.waits_until(entry, at(end))
        waits.append((until - at(end)).total_seconds() if until else 0.0)
        start = until or at(end)
        entry = backoff.after_try(entry, at(end), start)
        end = (start - T0).total_seconds() + 1
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]


def test_ten_minutes_of_health_forget_the_back_off() -> None:
    entry = Entry(160, T0)
    assert backoff.waits_until(entry, at(600)) == at(760)
    assert backoff.waits_until(entry, at(600.001)) is None
    assert backoff.after_try(entry, at(601), at(601)).seconds == 10


REPLAYS: dict[str, tuple[list[Run], float | None]] = {
    "no run at all": ([], None),
    "a first run has no back-off": ([Run("i", at(0), at(1))], None),
    "one restart": ([Run("i", at(0), at(1)), Run("i", at(1), at(2))], 10),
    "three restarts": (
        [Run("i", at(0), at(1)), Run("i", at(1), at(2)), Run("i", at(12), at(13)), Run("i", at(33), None)],
        40,
    ),
    "another image begins anew": ([Run("i", at(0), at(1)), Run("j", at(1), at(2)), Run("i", at(2), at(3))], None),
    "a long run begins anew": (
        [Run("i", at(0), at(1)), Run("i", at(1), at(2)), Run("i", at(12), at(900)), Run("i", at(900), None)],
        10,
    ),
}


@pytest.mark.parametrize("sentence", REPLAYS)
def test_history_gives_the_back_off_back(sentence: str) -> None:
    runs, expected = REPLAYS[sentence]
    entry = backoff.replay(runs, "i")
    assert (entry.seconds if entry else None) == expected


# Kills


@pytest.mark.parametrize(
    ("sentence", "meta", "probe_level", "forced", "expected"),
    [
        ("the pod's own grace", {}, None, False, 30),
        ("a probe with its own grace", {}, 3, False, 3),
        ("a probe with a grace of 0", {}, 0, False, 0),
        ("the grace of the deletion", {"deletionGracePeriodSeconds": 7}, None, False, 7),
        ("the deletion wins over the probe", {"deletionGracePeriodSeconds": 7}, 3, False, 7),
        ("an object that was removed by force", {"deletionGracePeriodSeconds": 0}, None, True, 0),
        ("an object that disappeared without a word", {}, None, True, 0),
    ],
)
def test_grace(sentence: str, meta: dict[str, Any], probe_level: int | None, forced: bool, expected: int) -> None:
    one = pod()
    one["metadata"].update(meta)
    assert kill.grace_seconds(one, label=99, probe_level=probe_level, forced=forced) == expected, sentence


def test_containers_without_a_pod_have_the_grace_of_their_label() -> None:
    assert kill.grace_seconds(None, label=12, forced=True) == 12


def test_a_kill_goes_from_hook_to_term_to_kill() -> None:
    one = kill.Kill("id", "c", "why", deadline=at(10))
    assert kill.next_step(one, at(1)) is kill.Step.WAIT
    assert kill.next_look(one) == at(10)
    one.hook_done = True
    assert kill.next_step(one, at(3)) is kill.Step.TERM
    kill.after_term(one, at(3))
    assert one.kill_at == at(10)
    assert kill.next_step(one, at(9)) is kill.Step.WAIT
    assert kill.next_step(one, at(10)) is kill.Step.KILL


def test_after_a_hook_that_used_the_grace_up_two_seconds_are_left() -> None:
    one = kill.Kill("id", "c", "why", deadline=at(10))
    assert kill.next_step(one, at(10)) is kill.Step.TERM
    kill.after_term(one, at(10))
    assert one.kill_at == at(12)


def test_a_later_agent_has_what_is_left_until_the_deletion_timestamp() -> None:
    one = pod()
    one["metadata"]["deletionTimestamp"] = "2026-11-21T02:00:30Z"
    assert kill.deadline(one, T0, 30) == at(30)
    assert kill.deadline(one, at(20), 30) == at(31)
    assert kill.deadline(one, at(50), 30) == at(50)
    assert kill.deadline(None, T0, 2**63 - 1).year > 2300  # all that the field can hold


# Probe counting


def spec(kind: Kind, **more: Any) -> ProbeSpec:
    return ProbeSpec(kind=kind, **more)


def play(one: ProbeSpec, outcomes: str) -> tuple[State, list[str]]:
    """Feed outcomes (s f w e) to a fresh worker; returns its state and what each result caused."""
    names = {"s": Outcome.SUCCESS, "f": Outcome.FAILURE, "w": Outcome.WARNING, "e": Outcome.ERROR}
    state, caused = State(container_id="id", verdict=probing.INITIAL[one.kind]), []
    for letter in outcomes:
        counted = probing.observe(state, one, names[letter])
        state = counted.state
        caused.append(counted.caused)
    return state, caused


COUNTS: dict[str, tuple[ProbeSpec, str, bool | None, str]] = {
    "one success makes ready": (spec(Kind.READINESS), "s", True, "ready"),
    "two failures of three change nothing": (spec(Kind.READINESS), "sff", True, "ready,,"),
    "three failures make unready": (spec(Kind.READINESS), "sfff", False, "ready,,,unready"),
    "a success between begins the count anew": (spec(Kind.READINESS), "sffsff", True, "ready,,,,,"),
    "two successes wanted": (spec(Kind.READINESS, success_threshold=2), "sfss", True, ",,,ready"),
    "an error counts as neither": (spec(Kind.READINESS), "sfefef", False, "ready,,,,,unready"),
    "a warning is a success": (spec(Kind.READINESS), "w", True, "ready"),
    "liveness begins alive": (spec(Kind.LIVENESS), "s", True, ""),
    "liveness fails at its threshold": (spec(Kind.LIVENESS, failure_threshold=2), "ff", False, ",restart"),
    "startup succeeds once": (spec(Kind.STARTUP), "ffs", True, ",,started"),
    "startup fails at its threshold": (spec(Kind.STARTUP), "fff", False, ",,restart"),
}


@pytest.mark.parametrize("sentence", COUNTS)
def test_counting(sentence: str) -> None:
    one, outcomes, verdict, caused = COUNTS[sentence]
    state, seen = play(one, outcomes)
    assert (state.verdict, ",".join(seen)) == (verdict, caused)


def test_a_failed_liveness_probe_holds_until_another_container_comes() -> None:
    one = spec(Kind.LIVENESS, failure_threshold=1)
    state, _ = play(one, "f")
    target = Target(container_id="id", running=True, started=True, started_at=T0, deleting=False)
    assert probing.gate(state, one, target, at(10)) is Gate.SKIP
    state = probing.meet(
        state, one, Target(container_id="new", running=True, started=True, started_at=T0, deleting=False)
    )
    assert (state.verdict, state.on_hold) == (True, False)


GATES: dict[str, tuple[Kind, dict[str, Any], Gate]] = {
    "a running, started container is probed": (Kind.LIVENESS, {}, Gate.PROBE),
    "one that does not run is not": (Kind.LIVENESS, {"running": False}, Gate.SKIP),
    "before it is started only startup probes": (Kind.LIVENESS, {"started": False}, Gate.SKIP),
    "startup probes before it is started": (Kind.STARTUP, {"started": False}, Gate.PROBE),
    "startup rests afterwards": (Kind.STARTUP, {}, Gate.SKIP),
    "deletion ends liveness": (Kind.LIVENESS, {"deleting": True}, Gate.STOP),
    "deletion ends startup": (Kind.STARTUP, {"deleting": True, "started": False}, Gate.STOP),
    "readiness goes on in deletion": (Kind.READINESS, {"deleting": True}, Gate.PROBE),
    "the initial delay counts whole seconds": (Kind.READINESS, {"started_at": at(-4.9)}, Gate.SKIP),
    "and is over when they have passed": (Kind.READINESS, {"started_at": at(-5)}, Gate.PROBE),
}


@pytest.mark.parametrize("sentence", GATES)
def test_gates(sentence: str) -> None:
    kind, changes, expected = GATES[sentence]
    facts = {
        "container_id": "id",
        "running": True,
        "started": True,
        "started_at": at(-60),
        "deleting": False,
        **changes,
    }
    one = spec(kind, initial_delay=5)
    assert probing.gate(State(container_id="id"), one, Target(**facts), T0) is expected


@pytest.mark.parametrize(("after", "expected"), [(-1, 0), (0, 10), (9.9, 10), (10, 20), (25, 30)])
def test_ticks_are_those_of_a_ticker_that_began_at_its_epoch(after: float, expected: float) -> None:
    assert probing.next_tick(T0, 10, at(after)) == at(expected)


# Phases


def entry(**state: Any) -> Manifest:
    last = state.pop("last", None)
    ((name, value),) = state.items()
    body: Manifest = {} if name != "terminated" else {"exitCode": value}
    return {
        "name": "c",
        "state": {name: body},
        "lastState": {"terminated": {"exitCode": last}} if last is not None else {},
        "ready": name == "terminated" and value == 0,
    }


RUN, WAIT = entry(running=1), entry(waiting=1)
PHASES: dict[str, tuple[str, list[Manifest], list[Manifest], bool, str]] = {
    "one waits for its first run": ("Always", [], [RUN, WAIT], False, "Pending"),
    "all run": ("Always", [], [RUN, RUN], False, "Running"),
    "one crash-loops": ("Always", [], [entry(waiting=1, last=1)], False, "Running"),
    "ended, to be restarted": ("Always", [], [entry(terminated=0)], False, "Running"),
    "failed, to be restarted": ("OnFailure", [], [entry(terminated=1)], False, "Running"),
    "all succeeded": ("OnFailure", [], [entry(terminated=0)], False, "Succeeded"),
    "one failed, none restarts": ("Never", [], [entry(terminated=0), entry(terminated=1)], False, "Failed"),
    "one runs beside a failed one": ("Never", [], [RUN, entry(terminated=1)], False, "Running"),
    "a deleted pod whose containers exited 0": ("Always", [], [entry(terminated=0)], True, "Succeeded"),
    "a deleted pod whose containers were killed": ("Always", [], [entry(terminated=137)], True, "Failed"),
    "an init container runs": ("Always", [RUN], [WAIT], False, "Pending"),
    "an init container fails and is retried": ("Always", [entry(terminated=1)], [WAIT], False, "Pending"),
    "an init container fails for good": ("Never", [entry(terminated=1)], [WAIT], False, "Failed"),
    "the init containers are done": ("Never", [entry(terminated=0)], [RUN], False, "Running"),
}


@pytest.mark.parametrize("sentence", PHASES)
def test_phases(sentence: str) -> None:
    policy, init, apps, ending, expected = PHASES[sentence]
    inits = [{**one, "name": f"i{number}"} for number, one in enumerate(init)]
    mains = [{**one, "name": f"c{number}"} for number, one in enumerate(apps)]
    spec = pod(*(container(one["name"]) for one in mains), policy=policy)
    spec["spec"]["initContainers"] = [container(one["name"]) for one in inits]
    assert conditions.phase(spec, inits, mains, ending=ending) == expected


def beside(**state: Any) -> Manifest:
    """A sidecar's status; it has started unless the test says otherwise."""
    started = state.pop("started", True)
    return {**entry(**state), "name": "side", "started": started}


SIDECAR_PHASES: dict[str, tuple[Manifest, Manifest, bool, str]] = {
    "a sidecar that has not started holds the pod back": (beside(running=1, started=False), WAIT, False, "Pending"),
    "a sidecar that restarts does not put a running pod back": (beside(waiting=1, last=1), RUN, False, "Running"),
    "a sidecar that waits for its first run holds the pod back": (beside(waiting=1), WAIT, False, "Pending"),
    "how a sidecar ended does not count": (beside(terminated=9), entry(terminated=0), False, "Succeeded"),
    "how a sidecar ended does not count in a deleted pod": (
        beside(terminated=9),
        entry(terminated=0),
        True,
        "Succeeded",
    ),
    "while a sidecar runs on the pod runs": (beside(running=1), entry(terminated=0), False, "Running"),
}


@pytest.mark.parametrize("sentence", SIDECAR_PHASES)
def test_phases_of_pods_with_a_sidecar(sentence: str) -> None:
    side, main, ending, expected = SIDECAR_PHASES[sentence]
    spec = pod(container("c"), policy="Never", initContainers=[container("side", restartPolicy="Always")])
    assert conditions.phase(spec, [side], [main], ending=ending) == expected


RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
NOT_RULE = {"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [0]}}
RESTARTS: dict[str, tuple[str, dict[str, Any], int, bool]] = {
    "the pod's policy holds where the container has none": ("OnFailure", {}, 1, True),
    "the container's own policy wins over the pod's": ("Never", {"restartPolicy": "Always"}, 0, True),
    "Never of its own is never": ("Always", {"restartPolicy": "Never"}, 1, False),
    "a rule that names the exit code wins over its policy": (
        "Never", {"restartPolicy": "Never", "restartPolicyRules": [RULE]}, 42, True,
    ),
    "a rule for another exit code leaves it to the policy": (
        "Never", {"restartPolicy": "Never", "restartPolicyRules": [RULE]}, 41, False,
    ),
    "a rule may name what the exit code is not": (
        "Never", {"restartPolicy": "Never", "restartPolicyRules": [NOT_RULE]}, 3, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", RESTARTS)
def test_restart_rules_of_containers(sentence: str) -> None:
    policy, own, code, expected = RESTARTS[sentence]
    manifest = pod(container(**own), policy=policy)
    spec = pods.app_specs(manifest)[0]
    assert pods.may_restart(manifest, spec, code) is expected
    assert pods.restart_rule_text(manifest, spec, code)


def test_transition_times_move_only_with_the_status() -> None:
    old = [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-21T01:00:00Z"}]
    foreign = {"type": "example.com/gate", "status": "True", "lastTransitionTime": "2026-11-21T01:00:00Z"}
    one = pod()
    one["status"]["conditions"] = [*old, foreign]
    same = conditions.merge(one, [{"type": "Ready", "status": "False", "reason": "X"}], T0)
    assert same[0]["lastTransitionTime"] == "2026-11-21T01:00:00Z"
    moved = conditions.merge(one, [{"type": "Ready", "status": "True"}], T0)
    assert moved[0]["lastTransitionTime"] == "2026-11-21T02:00:00Z"
    assert moved[-1] == foreign


def test_readiness_gates_are_asked_after_the_containers() -> None:
    one = pod(readinessGates=[{"conditionType": "example.com/gate"}])
    ready = {"name": "main", "state": {"running": {}}, "ready": True}
    made = conditions.conditions(one, [], [ready], new_phase="Running", sandbox_ready=True)
    found = next(c for c in made if c["type"] == "Ready")
    assert found["reason"] == "ReadinessGatesNotReady"
    assert found["message"] == 'corresponding condition of pod readiness gate "example.com/gate" does not exist.'


# Odds and ends


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (1, "1s"),
        (1.234, "1.234s"),
        (40, "40s"),
        (80, "1m20s"),
        (160, "2m40s"),
        (300, "5m0s"),
    ],
)
def test_durations_are_printed_as_go_does(seconds: float, text: str) -> None:
    assert pods.go_duration(seconds) == text


def test_the_hash_of_a_container_depends_on_its_image_only() -> None:
    one = container()
    assert pods.container_hash(one) == pods.container_hash({**one, "env": [{"name": "A", "value": "1"}]})
    assert pods.container_hash(one) != pods.container_hash({**one, "image": "busybox:1.37"})


def test_a_relist_names_the_pods_that_changed() -> None:
    from podlab.runtime.interface import PodRef, PodStatus, SandboxStatus

    def status(uid: str, *, ready: bool) -> PodStatus:
        ref = PodRef("default", uid, uid)
        return PodStatus(ref, (SandboxStatus(id=uid, pod=ref, attempt=0, ready=ready, ip="", created_at=T0),))

    old = {"a": status("a", ready=True), "b": status("b", ready=True), "c": status("c", ready=True)}
    new = {"a": status("a", ready=True), "b": status("b", ready=False), "d": status("d", ready=True)}
    assert pleg.changed(old, new) == ["b", "c", "d"]


def test_who_was_started_is_told_to_run_before_its_end_is_told() -> None:
    ref = PodRef("default", "p", "u")
    quick = ContainerStatus(
        id="a",
        pod=ref,
        name="a",
        sandbox_id="s",
        attempt=0,
        state=ContainerState.EXITED,
        image="i",
        image_id="i",
        created_at=T0,
        started_at=T0,
        finished_at=at(0.1),
        exit_code=3,
        reason="Error",
    )
    earlier = replace(quick, id="b", name="b")
    told = with_running(PodStatus(ref, (), (quick, earlier)), {"a"}).containers
    assert (told[0].state, told[0].started_at, told[0].exit_code, told[0].reason) == (
        ContainerState.RUNNING,
        T0,
        None,
        "",
    )
    assert told[1] == earlier
