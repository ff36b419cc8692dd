"""One object in two versions: events and autoscalers."""

from __future__ import annotations

import copy

import pytest

from podlab.apis import conversion, scheme
from podlab.apis.types import Manifest

EVENTS = scheme.by_plural("events.k8s.io", "v1", "events")
AUTOSCALERS = scheme.by_plural("autoscaling", "v1", "horizontalpodautoscalers")
META = {"name": "x", "namespace": "default"}
NONE = {"eventTime": None, "deprecatedFirstTimestamp": None, "deprecatedLastTimestamp": None, "deprecatedSource": {}}


def test_an_event_has_other_names_in_its_own_group() -> None:
    assert EVENTS is not None
    core = {
        "apiVersion": "v1", "kind": "Event", "metadata": META, "involvedObject": {"kind": "Pod", "name": "p"},
        "message": "Started", "source": {"component": "kubelet"}, "count": 3, "reportingComponent": "",
        "reportingInstance": "", "firstTimestamp": "2020-01-01T00:00:00Z", "lastTimestamp": None, "eventTime": None,
    }  # fmt: skip
    before = copy.deepcopy(core)
    shown = conversion.from_stored(EVENTS, core)
    assert shown == {
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": META, "regarding": {"kind": "Pod", "name": "p"},
        "note": "Started", "deprecatedSource": {"component": "kubelet"}, "deprecatedCount": 3,
        "deprecatedFirstTimestamp": "2020-01-01T00:00:00Z", "deprecatedLastTimestamp": None, "eventTime": None,
    }  # fmt: skip
    assert conversion.to_stored(EVENTS, shown)["involvedObject"] == {"kind": "Pod", "name": "p"}
    assert core == before


def test_a_bare_event_shows_what_go_always_writes() -> None:
    assert EVENTS is not None
    shown = conversion.from_stored(EVENTS, {"apiVersion": "v1", "kind": "Event", "metadata": META})
    assert shown == {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": META, "regarding": {}, **NONE}


@pytest.mark.parametrize(
    ("label", "stored"),
    [
        ("regarding.kind", "involvedObject.kind"),
        ("reportingController", "reportingComponent"),
        ("metadata.name", "metadata.name"),
    ],
)
def test_events_are_selected_by_the_names_of_their_version(label: str, stored: str) -> None:
    assert EVENTS is not None
    assert conversion.stored_field(EVENTS, label) == stored


def _autoscaler(**spec: object) -> Manifest:
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": META, "spec": spec}


CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
MEMORY = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "5"}}}
OBJECT = {
    "type": "Object",
    "object": {
        "metric": {"name": "hits"},
        "describedObject": {"kind": "Service", "name": "s"},
        "target": {"type": "Value", "value": "7"},
    },
}


def test_the_share_of_cpu_is_a_field_in_v1() -> None:
    assert AUTOSCALERS is not None
    shown = conversion.from_stored(AUTOSCALERS, _autoscaler(maxReplicas=3, metrics=[CPU]))
    assert shown["spec"] == {"maxReplicas": 3, "targetCPUUtilizationPercentage": 60}
    assert shown["apiVersion"] == "autoscaling/v1"
    assert "annotations" not in shown["metadata"]


@pytest.mark.parametrize("metrics", [[CPU], [CPU, MEMORY], [CPU, MEMORY, OBJECT]])
def test_what_v1_does_not_know_survives_in_annotations(metrics: list[Manifest]) -> None:
    assert AUTOSCALERS is not None
    stored = _autoscaler(maxReplicas=3, metrics=metrics, behavior={"scaleDown": {"selectPolicy": "Min"}})
    back = conversion.to_stored(AUTOSCALERS, conversion.from_stored(AUTOSCALERS, stored))
    assert back["spec"] == stored["spec"]
    assert back["apiVersion"] == "autoscaling/v2"


def test_only_views_are_converted() -> None:
    pod: Manifest = {"kind": "Pod", "apiVersion": "v1", "metadata": META}
    assert conversion.from_stored(scheme.PODS, pod) is pod
    status = {"kind": "Status", "apiVersion": "v1"}
    assert EVENTS is not None
    assert conversion.from_stored(EVENTS, status) is status
