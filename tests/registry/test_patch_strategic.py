"""application/strategic-merge-patch+json."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registry_samples import refusal

from podlab.apis import schema, scheme
from podlab.registry.patch import merge, strategic

POD = schema.definition_of(scheme.PODS)


def apply(obj: Any, patch: Any) -> Any:
    return strategic.apply(copy.deepcopy(obj), patch, POD)


def containers(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(items), **more}}


A1, A2 = {"name": "a", "image": "1"}, {"name": "a", "image": "2"}
B1 = {"name": "b", "image": "1"}
C1 = {"name": "c", "image": "1"}

Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
CASES: dict[str, Case] = {
    "an element is found by its merge key": (
        containers(A1, B1),
        containers({"name": "a", "image": "2"}),
        containers(A2, B1),
    ),
    "an unknown element joins, before those that only the server has": (
        containers(A1),
        containers(B1),
        containers(B1, A1),
    ),
    "an element is deleted": (containers(A1, B1), containers({"name": "a", "$patch": "delete"}), containers(B1)),
    "deleting what is not there is no harm": (
        containers(B1),
        containers({"name": "a", "$patch": "delete"}),
        containers(B1),
    ),
    "a list is replaced on request": (containers(A1, B1), containers({"$patch": "replace"}, C1), containers(C1)),
    "an order is asked for": (
        containers(A1, B1, C1),
        {"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}, {"name": "b"}]}},
        containers(C1, A1, B1),
    ),
    "what the order does not name stays at its place": (
        containers(A1, B1, C1),
        {"spec": {"$setElementOrder/containers": [{"name": "a"}, {"name": "c"}]}},
        containers(A1, B1, C1),
    ),
    "order and change in one patch, as kubectl apply sends it": (
        containers(B1),
        {"spec": {"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}], "containers": [A1]}},
        containers(A1, B1),
    ),
    "null deletes a field": (
        {"metadata": {"labels": {"a": "1", "b": "2"}}},
        {"metadata": {"labels": {"a": None, "c": None}}},
        {"metadata": {"labels": {"b": "2"}}},
    ),
    "null deletes a field of an element": (
        containers({"name": "a", "image": "1", "args": ["x"]}),
        containers({"name": "a", "args": None}),
        containers(A1),
    ),
    "a map is replaced": (
        {"metadata": {"labels": {"a": "1"}}},
        {"metadata": {"labels": {"$patch": "replace", "b": "2"}}},
        {"metadata": {"labels": {"b": "2"}}},
    ),
    "a map is emptied": (
        {"metadata": {"labels": {"a": "1"}}},
        {"metadata": {"labels": {"$patch": "delete"}}},
        {"metadata": {"labels": {}}},
    ),
    "only named fields of a union are kept": (
        {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}},
        {"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]}},
        {"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]}},
    ),
    "a list without a strategy is replaced": (
        containers({"name": "a", "args": ["x", "y"]}),
        containers({"name": "a", "args": ["z"]}),
        containers({"name": "a", "args": ["z"]}),
    ),
    "scalars are merged where the schema says so": (
        {"metadata": {"finalizers": ["x/a"]}},
        {"metadata": {"finalizers": ["x/b", "x/a"]}},
        {"metadata": {"finalizers": ["x/b", "x/a"]}},
    ),
    "scalars are taken away": (
        {"metadata": {"finalizers": ["x/a", "x/b"]}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a", "x/c"]}},
        {"metadata": {"finalizers": ["x/b"]}},
    ),
    "conditions are merged by type": (
        {"status": {"conditions": [{"type": "Ready", "status": "False"}]}},
        {"status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "x/y", "status": "True"}]}},
        {"status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "x/y", "status": "True"}]}},
    ),
    "ports are merged by number": (
        containers({"name": "a", "ports": [{"containerPort": 80}, {"containerPort": 81}]}),
        containers({"name": "a", "ports": [{"containerPort": 80, "name": "http"}]}),
        containers({"name": "a", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]}),
    ),
    "directives and nulls do not stay in what is new": (
        {"spec": {}},
        containers({"name": "a", "image": None, "resources": {"$patch": "merge", "limits": None}}),
        containers({"name": "a", "resources": {}}),
    ),
    "an unknown field is taken as it is": ({"spec": {}}, {"spec": {"foo": [{"a": 1}]}}, {"spec": {"foo": [{"a": 1}]}}),
}


@pytest.mark.parametrize("sentence", CASES)
def test_applied(sentence: str) -> None:
    obj, patch, expected = CASES[sentence]
    before = copy.deepcopy(patch)
    assert apply(obj, patch) == expected
    assert patch == before, "a patch may be applied again after a conflict"


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "an unknown directive": (
        containers({"name": "a", "$patch": "foo"}),
        500,
        "unknown patch type: foo in map: map[$patch:foo name:a]",
    ),
    "an element without its key": (
        containers({"image": "x"}),
        500,
        "map: map[image:x] does not contain declared merge key: name",
    ),
    "a field that is not to be retained": (
        {"spec": {"$retainKeys": ["containers"], "hostname": "x"}},
        400,
        "invalid patch format of retainKeys",
    ),
    "an order that is no list": (
        {"spec": {"$setElementOrder/containers": "a"}},
        400,
        "invalid patch format of setElementOrder list",
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused(sentence: str) -> None:
    patch, code, text = REFUSED[sentence]
    error = refusal(apply, containers(A1), patch)
    assert (error.code, error.message) == (code, text)


def test_a_patch_is_an_object() -> None:
    assert refusal(strategic.check, [1]).code == 400


_NAMES = st.sampled_from("abcde")


@st.composite
def _containers(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(_NAMES, unique=True, max_size=4))
    out = []
    for name in names:
        item: dict[str, Any] = {"name": name}
        for field, values in (("image", st.text("12", max_size=2)), ("args", st.lists(_NAMES, max_size=2))):
            if draw(st.booleans()):
                item[field] = draw(values)
        if draw(st.booleans()):
            item["env"] = [
                {"name": n, "value": draw(st.text("xy", max_size=2))}
                for n in draw(st.lists(_NAMES, unique=True, max_size=3))
            ]
        out.append(item)
    return out


def _by_name(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in items}


@given(old=_containers(), patch=_containers())
@settings(max_examples=200)
def test_elements_are_the_union_by_key(old: Any, patch: Any) -> None:
    merged = apply(containers(*old), containers(*patch))["spec"]["containers"]
    names = [item["name"] for item in merged]
    assert sorted(names) == sorted({*_by_name(old), *_by_name(patch)})
    for name, item in _by_name(merged).items():
        below = {**_by_name(old).get(name, {}), **_by_name(patch).get(name, {})}
        if "env" in below:
            env = {**_by_name(_by_name(old).get(name, {}).get("env", [])), **_by_name(below["env"])}
            assert _by_name(item["env"]) == env
        assert {key: value for key, value in item.items() if key != "env"} == {
            key: value for key, value in below.items() if key != "env"
        }


@given(old=_containers(), patch=_containers())
@settings(max_examples=200)
def test_both_orders_are_kept(old: Any, patch: Any) -> None:
    names = [item["name"] for item in apply(containers(*old), containers(*patch))["spec"]["containers"]]
    ours = [item["name"] for item in patch]
    others = [item["name"] for item in old if item["name"] not in ours]
    assert [name for name in names if name in ours] == ours
    assert [name for name in names if name in others] == others


@given(old=_containers(), patch=_containers())
@settings(max_examples=200)
def test_a_patch_applied_twice_changes_nothing_more(old: Any, patch: Any) -> None:
    once = apply(containers(*old), containers(*patch))
    assert apply(once, containers(*patch)) == once


@given(old=_containers(), wanted=_containers())
@settings(max_examples=200)
def test_a_diff_as_kubectl_makes_it_leads_to_the_wanted_list(old: Any, wanted: Any) -> None:
    gone = [{"name": name, "$patch": "delete"} for name in _by_name(old) if name not in _by_name(wanted)]
    changes = [{**dict.fromkeys(_by_name(old).get(item["name"], {})), **item} for item in wanted]
    for change in changes:
        if change.get("env") is not None:
            change["env"] = [{"$patch": "replace"}, *change["env"]]
    order = [{"name": item["name"]} for item in wanted]
    patch = {"spec": {"$setElementOrder/containers": order, "containers": [*changes, *gone]}}
    assert apply(containers(*old), patch)["spec"]["containers"] == wanted


@given(
    labels=st.dictionaries(_NAMES, st.text("xy", max_size=2)),
    patch=st.dictionaries(_NAMES, st.none() | st.text("xy", max_size=2)),
)
def test_maps_are_merged_as_a_merge_patch_does(labels: Any, patch: Any) -> None:
    obj = {"metadata": {"labels": labels}}
    assert apply(obj, {"metadata": {"labels": patch}}) == merge.merge(obj, {"metadata": {"labels": patch}})
