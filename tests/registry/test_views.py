"""A kind in two versions through one client: one object, two forms."""

from __future__ import annotations

import pytest

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client

V1, V2 = "horizontalpodautoscalers.v1.autoscaling", "horizontalpodautoscalers.autoscaling"
NEW_EVENTS = "events.events.k8s.io"
MERGE = "application/merge-patch+json"
SCALER: Manifest = {
    "apiVersion": "autoscaling/v1",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "x"},
    "spec": {
        "maxReplicas": 3,
        "targetCPUUtilizationPercentage": 60,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
    },
}
EVENT: Manifest = {
    "metadata": {"name": "ev"},
    "eventTime": "2020-01-01T00:00:00.000000Z",
    "reportingController": "example.com/c",
    "reportingInstance": "i",
    "action": "Do",
    "reason": "Because",
    "type": "Normal",
    "regarding": {"kind": "Pod", "namespace": "default", "name": "p"},
    "note": "n",
}


@pytest.mark.django_db
def test_an_autoscaler_of_v1_is_stored_as_v2(client: Client) -> None:
    made = client.create(V1, SCALER, namespace="default")
    assert made.obj["spec"]["targetCPUUtilizationPercentage"] == 60
    assert made.stored is not None
    assert made.stored.obj["apiVersion"] == "autoscaling/v1"
    stored = client.get(V2, "default", "x").obj
    target = {"type": "Utilization", "averageUtilization": 60}
    assert stored["spec"]["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


@pytest.mark.django_db
def test_a_patch_speaks_the_version_of_its_path(client: Client) -> None:
    client.create(V1, SCALER, namespace="default")
    client.patch(V1, "default", "x", MERGE, {"spec": {"targetCPUUtilizationPercentage": 70}})
    (metric,) = client.get(V2, "default", "x").obj["spec"]["metrics"]
    assert metric["resource"]["target"]["averageUtilization"] == 70
    assert [item.obj["apiVersion"] for item in client.list(V1, "default").items] == ["autoscaling/v1"]
    assert [item.obj["apiVersion"] for item in client.list(V2, None).items] == ["autoscaling/v2"]


@pytest.mark.django_db
def test_a_body_of_another_version_is_refused(client: Client) -> None:
    with pytest.raises(ApiError, match="does not match the expected API version"):
        client.create(V2, SCALER, namespace="default")


@pytest.mark.django_db
def test_an_event_of_the_new_group_is_a_core_event(client: Client) -> None:
    client.create(NEW_EVENTS, EVENT, namespace="default")
    core = client.get("events", "default", "ev").obj
    assert core["involvedObject"]["name"] == "p"
    assert core["message"] == "n"
    found = client.list(NEW_EVENTS, "default", field_selector="regarding.name=p,reason=Because").items
    assert [item.obj["note"] for item in found] == ["n"]


@pytest.mark.django_db
def test_the_new_group_is_stricter_than_the_old_one(client: Client) -> None:
    bare = {"involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}}
    client.create("events", {"metadata": {"name": "old"}, **bare}, namespace="default")
    with pytest.raises(ApiError, match="action: Required value"):
        client.create(NEW_EVENTS, {**EVENT, "action": ""}, namespace="default")


@pytest.mark.django_db
def test_an_event_of_the_new_group_keeps_what_it_says(client: Client) -> None:
    client.create(NEW_EVENTS, EVENT, namespace="default")
    with pytest.raises(ApiError, match="field is immutable"):
        client.patch(NEW_EVENTS, "default", "ev", MERGE, {"note": "other"})
    changed = client.patch(NEW_EVENTS, "default", "ev", MERGE, {"metadata": {"labels": {"a": "b"}}})
    assert changed.obj["metadata"]["labels"] == {"a": "b"}
