from __future__ import annotations

import pytest

from podlab.apis import scheme
from podlab.apis.selectors import FieldSelector, LabelSelector, SelectorError, from_label_selector

LABELS = [{"x": "1", "y": "a"}, {"x": "2", "y": "b"}, {"x": "2"}]

CHOSEN = {
    "x=1": [0],
    "x!=1": [1, 2],
    "x in (1,2)": [0, 1, 2],
    "x notin (1)": [1, 2],
    "!y": [2],
    "x=2,!y": [2],
    "x>1": [1, 2],
    "x<2": [0],
    "x in ()": [],
    "x,y in (a,b),x!=2": [0],
    " x = 1 ": [0],
    "": [0, 1, 2],
    "x==": [],
}


@pytest.mark.parametrize("text", CHOSEN)
def test_label_selector_chooses(text: str) -> None:
    selector = LabelSelector.parse(text)
    assert [i for i, labels in enumerate(LABELS) if selector.matches(labels)] == CHOSEN[text]


REFUSED = {
    "x=1,": "found '', expected: identifier after ','",
    "x in": "unable to parse requirement: found '' expected: '('",
    "x in (": "unable to parse requirement: found '', expected: ',', ')' or identifier",
    "x y": "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt",
    "x==1=2": "found '=', expected: ',' or 'end of string'",
    "x>a": "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer",
    "x in (a b)": "unable to parse requirement: found 'b', expected: ',' or ')'",
    "x=(1)": "unable to parse requirement: found '(', expected: identifier",
    ")": "found ')', expected: !, identifier, or 'end of string'",
}


@pytest.mark.parametrize("text", REFUSED)
def test_label_selector_says_what_it_does_not_understand(text: str) -> None:
    with pytest.raises(SelectorError) as caught:
        LabelSelector.parse(text)
    assert caught.value.message == REFUSED[text]
    assert caught.value.code == 400


def test_selector_of_an_object() -> None:
    assert not from_label_selector(None).matches({"a": "b"})
    assert from_label_selector({}).matches({"a": "b"})
    expression = {"key": "a", "operator": "NotIn", "values": ["b"]}
    selector = from_label_selector({"matchLabels": {"c": "d"}, "matchExpressions": [expression]})
    assert selector.matches({"c": "d"})
    assert not selector.matches({"c": "d", "a": "b"})


POD = {
    "metadata": {"name": "a", "namespace": "n"},
    "spec": {"nodeName": "node-a", "restartPolicy": "Always"},
    "status": {"phase": "Pending", "podIPs": [{"ip": "10.0.0.1"}]},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metadata.name=a", True),
        ("metadata.name!=a", False),
        ("metadata.name==b", False),
        ("spec.nodeName=", False),
        ("spec.hostNetwork=false", True),
        ("status.podIP=10.0.0.1", True),
        ("metadata.name=a,status.phase!=Running", True),
        ("metadata.name=a,", True),
        ("", True),
    ],
)
def test_field_selector_chooses(text: str, expected: bool) -> None:
    selector = FieldSelector.parse(text)
    selector.check(scheme.PODS)
    assert selector.matches(scheme.PODS, POD) is expected


@pytest.mark.parametrize(
    ("resource", "text", "message"),
    [
        (scheme.PODS, "foo=bar", "field label not supported: foo"),
        (scheme.PODS, "metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        (scheme.PODS, "spec.nodeName = x", "field label not supported: spec.nodeName "),
        (
            scheme.CONFIGMAPS,
            "data.a=b",
            '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_field_selector_refuses(resource: scheme.Resource, text: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        FieldSelector.parse(text).check(resource)
    assert caught.value.message == message


def test_a_fixed_name_can_be_read_off() -> None:
    assert FieldSelector.parse("metadata.name=a,status.phase!=b").value_of("metadata.name") == "a"
    assert FieldSelector.parse("metadata.name!=a").value_of("metadata.name") is None
