"""The probe designer's picture: a course as shapes on a time axis, in percent of the width, and its sentences. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from podlab.glance import probe_course
from podlab.glance.probe_course import Course, Program

_LEFT, _RIGHT = 15.0, 98.0  # percent of the width that the axis takes
_LANE = 26
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
SCENARIO = ("answers", "breaks", "latency")


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    width: str
    y: int
    tone: str  # starting | running | ready | grace


@dataclass(frozen=True, slots=True)
class Mark:
    x: str
    y: int
    shape: str  # ok | failed
    text: str
    strong: bool  # crosses the threshold


@dataclass(frozen=True, slots=True)
class Lane:
    label: str
    y: int


@dataclass(frozen=True, slots=True)
class Stroke:
    """From a threshold to what it causes."""

    x: str
    y1: int
    y2: int
    tone: str


@dataclass(slots=True)
class Picture:
    height: int
    lanes: list[Lane] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    axis: list[tuple[str, str]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    scenario: dict[str, str] = field(default_factory=dict)
    left: str = f"{_LEFT}%"
    right: str = f"{_RIGHT}%"

    @property
    def base(self) -> int:
        return self.height - 20


def of(container: Any, sent: Mapping[str, str], name: str, *, grace: Any = 30) -> Picture | None:
    """For a container with probes; None for one without. `sent` holds what the person supposed of the program."""
    if not isinstance(container, dict):
        return None
    kinds = [kind for kind in ("startup", "liveness", "readiness") if isinstance(container.get(f"{kind}Probe"), dict)]
    if not kinds:
        return None
    scenario = {field: sent.get(f"s.{name}.{field}", "") for field in SCENARIO}
    program = Program(
        answers=_number(scenario["answers"]) or 0.0,
        breaks=_number(scenario["breaks"]),
        latency=_number(scenario["latency"]) or 0.0,
    )
    usual = grace if isinstance(grace, int) and not isinstance(grace, bool) and 0 <= grace <= 3600 else 30
    found = probe_course.course(container, program, grace=usual)
    return _draw(found, program, kinds, scenario)


def _number(text: str) -> float | None:
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= 3000 else None


def _draw(found: Course, program: Program, kinds: list[str], scenario: dict[str, str]) -> Picture:
    lanes = [_("container"), *kinds, "Ready"]
    made = Picture(height=len(lanes) * _LANE + 28, scenario=scenario)
    made.lanes = [Lane(label, 8 + n * _LANE) for n, label in enumerate(lanes)]
    scale = _Scale(found.horizon)
    end = found.killed if found.killed is not None else found.horizon
    top, low = made.lanes[0].y, made.lanes[-1].y
    if program.answers > 0:
        made.bars.append(scale.bar(0.0, min(program.answers, end), top, "starting"))
    works = min(program.breaks if program.breaks is not None else end, end)
    if works > program.answers:
        made.bars.append(scale.bar(program.answers, works, top, "running"))
    if program.breaks is not None and program.breaks < end:
        made.bars.append(scale.bar(program.breaks, end, top, "broken"))
    if found.killed is not None:
        made.bars.append(scale.bar(found.killed, min(found.killed + found.grace, found.horizon), top, "grace"))
    for since, until in found.ready:
        made.bars.append(scale.bar(since, until if until is not None else end, low, "ready"))
    rows = {kind: made.lanes[1 + n].y for n, kind in enumerate(kinds)}
    for tick in found.ticks:
        if tick.probe not in rows or tick.at > found.horizon:
            continue
        text = _("{probe} at {at} s: {run} of {threshold}").format(
            probe=_(tick.probe), at=_seconds(tick.at), run=tick.run, threshold=tick.threshold
        )
        y = rows[tick.probe] + 8
        made.marks.append(Mark(scale.x(tick.at), y, "ok" if tick.ok else "failed", text, bool(tick.caused)))
        if tick.caused:
            to = top + 16 if tick.caused == "restart" else low
            made.strokes.append(Stroke(scale.x(tick.at), y, to, "ok" if tick.ok else "failed"))
    made.axis = scale.ticks()
    made.sentences = _sentences(found)
    return made


class _Scale:
    def __init__(self, horizon: float) -> None:
        self.horizon = horizon

    def percent(self, at: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * at / self.horizon

    def x(self, at: float) -> str:
        return f"{self.percent(at):.2f}%"

    def bar(self, since: float, until: float, y: int, tone: str) -> Bar:
        return Bar(self.x(since), f"{max(self.percent(until) - self.percent(since), 0.2):.2f}%", y, tone)

    def ticks(self) -> list[tuple[str, str]]:
        step = next((step for step in _STEPS if self.horizon / step <= 8), _STEPS[-1])
        return [(self.x(at), f"{at} s") for at in range(0, int(self.horizon) + 1, step)]


def _seconds(at: float) -> str:
    return f"{at:.1f}".removesuffix(".0")


def _sentences(found: Course) -> list[str]:
    said = []
    if found.started is None:
        said.append(_("It never counts as started."))
    elif found.started > 0:
        said.append(_("Started after {at} s.").format(at=_seconds(found.started)))
    if found.ready:
        said.append(_("Ready after {at} s.").format(at=_seconds(found.ready[0][0])))
        lost = [until for _since, until in found.ready if until is not None]
        if lost:
            said.append(_("Not ready any more after {at} s.").format(at=_seconds(lost[0])))
    else:
        said.append(_("It never becomes ready."))
    if found.killed is not None:
        text = _("Killed after {at} s by its {probe} probe, at the latest {grace} s later by force, and started again.")
        said.append(text.format(at=_seconds(found.killed), probe=_(found.killer), grace=found.grace))
    else:
        said.append(_("Nothing kills it."))
    return said
