"""Lab time against the time of the world."""

from __future__ import annotations

from datetime import timedelta

from pod_story import START, at

from podlab.timeline.time_line import TimeLine


def line(*points: tuple[float, float]) -> list[list[int]]:
    """Seconds of lab and wall time in, seconds out."""
    made = TimeLine()
    for lab, wall in points:
        made.put(at(lab), START + timedelta(seconds=wall))
    first = START.timestamp()
    return [[round(value / 1000 - first) for value in point] for point in made.points()]


def test_points_on_a_straight_line_are_two() -> None:
    assert line((0, 0), (10, 1), (50, 5), (100, 10)) == [[0, 0], [100, 10]]


def test_a_turn_of_the_clock_is_a_point() -> None:
    assert line((0, 0), (10, 10), (60, 15), (110, 20)) == [[0, 0], [10, 10], [110, 20]]


def test_where_both_are_the_same_nothing_is_told() -> None:
    assert line((0, 0), (10, 10.02), (20, 20)) == []
