"""matchLabelKeys: the labels of the pod itself join the selector."""

from __future__ import annotations

import pytest

from podlab.apis import label_keys
from podlab.apis.types import Manifest

TERM = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"x": "y"}}}


def _pod(term: Manifest, labels: Manifest) -> Manifest:
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    return {"metadata": {"labels": labels}, "spec": {"affinity": {"podAffinity": rule}}}


@pytest.mark.parametrize(
    ("keys", "labels", "wanted"),
    [
        ({"matchLabelKeys": ["a"]}, {"a": "1"}, [{"key": "a", "operator": "In", "values": ["1"]}]),
        ({"mismatchLabelKeys": ["a"]}, {"a": "1"}, [{"key": "a", "operator": "NotIn", "values": ["1"]}]),
        ({"matchLabelKeys": ["a"]}, {}, None),
        ({}, {"a": "1"}, None),
    ],
)
def test_only_labels_that_the_pod_has_are_merged(keys: Manifest, labels: Manifest, wanted: object) -> None:
    term: Manifest = {**TERM, "labelSelector": dict(TERM["labelSelector"]), **keys}  # type: ignore[arg-type]
    label_keys.merge(_pod(term, labels))
    assert term["labelSelector"].get("matchExpressions") == wanted


def test_a_term_without_a_selector_matches_nothing_and_stays_so() -> None:
    term: Manifest = {"topologyKey": "zone", "matchLabelKeys": ["a"]}
    label_keys.merge(_pod(term, {"a": "1"}))
    assert "labelSelector" not in term


def test_spread_constraints_are_merged_too() -> None:
    constraint: Manifest = {"labelSelector": {}, "matchLabelKeys": ["a"]}
    label_keys.merge({"metadata": {"labels": {"a": "1"}}, "spec": {"topologySpreadConstraints": [constraint]}})
    assert constraint["labelSelector"] == {"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}
