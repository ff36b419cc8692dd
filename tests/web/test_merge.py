"""Three versions of one object: whose change is taken, and where both changed the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.web.forms import edits, merge
from podlab.web.forms.edits import REMOVED, Edit

BASE: dict[str, Any] = {
    "labels": {"a": "1"},
    "containers": [{"name": "x", "image": "1"}, {"name": "y", "image": "1"}],
    "args": ["a", "b"],
}


def test_what_only_they_changed_is_taken() -> None:
    theirs = {
        **BASE,
        "labels": {"a": "1", "b": "2"},
        "containers": [{"name": "x", "image": "1"}, {"name": "y", "image": "2"}],
    }
    mine = {**BASE, "labels": {"a": "9"}, "containers": [{"name": "y", "image": "1"}, {"name": "x", "image": "7"}]}
    found = merge.merge(BASE, mine, theirs)
    assert found.conflicts == []
    assert found.taken == [Edit(("labels", "b"), "2"), Edit(("containers", 0, "image"), "2")]


def test_where_both_changed_mine_stays_and_is_told() -> None:
    found = merge.merge(BASE, {**BASE, "args": ["a"]}, {**BASE, "args": ["b"], "labels": {}})
    assert [(one.name, one.mine, one.theirs) for one in found.conflicts] == [("args", ["a"], ["b"])]
    assert found.taken == [Edit(("labels", "a"), REMOVED)]


def test_things_that_came_and_went() -> None:
    x, y, z = ({"name": name, "image": "1"} for name in "xyz")
    found = merge.merge([x, y], [x, y], [y, z])
    assert edits.apply([x, y], found.taken) == [y, z]
    gone = merge.merge([x, y], [x], [x, {**y, "image": "2"}])
    assert (gone.taken, [one.name for one in gone.conflicts]) == ([], ["[1]"])


SMALL = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.dictionaries(st.sampled_from("xy"), st.integers(0, 2), max_size=2), max_size=3)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(SMALL, SMALL, SMALL)
def test_a_merge_loses_nobodys_change(base: Any, mine: Any, theirs: Any) -> None:
    found = merge.merge(base, mine, theirs)
    joined = edits.apply(mine, found.taken)
    if not found.conflicts:
        back = merge.merge(base, theirs, mine)
        assert edits.same(joined, edits.apply(theirs, back.taken))
    if edits.same(base, mine):
        assert edits.same(joined, theirs)
    if edits.same(base, theirs):
        assert edits.same(joined, mine)
