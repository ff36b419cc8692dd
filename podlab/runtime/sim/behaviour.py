"""What people say about a simulated container in annotations of its pod, read into a value.

    sim.podlab.dev/<container>.exit-after: "10s"          ends by itself so long after its start …
    sim.podlab.dev/<container>.exit-code: "1,1,0"         … with this code; a list goes by attempt, the last one stays
    sim.podlab.dev/<container>.log: "working"             a line to print, every …
    sim.podlab.dev/<container>.log-interval: "2s"         … (default 1s; "0" = once)
    sim.podlab.dev/<container>.liveness: "ok:10s,fail:20s,ok"   what the probe gets, from the container's start on:
    sim.podlab.dev/<container>.readiness: …               ok, fail, hang, or an HTTP status such as 503; the last value
    sim.podlab.dev/<container>.startup: …                 stays. Without it the simulated server or script answers
    sim.podlab.dev/<container>.latency: "5ms:30s,2s"      how long answers take
    sim.podlab.dev/<container>.ignore-term: "true"        TERM does nothing: it is killed after the grace period
    sim.podlab.dev/<container>.term-delay: "3s"           how long it takes to end on TERM
    sim.podlab.dev/<container>.term-code: "143"           the exit code then (default 0)
    sim.podlab.dev/<container>.memory: "20Mi:10s,300Mi"   use over time; more than the limit = OOMKilled
    sim.podlab.dev/<container>.start-error: "text"        the process cannot be started
    sim.podlab.dev/pull-time: "5s"                        how long pulling an image of this pod takes
    sim.podlab.dev/pull-error: "text"                     pulling fails with this text

`exit-after`, `exit-code` and `log` replace what the command would do; the others change it. A value that cannot be read
makes `parse` raise `BadBehaviour`, and the container fails to be created with its text. Called by `runtime`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from podlab.apis import quantity
from podlab.runtime.sim.machine import SECOND, Machine, Program, Wait

T = TypeVar("T")

PREFIX = "sim.podlab.dev/"
PURPOSES = ("liveness", "readiness", "startup")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


class BadBehaviour(ValueError):
    """An annotation with a value that means nothing; the text names it."""


@dataclass(frozen=True, slots=True)
class Course:
    """Values over time: each for a number of microseconds, the last for ever."""

    steps: tuple[tuple[str, int | None], ...]

    def at(self, micros: int) -> str:
        for value, span in self.steps:
            if span is None or micros < span:
                return value
            micros -= span
        return self.steps[-1][0]

    def starts(self) -> list[tuple[int, str]]:
        """When each value begins."""
        found, at = [], 0
        for value, span in self.steps:
            found.append((at, value))
            at += span or 0
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    exit_after: int | None = None  # micros
    exit_codes: tuple[int, ...] = ()
    log: str = ""
    log_interval: int = SECOND
    outcomes: tuple[tuple[str, Course], ...] = ()  # by purpose
    latency: Course | None = None
    ignore_term: bool = False
    term_delay: int | None = None
    term_code: int | None = None
    memory: Course | None = None
    start_error: str = ""

    @property
    def scripted(self) -> bool:
        return self.exit_after is not None or bool(self.exit_codes) or bool(self.log)

    def exit_code(self, attempt: int) -> int:
        return self.exit_codes[min(attempt, len(self.exit_codes) - 1)] if self.exit_codes else 0

    def outcome(self, purpose: str, micros: int) -> str:
        """ok | fail | hang | an HTTP status; "" when nothing is said."""
        course = dict(self.outcomes).get(purpose)
        return course.at(micros) if course else ""


@dataclass(frozen=True, slots=True)
class Pull:
    seconds: float | None
    error: str


def duration(text: str) -> int:
    """Microseconds of "10s", "1m30s", "250ms" or "4" (seconds)."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise BadBehaviour(f"{text!r} is not a duration such as 10s, 1m30s or 250ms")
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts) * SECOND)


def course(text: str, check: Callable[[str], object]) -> Course:
    steps: list[tuple[str, int | None]] = []
    for part in (part.strip() for part in text.split(",") if part.strip()):
        value, colon, span = part.partition(":")
        check(value)
        steps.append((value, duration(span) if colon else None))
    if not steps:
        raise BadBehaviour("it is empty")
    return Course(tuple(steps))


def _outcome(value: str) -> None:
    if value not in {"ok", "fail", "hang"} and not re.fullmatch(r"[1-5]\d\d", value):
        raise BadBehaviour(f"{value!r} is not ok, fail, hang or an HTTP status")


def _size(value: str) -> int:
    try:
        return quantity.value(value)
    except ValueError:
        raise BadBehaviour(f"{value!r} is not a size such as 20Mi") from None


def _codes(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\s*\d{1,3}\s*(,\s*\d{1,3}\s*)*", text):
        raise BadBehaviour(f"{text!r} is not an exit code or a list of them")
    return tuple(min(int(part), 255) for part in text.split(","))


def _read(annotations: Mapping[str, str], name: str, reader: Callable[[str], T], default: T) -> T:
    text = annotations.get(PREFIX + name)
    if text is None:
        return default
    try:
        return reader(text)
    except BadBehaviour as bad:
        raise BadBehaviour(f"annotation {PREFIX}{name}: {bad}") from None


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise BadBehaviour(f"{text!r} is not true or false")
    return text.lower() == "true"


def parse(annotations: Mapping[str, str], container: str) -> Behaviour:
    """How this container shall behave; nothing said = a Behaviour without effect."""

    def outcomes(text: str) -> Course | None:
        return course(text, _outcome)

    def spans(text: str) -> Course | None:
        return course(text, duration)

    def sizes(text: str) -> Course | None:
        return course(text, _size)

    def micros(text: str) -> int | None:
        return duration(text)

    said = [(purpose, _read(annotations, f"{container}.{purpose}", outcomes, None)) for purpose in PURPOSES]
    nothing: tuple[int, ...] = ()
    codes = _read(annotations, f"{container}.term-code", _codes, nothing)
    return Behaviour(
        exit_after=_read(annotations, f"{container}.exit-after", micros, None),
        exit_codes=_read(annotations, f"{container}.exit-code", _codes, nothing),
        log=annotations.get(f"{PREFIX}{container}.log", ""),
        log_interval=_read(annotations, f"{container}.log-interval", duration, SECOND),
        outcomes=tuple((purpose, told) for purpose, told in said if told is not None),
        latency=_read(annotations, f"{container}.latency", spans, None),
        ignore_term=_read(annotations, f"{container}.ignore-term", _truth, False),
        term_delay=_read(annotations, f"{container}.term-delay", micros, None),
        term_code=codes[0] if codes else None,
        memory=_read(annotations, f"{container}.memory", sizes, None),
        start_error=annotations.get(f"{PREFIX}{container}.start-error", ""),
    )


def parse_pull(annotations: Mapping[str, str]) -> Pull:
    """What is said about pulling the images of a pod."""
    span = _read(annotations, "pull-time", duration, -1)
    return Pull(span / SECOND if span >= 0 else None, annotations.get(f"{PREFIX}pull-error", ""))


def scripted(machine: Machine, behaviour: Behaviour, attempt: int) -> Program:
    """The program of a container whose annotations say what it does."""
    end = behaviour.exit_after if behaviour.exit_after is not None else (0 if behaviour.exit_codes else None)
    handles = not behaviour.ignore_term
    if handles:
        machine.handled.add("TERM")
    for port in machine.setting.declared_ports:
        machine.ports[port] = lambda micros, path: (200, "ok\n")
    while True:
        if behaviour.log:
            machine.out("stdout", behaviour.log + "\n")
        tick = behaviour.log_interval if behaviour.log and behaviour.log_interval else None
        left = None if end is None else end - machine.now
        waits = [span for span in (tick, left) if span is not None]
        signal = yield Wait(micros=min(waits, default=None), interruptible=handles)
        if signal == "TERM":
            machine.handled.discard("TERM")
            yield Wait(micros=SECOND // 20)
            return 0
        if end is not None and machine.now >= end:
            return behaviour.exit_code(attempt)
