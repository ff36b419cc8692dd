"""How long lists are laid out."""

from __future__ import annotations

from podlab.glance.listing import GROUP, LONG, groups, tracks


def test_short_lists_are_one_group_and_long_ones_many() -> None:
    assert groups([]) == [[]]
    assert groups(range(LONG)) == [range(LONG)]
    many = groups(range(LONG + 1))
    assert [len(group) for group in many] == [GROUP] * (LONG // GROUP) + [1]
    assert [one for group in many for one in group] == list(range(LONG + 1))


def test_columns_are_as_wide_as_their_longest_text() -> None:
    rows = [["web-1", "Running"], ["a-long-name", "x" * 300]]
    assert tracks(["Name", "Status"], rows) == ("minmax(calc(11ch + 1.8rem), 11fr) minmax(calc(44ch + 1.8rem), 44fr)")
    assert tracks(["Name", "Age"], [["a", "5s"]], [0, 9]).endswith("minmax(calc(9ch + 1.8rem), 9fr)")
