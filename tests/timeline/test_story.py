"""What the story makes of a pod's changes. Each test tells one short life."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pod_story import UID, FakeChange, FakeProbe, FakeRun, Log, at, event, pod, stamp, terminated

from podlab.glance import anatomy
from podlab.timeline.messages import Mark
from podlab.timeline.story import Story

CREATING = {"waiting": {"reason": "ContainerCreating"}}
RUNNING = {"running": {"startedAt": "2026-11-21T09:00:02Z"}}


def told(log: Log) -> Story:
    story = Story(UID)
    for entry in log.entries:
        story.change(entry)
    return story


def lane(story: Story, name: str) -> list[Mark]:
    return [mark for mark in story.marks if mark["lane"] == name]


def seconds(text: str | None) -> float:
    assert text is not None
    return round(float(text[17:-1]) + 60 * int(text[14:16]), 3)


def test_a_pod_that_starts_has_a_phase_band_and_a_dashed_then_a_solid_bar() -> None:
    story = told(
        Log()
        .add(0, pod())
        .add(1, pod(state=CREATING))
        .add(2.5, pod(phase="Running", state=RUNNING, ready=True), why="The image is here; app is started.")
    )
    pending, running = lane(story, "phase")
    assert (pending["text"], seconds(pending["start"]), seconds(pending["end"])) == ("Pending", 0, 2.5)
    assert (running["text"], running["end"]) == ("Running", None)
    waiting, run = lane(story, "container/app")
    assert (waiting["state"], waiting["reason"], seconds(waiting["end"])) == ("waiting", "ContainerCreating", 2.5)
    assert (run["state"], run["text"], run["attempt"], run["end"]) == ("running", "#0", 0, None)
    assert run["why"] == "The image is here; app is started."
    assert run["evidence"]["path"] == "spec.containers[0]"


def test_a_condition_is_a_span_for_each_status_and_reason() -> None:
    story = told(
        Log()
        .add(0, pod(conditions=[("Ready", "False", "ContainersNotReady", "containers with unready status: [app]")]))
        .add(1, pod(conditions=[("Ready", "False", "ContainersNotReady", "containers with unready status: [app]")]))
        .add(4, pod(conditions=[("Ready", "True", "", "")]))
    )
    false, true = lane(story, "condition/Ready")
    assert (false["state"], seconds(false["end"])) == ("False", 4)
    assert false["sentence"].endswith("no requests. Kubernetes says: containers with unready status: [app]")
    assert (true["state"], true["end"]) == ("True", None)


def test_a_crash_loop_counts_down_from_the_end_of_the_run() -> None:
    back_off = {
        "reason": "CrashLoopBackOff",
        "message": "back-off 20s restarting failed container=app pod=web_default(u)",
    }
    story = told(
        Log()
        .add(0, pod(phase="Running", state=RUNNING))
        .add(3.2, pod(phase="Running", state={"terminated": terminated(1, 0, 3)}))
        .add(3.3, pod(phase="Running", state={"running": {}}, last=terminated(1, 0, 3), restarts=1))
        .add(6.1, pod(phase="Running", state={"terminated": terminated(1, 3, 6)}, restarts=1))
        .add(6.4, pod(phase="Running", state={"waiting": back_off}, last=terminated(1, 3, 6), restarts=1))
    )
    first, second, waiting = lane(story, "container/app")
    assert (first["text"], first["exit_code"], first["outcome"], seconds(first["end"])) == ("#0", 1, "failed", 3.2)
    assert first["sentence"] == "app ended with exit code 1 (Error) after 3.2 s."
    assert (second["text"], second["state"]) == ("#1", "ended")
    assert (waiting["reason"], seconds(waiting["until"])) == ("CrashLoopBackOff", 26)
    assert waiting["sentence"].endswith("waits 20 s before it starts it again.")
    assert waiting["evidence"]["command"] == "kubectl logs web -c app -n default"
    assert waiting["evidence"]["path"] == "spec.restartPolicy"


def test_a_run_that_nobody_saw_running_still_gets_its_bar() -> None:
    story = told(
        Log()
        .add(0, pod(state=CREATING))
        .add(30, pod(state={"running": {}}, restarts=2, last=terminated(137, 10, 12)))
    )  # fmt: skip
    _, missed, present = lane(story, "container/app")
    assert (missed["attempt"], seconds(missed["start"]), seconds(missed["end"])) == (1, 10, 12)
    assert (missed["outcome"], missed["exit_code"]) == ("failed", 137)
    assert (present["attempt"], present["end"]) == (2, None)


def test_rows_of_container_runs_make_times_exact_and_give_the_reason() -> None:
    story = told(Log().add(2, pod(state=RUNNING)).add(9, pod(state={"terminated": terminated(137, 2, 8)})))
    assert story.run_needed()
    row = FakeRun(started_at=at(1.85), finished_at=at(8.75), exit_code=137, stop_why="Liveness failed 3 of 3.")
    (changed,) = story.runs([row])
    assert (seconds(changed["start"]), seconds(changed["end"])) == (1.85, 8.75)
    assert changed["why"] == "Liveness failed 3 of 3."
    assert "after 6.9 s" in changed["sentence"]
    assert story.runs([row]) == []
    assert not story.run_needed()


@pytest.mark.parametrize(
    ("caused", "target", "text"),
    [
        ("restart", "container/app", "3 of 3 → killed"),
        ("unready", "condition/ContainersReady", "3 of 3 → not ready"),
        ("started", "container/app", "3 of 3 → started"),
    ],
)
def test_the_probe_that_crosses_the_threshold_names_what_it_causes(caused: str, target: str, text: str) -> None:
    story = told(Log().add(0, pod(phase="Running", state=RUNNING)))
    plain, crossing = story.probes(
        [
            FakeProbe(7, at(5), "failure", run=2, message="connection refused\n"),
            FakeProbe(8, at(6), "failure", run=3, caused=caused),
        ]
    )
    assert (plain["caused"], plain["target"], plain["text"]) == ("", "", "")
    assert plain["sentence"] == "Liveness probe of app failed after 4 ms (2 of 3 in a row). connection refused"
    assert plain["why"] == "After 3 failures in a row the kubelet kills app."
    assert (crossing["target"], crossing["text"], crossing["seq"]) == (target, text, 8)
    assert crossing["evidence"]["path"] == "spec.containers[0].livenessProbe"


def test_an_event_that_is_counted_up_is_a_mark_each_time_and_one_about_another_pod_is_none() -> None:
    story = told(
        Log()
        .add(0, event("BackOff", type="Warning"), type="ADDED")
        .add(5, event("BackOff", type="Warning", count=2))
        .add(6, event("BackOff", type="Warning", count=2))
        .add(7, event("Killing", uid="other", name="web.2"), type="ADDED")
        .add(9, event("BackOff", type="Warning", count=2), type="DELETED")
    )
    first, second = lane(story, "events")
    assert (first["sentence"], second["state"]) == ("Warning BackOff from kubelet: BackOff happened", "Warning")
    assert second["sentence"] == "Warning BackOff from kubelet, seen 2 times: BackOff happened"


def test_an_event_is_evidence_for_the_span_that_it_explains_before_or_after() -> None:
    image = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x"'}}
    before = told(Log().add(0, event("BackOff")).add(1, pod(state=image)))
    after = told(Log().add(0, pod(state=image)).add(1, event("BackOff")))
    for story in (before, after):
        (span,) = lane(story, "container/app")
        assert span["evidence"]["event"] is not None
        assert span["evidence"]["event"]["reason"] == "BackOff"
        assert span["evidence"]["path"] == "spec.containers[0].image"


def test_a_container_that_never_started_ends_where_it_would_have_begun() -> None:
    never = {"exitCode": 128, "reason": "StartError", "startedAt": "1970-01-01T00:00:00Z", "finishedAt": stamp(3)}
    story = told(Log().add(0, pod(state=CREATING)).add(3.2, pod(phase="Running", state={"terminated": never})))
    story.runs([FakeRun(started_at=datetime(1970, 1, 1, tzinfo=UTC), finished_at=at(3), exit_code=128)])
    run = next(mark for mark in lane(story, "container/app") if mark["id"] == "run:app:0")
    assert (seconds(run["start"]), seconds(run["end"])) == (3, 3)


def test_deletion_counts_down_to_kill_and_a_shorter_one_moves_the_end() -> None:
    story = told(Log().add(0, pod(phase="Running", state=RUNNING)).add(10, pod(deleted=40, grace=30)))
    (deletion,) = lane(story, "deletion")
    assert (seconds(deletion["start"]), seconds(deletion["until"]), deletion["text"]) == (10, 40, "TERM → KILL")
    assert "have 30 s before KILL" in deletion["sentence"]
    story.change(Log().add(12, pod(deleted=14, grace=2)).entries[0])
    assert seconds(lane(story, "deletion")[0]["until"]) == 14


def test_when_the_pod_is_gone_nothing_goes_on() -> None:
    story = told(
        Log()
        .add(0, pod(phase="Running", state=RUNNING, conditions=[("Ready", "True", "", "")]))
        .add(10, pod(phase="Running", state=RUNNING, deleted=40, grace=30))
        .add(13, pod(phase="Running", state=RUNNING, deleted=40, grace=30), type="DELETED")
    )
    assert story.gone
    assert all(mark["end"] is not None for mark in story.marks)
    assert lane(story, "deletion")[0]["sentence"] == "The pod is gone, 3.0 s after its deletion was asked for."


def test_preStop_hooks_are_named_before_TERM() -> None:
    hook = {"lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}}}
    story = told(Log().add(0, pod(container=hook)).add(1, pod(container=hook, deleted=31, grace=30)))
    (deletion,) = lane(story, "deletion")
    assert deletion["sentence"].startswith("Deletion was asked for: preStop hooks run first")
    assert deletion["text"] == "preStop → TERM → KILL"


def killing(message: str) -> dict[str, Any]:
    return event("Killing") | {"message": message}


@pytest.mark.parametrize(
    ("message", "until"),
    [
        ("Container app failed liveness probe, will be restarted", 14),
        ("Container app failed startup probe, will be restarted", 30),
    ],
)
def test_a_container_that_is_killed_counts_down_from_TERM_to_KILL(message: str, until: float) -> None:
    container = {"livenessProbe": {"terminationGracePeriodSeconds": 4}, "startupProbe": {}}
    spec = {"terminationGracePeriodSeconds": 20}
    log = Log().add(0, pod(phase="Running", state=RUNNING, container=container, spec=spec)).add(10, killing(message))
    story = told(log)
    _, grace = lane(story, "container/app")
    assert (grace["kind"], grace["text"], grace["attempt"]) == ("grace", "TERM → KILL", 0)
    assert (seconds(grace["start"]), seconds(grace["until"]), grace["end"]) == (10, until, None)
    assert grace["evidence"]["event"] is not None
    story.change(log.add(13, pod(phase="Running", state={"terminated": terminated(137, 2, 13)})).entries[-1])
    story.runs([FakeRun(started_at=at(2), finished_at=at(12.6))])
    ended, grace = lane(story, "container/app")
    assert seconds(grace["end"]) == 12.6
    asked = f"spec.containers[0].{'liveness' if 'liveness' in message else 'startup'}Probe"
    assert {ended["evidence"]["path"], grace["evidence"]["path"]} == {asked}
    # The next run ends by itself: what ended the one before is no evidence of that.
    again = {"running": {"startedAt": stamp(14)}}
    story.change(log.add(14, pod(phase="Running", state=again, restarts=1)).entries[-1])
    crash = {"terminated": terminated(3, 14, 15)}
    story.change(log.add(15, pod(phase="Running", state=crash, restarts=1)).entries[-1])
    _, _, crashed = lane(story, "container/app")
    assert (crashed["exit_code"], crashed["evidence"]["path"]) == (3, "spec.containers[0]")
    assert crashed["evidence"]["event"] is None


def test_the_commands_name_the_cluster() -> None:
    story = Story(UID, cluster="other")
    (entry,) = Log().add(0, pod(phase="Running", state=RUNNING)).entries
    story.change(entry)
    commands = {mark["evidence"]["command"] for mark in story.marks}
    assert all("--context podlab-other" in command for command in commands)


def test_the_countdown_of_a_deleted_pods_container_ends_with_the_pods() -> None:
    hook = {"lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}}}
    running = pod(phase="Running", state=RUNNING, container=hook, deleted=40, grace=30)
    story = told(Log().add(10, running).add(10.2, killing("Stopping container app")))
    grace = lane(story, "container/app")[1]
    assert (seconds(grace["until"]), grace["text"]) == (40, "preStop → TERM → KILL")
    assert "its preStop hook runs first" in grace["sentence"]
    assert told(Log().add(1, killing("Stopping container app"))).marks[0]["kind"] == "event"


def life() -> Log:
    log = Log().add(0, pod()).add(1, pod(state=CREATING)).add(2, pod(phase="Running", state=RUNNING))
    log.add(3, event("Started")).add(9, pod(phase="Running", state={"terminated": terminated(1, 2, 9)}))
    return log.add(10, pod(phase="Running", state={"running": {}}, last=terminated(1, 2, 9), restarts=1))


def test_telling_it_twice_or_in_pieces_gives_the_same_marks() -> None:
    once, twice = told(life()), told(Log(life().entries + life().entries))
    assert json.dumps(once.marks) == json.dumps(twice.marks)


@pytest.mark.parametrize("seen", range(7))
def test_who_comes_back_gets_exactly_what_is_missing(seen: int) -> None:
    log = life()
    client: dict[str, Any] = {}
    story = Story(UID)
    for entry in log.entries[:seen]:
        client |= {mark["id"]: json.loads(json.dumps(mark)) for mark in story.change(entry)}
    again = told(log)
    client |= {mark["id"]: mark for mark in again.since(seen, 0)}
    assert client == {mark["id"]: mark for mark in again.marks}


def test_the_log_of_an_ended_run_is_the_previous_one_only_when_another_has_begun() -> None:
    command = "kubectl logs web -c app -n default"
    ended = lane(told(Log(life().entries[:5])), "container/app")[-1]
    assert (ended["exit_code"], ended["evidence"]["command"]) == (1, command)
    first, second = (mark for mark in lane(told(life()), "container/app") if mark["state"] in ("ended", "running"))
    assert [first["evidence"]["command"], second["evidence"]["command"]] == [f"{command} --previous", command]


def test_a_container_killed_for_its_memory_points_at_its_limits() -> None:
    killed = {"terminated": terminated(137, 2, 9) | {"reason": "OOMKilled"}}
    ended = lane(told(Log().add(9, pod(phase="Failed", state=killed))), "container/app")[0]
    assert ended["evidence"]["path"] == "spec.containers[0].resources"


def test_sentences_go_through_the_translation() -> None:
    story = Story(UID, translate=lambda text: {"{container} is running.": "{container} läuft."}.get(text, text))
    story.change(Log().add(0, pod(state=RUNNING)).entries[0])
    assert lane(story, "container/app")[0]["sentence"] == "app läuft."


@dataclass
class FakePull:
    started_at: datetime = at(1)
    finished_at: datetime | None = None
    container: str = "app"
    image: str = "web:2"
    layers: int = 0
    layers_done: int = 0
    current: int = 0
    total: int = 0
    error: str = ""


PULLS: dict[str, tuple[FakePull, float | None, str, str]] = {
    "just begun": (FakePull(), None, "", "The image web:2 of app is being pulled."),
    "half way": (
        FakePull(layers=4, layers_done=1, current=1_500_000, total=3_000_000),
        0.5,
        "",
        "The image web:2 of app is being pulled: 1 of 4 layers, 1.5 MB of 3.0 MB.",
    ),
    "over": (
        FakePull(finished_at=at(3), current=9, total=9),
        1.0,
        "done",
        "The image web:2 of app was pulled in 2.0 s.",
    ),
    "failed": (
        FakePull(finished_at=at(3), error="no such host"),
        None,
        "failed",
        "Pulling the image web:2 of app failed after 2.0 s: no such host",
    ),
}


@pytest.mark.parametrize("case", PULLS)
def test_a_pull_is_a_mark_of_its_container(case: str) -> None:
    row, share, outcome, sentence = PULLS[case]
    story = Story(UID)
    story.change(FakeChange(1, at(0), pod()))
    (mark,) = story.pulls([row])
    assert (mark["kind"], mark["lane"], mark["text"]) == ("pull", "container/app", "web:2")
    assert (mark["share"], mark["outcome"], mark["sentence"]) == (share, outcome, sentence)
    assert mark["evidence"]["path"].endswith(".image")
    (again,) = story.pulls([replace(row, current=1, total=2)])
    assert again["id"] == mark["id"]
    assert mark["id"] in [one["id"] for one in story.since(99, 99)]


def slice_of(ready: bool | None, *, uid: str = UID) -> dict[str, Any]:
    """An EndpointSlice of Service front; None = the pod is not in it."""
    places = [] if ready is None else [{"targetRef": {"kind": "Pod", "uid": uid}, "conditions": {"ready": ready}}]
    meta = {"name": "front-abc", "labels": {"kubernetes.io/service-name": "front"}}
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "endpoints": places}


def test_services_that_take_the_pod_in_and_out_are_told() -> None:
    story = Story(UID)
    log = Log().add(0, pod()).add(1, slice_of(None)).add(2, slice_of(True)).add(3, slice_of(True, uid="other"))
    for entry in log.add(4, slice_of(False)).add(5, slice_of(True)).entries:
        story.change(entry)
    told = [(mark["state"], mark["target"], mark["end"] is None) for mark in story.marks if mark["kind"] == "endpoint"]
    assert told == [("True", "", False), ("False", "condition/Ready", False), ("True", "", True)]
    left = next(mark for mark in story.marks if mark["kind"] == "endpoint" and mark["state"] == "False")
    assert left["sentence"] == "Service front sends no requests to the pod: it is no longer among its endpoints."
    assert left["evidence"]["command"] == "kubectl get endpointslices -n default -l kubernetes.io/service-name=front"


def test_a_sleeping_hook_says_when_term_comes() -> None:
    story = Story(UID)
    container = {"lifecycle": {"preStop": {"sleep": {"seconds": 4}}}}
    log = Log().add(0, pod(phase="Running", state={"running": {}}, container=container))
    for entry in log.add(10, event("Killing")).entries:
        story.change(entry)
    (grace,) = [mark for mark in story.marks if mark["kind"] == "grace"]
    assert (grace["start"], grace["term"], grace["until"]) == tuple(
        anatomy.instant(at(second)) for second in (10, 14, 40)
    )


def test_conditions_rest_on_fields_of_the_pod() -> None:
    container = {"readinessProbe": {"exec": {"command": ["true"]}}}
    conditions = [
        ("PodScheduled", "True", "", ""),
        ("Initialized", "True", "", ""),
        ("Ready", "False", "ContainersNotReady", "containers with unready status: [app]"),
    ]
    story = Story(UID)
    story.change(Log().add(0, pod(conditions=conditions, container=container)).entries[0])
    paths = {mark["text"]: mark["evidence"]["path"] for mark in story.marks if mark["kind"] == "condition"}
    assert paths == {"PodScheduled": "spec.nodeName", "Initialized": "", "Ready": "spec.containers[0].readinessProbe"}
