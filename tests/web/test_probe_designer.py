"""What the probe designer foretells, by the kubelet's own counting."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.glance import probe_course
from podlab.glance.probe_course import Course, Program
from podlab.web import probe_picture

TCP = {"tcpSocket": {"port": 80}}


def course(program: Program | None = None, grace: int = 30, **probes: dict[str, int]) -> Course:
    container = {f"{kind}Probe": {**TCP, **probe} for kind, probe in probes.items()}
    return probe_course.course(container, program or Program(), grace=grace)


@pytest.mark.parametrize(
    ("program", "probes", "started", "ready", "killed"),
    [
        # readiness is asked at the start, then every period
        (Program(), {"readiness": {"periodSeconds": 5}}, 0, [(0, None)], None),
        (Program(answers=7), {"readiness": {"periodSeconds": 5}}, 0, [(10, None)], None),
        (Program(answers=7), {"readiness": {"periodSeconds": 5, "successThreshold": 3}}, 0, [(20, None)], None),
        (Program(), {"readiness": {"periodSeconds": 10, "initialDelaySeconds": 5}}, 0, [(10, None)], None),
        (Program(breaks=12), {"readiness": {"periodSeconds": 5, "failureThreshold": 2}}, 0, [(0, 20)], None),
        # liveness ticks from when the pod was seen, one second before
        (Program(breaks=0), {"liveness": {"periodSeconds": 10}}, 0, [(0, 29)], 29),
        (Program(answers=25), {"liveness": {"periodSeconds": 10, "initialDelaySeconds": 20}}, 0, [(0, None)], None),
        (Program(answers=60), {"liveness": {"periodSeconds": 10, "initialDelaySeconds": 20}}, 0, [(0, 49)], 49),
        # a startup probe holds the others off
        (Program(answers=20), {"startup": {"periodSeconds": 5}, "liveness": {"periodSeconds": 1}}, None, [], 14),
        (Program(answers=20), {"startup": {"periodSeconds": 5, "failureThreshold": 9}, "liveness": {"periodSeconds": 1}},
         24, [(24, None)], None),
        # slower than its time-out is a failure
        (Program(latency=2), {"liveness": {"periodSeconds": 5, "failureThreshold": 1}}, 0, [(0, 5)], 5),
        (Program(latency=2), {"liveness": {"periodSeconds": 5, "failureThreshold": 1, "timeoutSeconds": 3}}, 0, [(0, None)], None),
    ],
)  # fmt: skip
def test_the_course_of_a_container(
    program: Program, probes: dict[str, Any], started: float | None, ready: list[Any], killed: float | None
) -> None:
    found = course(program, **probes)
    assert (found.started, found.ready, found.killed) == (started, ready, killed)


def test_a_probes_own_grace_comes_before_the_pods() -> None:
    slow = {"periodSeconds": 1, "failureThreshold": 1}
    assert course(Program(breaks=0), grace=7, liveness=slow).grace == 7
    own = course(Program(breaks=0), grace=7, liveness={**slow, "terminationGracePeriodSeconds": 2})
    assert (own.grace, own.killer) == (2, "liveness")


@pytest.mark.parametrize("numbers", [{"periodSeconds": "x"}, {"periodSeconds": -1}, {"failureThreshold": 10**9}])
def test_numbers_that_are_none_are_left_out(numbers: dict[str, Any]) -> None:
    assert course(readiness=numbers).ticks == []


def test_the_picture_says_it_and_stays_in_its_frame() -> None:
    container = {"livenessProbe": {**TCP, "periodSeconds": 5}, "readinessProbe": TCP}
    sent = {"s.spec.containers[0].answers": "3", "s.spec.containers[0].breaks": "21"}
    picture = probe_picture.of(container, sent, "spec.containers[0]", grace=10)
    assert picture is not None
    assert [lane.label for lane in picture.lanes] == ["container", "liveness", "readiness", "Ready"]
    assert picture.sentences[-1].startswith("Killed after 34 s by its liveness probe, at the latest 10 s later")
    assert {"ok", "failed"} == {mark.shape for mark in picture.marks}
    for shape in (*picture.marks, *picture.bars, *picture.strokes):
        assert 0 <= float(shape.x.rstrip("%")) <= 98.01


@pytest.mark.parametrize("container", [None, [], {}, {"readinessProbe": None}, {"readinessProbe": 5}])
def test_without_probes_there_is_no_picture(container: Any) -> None:
    assert probe_picture.of(container, {}, "c") is None


@pytest.mark.parametrize("text", ["x", "-3", "inf", "nan", "9" * 400])
def test_nonsense_is_supposed_to_be_nothing(text: str) -> None:
    picture = probe_picture.of({"readinessProbe": TCP}, {"s.c.answers": text}, "c")
    assert picture is not None
    assert "Ready after 0 s." in picture.sentences
