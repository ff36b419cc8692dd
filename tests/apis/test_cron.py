"""Schedules as robfig/cron reads them."""

from __future__ import annotations

import pytest

from podlab.apis import cron

REFUSED = {
    "": "empty spec string",
    "bad": "expected exactly 5 fields, found 1: [bad]",
    "* * * * * *": "expected exactly 5 fields, found 6: [* * * * * *]",
    "60 * * * *": "end of range (60) above maximum (59): 60",
    "* * 0 * *": "beginning of range (0) below minimum (1): 0",
    "5-1 * * * *": "beginning of range (5) beyond end of range (1): 5-1",
    "*/0 * * * *": "step of range should be a positive number: */0",
    "1-2-3 * * * *": "too many hyphens: 1-2-3",
    "1/2/3 * * * *": "too many slashes: 1/2/3",
    "* * * foo *": 'failed to parse int from foo: strconv.Atoi: parsing "foo": invalid syntax',
    "1-x * * * *": 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
    "*/-5 * * * *": "negative number (-5) not allowed: -5",
    "TZ=Mars/Base * * * * *": "provided bad location Mars/Base: unknown time zone Mars/Base",
    "@fortnightly": "unrecognized descriptor: @fortnightly",
    "@every": "unrecognized descriptor: @every",
    "@every soon": 'failed to parse duration @every soon: time: invalid duration "soon"',
    "@every 5": 'failed to parse duration @every 5: time: missing unit in duration "5"',
    "@every 5y": 'failed to parse duration @every 5y: time: unknown unit "y" in duration "5y"',
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_schedule_that_cannot_be_read_says_why(text: str) -> None:
    with pytest.raises(cron.ScheduleError) as caught:
        cron.parse(text)
    assert str(caught.value) == REFUSED[text]


READ = {
    "0 0 1 1 *": [{0}, {0}, {1}, {1}, set(range(7))],
    "*/20 2-4 ? JAN,mar Mon-Fri": [{0, 20, 40}, {2, 3, 4}, set(range(1, 32)), {1, 3}, {1, 2, 3, 4, 5}],
    "50/5 * * * 0,6": [{50, 55}, set(range(24)), set(range(1, 32)), set(range(1, 13)), {0, 6}],
    "@weekly": [{0}, {0}, set(range(1, 32)), set(range(1, 13)), {0}],
    "TZ=UTC 5 * * * *": [{5}, set(range(24)), set(range(1, 32)), set(range(1, 13)), set(range(7))],
}


@pytest.mark.parametrize("text", READ)
def test_a_schedule_names_its_minutes(text: str) -> None:
    assert [set(values) for values in cron.parse(text).fields] == READ[text]


def test_a_star_restricts_nothing_but_a_stepped_one_does() -> None:
    assert cron.parse("*/2 * ? 1-12 *").stars == (False, True, True, False, True)


def test_a_period_is_counted_in_nanoseconds() -> None:
    assert cron.parse("@every 1h30m").every == 5400 * 10**9
    assert cron.parse("@every 1.5s250ms").every == 1_750_000_000
