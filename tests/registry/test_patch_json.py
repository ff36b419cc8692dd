"""application/json-patch+json."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_samples import refusal

from podlab.registry.patch import json_patch

DOCUMENT = {"a": {"b": [1, 2, 3], "c/d": "x", "~": "tilde"}, "n": None}


def run(*operations: dict[str, Any]) -> Any:
    return json_patch.apply(copy.deepcopy(DOCUMENT), json_patch.parse(list(operations)))


APPLIED: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "add a field": ([{"op": "add", "path": "/z", "value": 1}], {**DOCUMENT, "z": 1}),
    "insert into a list": (
        [{"op": "add", "path": "/a/b/1", "value": 9}],
        {**DOCUMENT, "a": {**DOCUMENT["a"], "b": [1, 9, 2, 3]}},
    ),
    "append to a list": (
        [{"op": "add", "path": "/a/b/-", "value": 9}],
        {**DOCUMENT, "a": {**DOCUMENT["a"], "b": [1, 2, 3, 9]}},
    ),
    "replace through an escaped slash": (
        [{"op": "replace", "path": "/a/c~1d", "value": "y"}],
        {**DOCUMENT, "a": {**DOCUMENT["a"], "c/d": "y"}},
    ),
    "remove through an escaped tilde": (
        [{"op": "remove", "path": "/a/~0"}],
        {**DOCUMENT, "a": {"b": [1, 2, 3], "c/d": "x"}},
    ),
    "replace a field that is missing": ([{"op": "replace", "path": "/z", "value": {}}], {**DOCUMENT, "z": {}}),
    "move": (
        [{"op": "move", "from": "/a/b/0", "path": "/z"}],
        {"a": {**DOCUMENT["a"], "b": [2, 3]}, "n": None, "z": 1},
    ),
    "copy": ([{"op": "copy", "from": "/a/b", "path": "/z"}], {**DOCUMENT, "z": [1, 2, 3]}),
    "test that holds": ([{"op": "test", "path": "/a/b/2", "value": 3}], DOCUMENT),
    "test of null": ([{"op": "test", "path": "/n", "value": None}], DOCUMENT),
    "a negative index": (
        [{"op": "replace", "path": "/a/b/-1", "value": 9}],
        {**DOCUMENT, "a": {**DOCUMENT["a"], "b": [1, 2, 9]}},
    ),
    "nothing": ([], DOCUMENT),
}


@pytest.mark.parametrize("sentence", APPLIED)
def test_applied(sentence: str) -> None:
    operations, expected = APPLIED[sentence]
    assert run(*operations) == expected


REFUSED: dict[str, list[dict[str, Any]]] = {
    "a parent that is missing": [{"op": "add", "path": "/x/y", "value": 1}],
    "an index past the end": [{"op": "add", "path": "/a/b/4", "value": 1}],
    "an index that is none": [{"op": "add", "path": "/a/b/x", "value": 1}],
    "removing nothing": [{"op": "remove", "path": "/x"}],
    "a test that fails": [{"op": "test", "path": "/a/b/0", "value": 2}],
    "a scalar as parent": [{"op": "add", "path": "/a/b/0/x", "value": 2}],
    "no path": [{"op": "add", "value": 1}],
    "no value": [{"op": "add", "path": "/x"}],
    "no such operation": [{"op": "multiply", "path": "/x", "value": 1}],
    "the whole document": [{"op": "replace", "path": "", "value": {}}],
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused(sentence: str) -> None:
    error = refusal(run, *REFUSED[sentence])
    assert (error.code, error.reason, error.details) == (422, "Invalid", {})
    assert error.message == "the server rejected our request due to an error in our request"


def test_a_patch_is_a_list_of_bounded_length() -> None:
    assert refusal(json_patch.parse, {"op": "add"}).message.startswith("error decoding patch: json: cannot unmarshal")
    assert json_patch.parse(None) == ()
    many = [{"op": "test", "path": "/n", "value": None}] * 10_001
    assert refusal(json_patch.parse, many).code == 413


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab~/", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab~/", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(
    document=st.dictionaries(st.text("ab~/", max_size=3), _VALUES, max_size=4),
    name=st.text("ab~/", max_size=3),
    value=_VALUES,
)
def test_what_was_added_is_there_and_can_be_taken_away(document: dict[str, Any], name: str, value: Any) -> None:
    path = "/" + name.replace("~", "~0").replace("/", "~1")
    added = json_patch.apply(
        copy.deepcopy(document),
        json_patch.parse([{"op": "add", "path": path, "value": value}, {"op": "test", "path": path, "value": value}]),
    )
    assert added == {**document, name: value}
    taken = json_patch.apply(added, json_patch.parse([{"op": "remove", "path": path}]))
    assert taken == {field: item for field, item in document.items() if field != name}
