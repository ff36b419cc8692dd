"""What must hold of server-side apply whatever is applied: pure, with hypothesis."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.apis import schema
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.apply import compare, fieldset, managers, server_side, shapes, tracking
from podlab.registry.apply.tracking import Writer

POD = shapes.of(schema.definition_of_kind("v1", "Pod") or "")
HEAD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod"}

names = st.sampled_from(["a", "b", "c"])
words = st.sampled_from(["x", "y", ""])
# Empty maps and lists are not kept by the API, so nobody owns one for long.
labels = st.dictionaries(names, words, min_size=1, max_size=3)
env = st.lists(
    st.fixed_dictionaries({"name": names}, optional={"value": words}),
    min_size=1,
    max_size=3,
    unique_by=lambda e: e["name"],
)
ports = st.lists(
    st.fixed_dictionaries({"containerPort": st.integers(1, 3)}, optional={"protocol": st.sampled_from(["TCP", "UDP"])}),
    min_size=1,
    max_size=2,
    unique_by=lambda p: (p["containerPort"], p.get("protocol", "TCP")),
)
containers = st.lists(
    st.fixed_dictionaries(
        {"name": names},
        optional={
            "image": words,
            "env": env,
            "ports": ports,
            "args": st.lists(words, min_size=1, max_size=2),
            "resources": st.just({}),
        },
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda c: c["name"],
)
specs = st.fixed_dictionaries({"containers": containers}, optional={"nodeSelector": labels, "hostname": words})
metas = st.fixed_dictionaries(
    {"name": st.just("p")},
    optional={"labels": labels, "finalizers": st.lists(names, min_size=1, max_size=2, unique=True)},
)
configs = st.fixed_dictionaries({"metadata": metas}, optional={"spec": specs}).map(lambda found: {**HEAD, **found})

# Anything at all, but with names that lead deep into the schema.
keys = st.sampled_from(
    ["metadata", "spec", "name", "labels", "containers", "env", "ports", "nodeSelector", "volumes", "zz"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def who(name: str) -> Writer:
    return Writer(name, "v1", "", "2026-11-21T02:00:00Z")


def apply(live: Manifest, config: Manifest, name: str, *, force: bool = True) -> Manifest:
    done = server_side.apply(POD, live, config, who(name), force=force)
    tracking.put(done.obj, done.entries)
    return done.obj


def fields_of(obj: Manifest, name: str) -> fieldset.FieldSet:
    found = managers.read(obj["metadata"].get(tracking.FIELD) or []) or {}
    return next((entry.fields for manager, entry in found.items() if manager.name == name), {})


@settings(max_examples=60, deadline=None)
@given(configs, configs, configs)
def test_applying_again_changes_nothing_and_what_is_applied_is_there(
    first: Manifest, other: Manifest, then: Manifest
) -> None:
    live = apply(apply({}, first, "one"), other, "two")
    once = apply(live, then, "one")
    assert apply(once, then, "one", force=False) == once
    stated = tracking.somebodys(compare.field_set(POD, then))
    assert fields_of(once, "one") == stated
    present = compare.field_set(POD, tracking.plain(once))
    missing = fieldset.difference(stated, present)
    assert not missing, list(map(fieldset.text, fieldset.paths(missing)))


@settings(max_examples=60, deadline=None)
@given(configs, configs, configs)
def test_a_conflict_is_exactly_a_field_of_another_that_would_change(
    first: Manifest, other: Manifest, then: Manifest
) -> None:
    live = apply(apply({}, first, "one"), other, "two")
    try:
        free = apply(live, then, "one", force=False)
    except ApiError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        owned = {fieldset.text(path) for path in fieldset.paths(fields_of(live, "two"))}
        assert (refused.code, refused.reason) == (409, "Conflict")
        assert {cause["field"] for cause in (refused.details or {})["causes"]} <= owned
        return
    assert free == apply(live, then, "one", force=True)
    assert fieldset.difference(fields_of(live, "two"), fields_of(free, "two")) == {}, "two lost nothing"


@settings(max_examples=60, deadline=None)
@given(configs, configs)
def test_nothing_of_another_is_pruned(first: Manifest, other: Manifest) -> None:
    live = apply(apply({}, first, "one"), other, "two")
    gone = apply(live, {**HEAD, "metadata": {"name": "p"}}, "one")
    kept = compare.field_set(POD, tracking.plain(gone))
    assert fieldset.difference(fields_of(live, "two"), kept) == {}
    assert fields_of(gone, "one") == {}


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(keys, anything, max_size=4), configs)
def test_no_configuration_ends_in_anything_but_a_refusal(wild: Manifest, sound: Manifest) -> None:
    config = {**HEAD, **wild}
    with suppress(ApiError):
        server_side.check_configuration(POD, config)
        assert apply(apply({}, sound, "one"), config, "two")["kind"] == "Pod"


def test_a_set_is_written_in_kubernetes_order() -> None:
    """fieldpath/element.go PathElement.Compare: a client that decodes an object in two ways finds the same text in both."""
    ports = ['k:{"containerPort":443,"protocol":"TCP"}', 'k:{"containerPort":80,"protocol":"UDP"}']
    mixed = {
        "v:true": {},
        'v:"a"': {},
        **dict.fromkeys(ports, {}),
        "i:10": {},
        "i:9": {},
        "f:b": {},
        "f:a": {"f:z": {}, ".": {}},
    }
    wanted = ["f:a", "f:b", ports[1], ports[0], 'v:"a"', "v:true", "i:9", "i:10"]
    assert list(fieldset.ordered(mixed)) == wanted
    assert list(fieldset.ordered({"f:spec": mixed})["f:spec"]["f:a"]) == [".", "f:z"]
