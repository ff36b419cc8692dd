"""Schedules of CronJobs, read as github.com/robfig/cron/v3 reads them (ParseStandard), with its error texts.

validation/cron_job.py asks whether a schedule can be read. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = {
    name: number
    for number, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1)
}  # fmt: skip
_DAYS = {name: number for number, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_WILD = ("*", "?")


class ScheduleError(ValueError):
    """A schedule that cannot be read; the text is robfig/cron's."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    low: int
    high: int
    names: Mapping[str, int]


_FIELDS = (
    _Bounds(0, 59, {}),
    _Bounds(0, 23, {}),
    _Bounds(1, 31, {}),
    _Bounds(1, 12, _MONTHS),
    _Bounds(0, 6, _DAYS),
)
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "


@dataclass(frozen=True, slots=True)
class Schedule:
    """The minutes that count, field by field. A field that is a star restricts nothing: when both day fields restrict,
    a day that fits either of them counts. `every` is a period in nanoseconds, and then there are no fields."""

    fields: tuple[frozenset[int], ...] = ()
    stars: tuple[bool, ...] = ()
    every: int = 0


def parse(text: str) -> Schedule:
    if not text:
        raise ScheduleError("empty spec string")
    if text.startswith(("TZ=", "CRON_TZ=")):
        zone, _, text = text.partition(" ")
        name = zone.partition("=")[2]
        if not is_zone(name):
            raise ScheduleError(f"provided bad location {name}: unknown time zone {name}")
        text = text.strip()
    if text.startswith("@"):
        return _descriptor(text)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ScheduleError(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]")
    read = [_field(field, bounds) for field, bounds in zip(fields, _FIELDS, strict=True)]
    return Schedule(tuple(values for values, _ in read), tuple(star for _, star in read))


def is_zone(name: str) -> bool:
    """Whether Go's time.LoadLocation knows it."""
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return name == "Local"
    return True


def _descriptor(text: str) -> Schedule:
    if text in _DESCRIPTORS:
        return parse(_DESCRIPTORS[text])
    if text.startswith(_EVERY):
        return Schedule(every=_duration(text))
    raise ScheduleError(f"unrecognized descriptor: {text}")


def _field(text: str, bounds: _Bounds) -> tuple[frozenset[int], bool]:
    values: set[int] = set()
    star = False
    for part in text.split(","):
        if part:
            found, wild = _range(part, bounds)
            values |= found
            star = star or wild
    return frozenset(values), star


def _range(text: str, bounds: _Bounds) -> tuple[set[int], bool]:
    span, *steps = text.split("/")
    ends = span.split("-")
    star = ends[0] in _WILD
    if star:
        low, high = bounds.low, bounds.high
    else:
        low = _number(ends[0], bounds.names)
        if len(ends) > 2:
            raise ScheduleError(f"too many hyphens: {text}")
        high = _number(ends[1], bounds.names) if len(ends) == 2 else low
    step = 1
    if len(steps) > 1:
        raise ScheduleError(f"too many slashes: {text}")
    if steps:
        step = _integer(steps[0])
        high = bounds.high if len(ends) == 1 else high
    _check(text, bounds, low, high, step)
    return set(range(low, high + 1, step)), star and step == 1


def _check(text: str, bounds: _Bounds, low: int, high: int, step: int) -> None:
    if low < bounds.low:
        raise ScheduleError(f"beginning of range ({low}) below minimum ({bounds.low}): {text}")
    if high > bounds.high:
        raise ScheduleError(f"end of range ({high}) above maximum ({bounds.high}): {text}")
    if low > high:
        raise ScheduleError(f"beginning of range ({low}) beyond end of range ({high}): {text}")
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {text}")


def _number(text: str, names: Mapping[str, int]) -> int:
    known = names.get(text.lower())
    return _integer(text) if known is None else known


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    number = int(text)
    if abs(number) >= 2**63:
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": value out of range')
    if number < 0:
        raise ScheduleError(f"negative number ({number}) not allowed: {text}")
    return number


_UNITS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
_PIECE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([^\d.]*)")


def _duration(text: str) -> int:
    """time.ParseDuration of what follows "@every "."""
    given = text.removeprefix(_EVERY)
    rest, total = given.removeprefix("-").removeprefix("+"), 0.0
    if rest == "0":
        return 0
    problem = f'time: invalid duration "{given}"'
    while rest or not given:
        piece = _PIECE.match(rest)
        if piece is None:
            raise ScheduleError(f"failed to parse duration {text}: {problem}")
        number, unit = piece.groups()
        if unit not in _UNITS:
            kind = "missing unit" if not unit else f'unknown unit "{unit}"'
            raise ScheduleError(f'failed to parse duration {text}: time: {kind} in duration "{given}"')
        total += float(number) * _UNITS[unit]
        rest = rest[piece.end() :]
    if not given.strip("+-"):
        raise ScheduleError(f"failed to parse duration {text}: {problem}")
    return int(-total if given.startswith("-") else total)
