"""application/merge-patch+json. The table is the appendix of RFC 7396, as far as a patch is an object."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_samples import refusal

from podlab.registry.patch import merge

APPENDIX: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "expected"), APPENDIX)
def test_appendix(target: Any, patch: Any, expected: Any) -> None:
    assert merge.merge(target, patch) == expected


BODIES = {
    "x": "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}",
    None: "Invalid JSON Patch",
}


@pytest.mark.parametrize("patch", BODIES)
def test_a_patch_is_an_object(patch: Any) -> None:
    error = refusal(merge.check, patch)
    assert (error.code, error.message) == (400, BODIES[patch])


_SCALARS = st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2) | st.lists(st.integers(0, 2), max_size=2)


def _documents(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaf, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=9)


_OBJECTS = st.dictionaries(st.sampled_from("abc"), _documents(_SCALARS), max_size=3)
_PATCHES = st.dictionaries(st.sampled_from("abc"), _documents(_SCALARS | st.none()), max_size=3)


def difference(old: Any, new: Any) -> Any:
    """The merge patch from one object to another."""
    patch: dict[str, Any] = {field: None for field in old if field not in new}
    for field, value in new.items():
        before = old.get(field)
        if isinstance(value, dict) and isinstance(before, dict):
            patch[field] = difference(before, value)
        elif before != value or type(before) is not type(value):
            patch[field] = value
    return patch


@given(old=_OBJECTS, new=_OBJECTS)
def test_a_difference_leads_from_one_to_the_other(old: Any, new: Any) -> None:
    assert merge.merge(old, difference(old, new)) == new


@given(obj=_OBJECTS, patch=_PATCHES)
def test_a_patch_applied_twice_changes_nothing_more(obj: Any, patch: Any) -> None:
    once = merge.merge(obj, patch)
    assert merge.merge(once, patch) == once
