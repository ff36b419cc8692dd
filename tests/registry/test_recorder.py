"""Events as client-go's recorder writes them."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from registry_samples import START_TEXT, Hands, made, meta_of, namespace, pod

from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.registry.events import Recorder

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorder(client: Client) -> Recorder:
    return Recorder(client, "kubelet", "node-a")


def events(client: Client) -> list[Manifest]:
    """In the order in which they were first seen."""
    items = client.list("events", None).items
    return [item.obj for item in sorted(items, key=lambda item: item.created_revision)]


def test_an_event_has_kubernetes_shape(client: Client, recorder: Recorder) -> None:
    about = made(client, pod())
    recorder.event(about, "Normal", "Started", "Container started", field_path="spec.containers{c}", why="It was time.")
    (event,) = events(client)
    meta = event.pop("metadata")
    assert re.fullmatch(r"p\.[0-9a-f]{16}", meta["name"])
    assert meta["namespace"] == "default"
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {
            "kind": "Pod",
            "namespace": "default",
            "name": "p",
            "uid": meta_of(about)["uid"],
            "apiVersion": "v1",
            "resourceVersion": meta_of(about)["resourceVersion"],
            "fieldPath": "spec.containers{c}",
        },
        "reason": "Started",
        "message": "Container started",
        "source": {"component": "kubelet", "host": "node-a"},
        "firstTimestamp": START_TEXT,
        "lastTimestamp": START_TEXT,
        "count": 1,
        "type": "Normal",
        "eventTime": None,
        "reportingComponent": "kubelet",
        "reportingInstance": "node-a",
    }


def test_events_of_the_cluster_lie_in_default(client: Client, recorder: Recorder) -> None:
    node = client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}).obj
    recorder.event(node, "Normal", "NodeReady", "Node n status is now: NodeReady")
    (event,) = events(client)
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["involvedObject"]


def test_an_equal_event_is_counted(client: Client, recorder: Recorder, hands: Hands) -> None:
    about = made(client, pod())
    for _ in range(3):
        recorder.event(about, "Warning", "BackOff", "Back-off restarting failed container")
        hands.advance(60)
    (event,) = events(client)
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (3, START_TEXT, "2026-11-21T02:02:00Z")


DIFFERENT: dict[str, dict[str, Any]] = {
    "type": {"type": "Warning"},
    "reason": {"reason": "S"},
    "message": {"message": "n"},
    "field": {"field_path": "spec.containers{d}"},
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_events_are_not_equal_when_they_differ_in(what: str, client: Client, recorder: Recorder) -> None:
    about = made(client, pod())
    same = {"type": "Normal", "reason": "R", "message": "m", "field_path": "spec.containers{c}"}
    recorder.event(about, **same)
    recorder.event(about, **{**same, **DIFFERENT[what]})
    assert [event["count"] for event in events(client)] == [1, 1]


def test_a_new_version_of_the_object_is_the_same_object(client: Client, recorder: Recorder) -> None:
    about = made(client, pod())
    recorder.event(about, "Normal", "R", "m")
    recorder.event(client.bind("default", "p", "n").obj, "Normal", "R", "m")  # type: ignore[union-attr]
    assert [event["count"] for event in events(client)] == [2]


def test_an_event_that_was_deleted_is_written_anew(client: Client, recorder: Recorder) -> None:
    about = made(client, pod())
    recorder.event(about, "Normal", "R", "m")
    client.delete_collection("events", "default")
    recorder.event(about, "Normal", "R", "m")
    assert [event["count"] for event in events(client)] == [1]


def test_the_tenth_message_for_a_reason_is_combined(client: Client, recorder: Recorder) -> None:
    about = made(client, pod())
    for number in range(12):
        recorder.event(about, "Warning", "Unhealthy", f"probe {number} failed")
    found = events(client)
    assert [event["message"] for event in found[:9]] == [f"probe {number} failed" for number in range(9)]
    (combined,) = found[9:]
    assert (combined["count"], combined["message"]) == (3, "(combined from similar events): probe 11 failed")


def test_messages_of_long_ago_are_not_similar(client: Client, recorder: Recorder, hands: Hands) -> None:
    about = made(client, pod())
    for number in range(12):
        recorder.event(about, "Warning", "Unhealthy", f"probe {number} failed")
        hands.advance(601)
    assert not any("combined" in event["message"] for event in events(client))


def test_a_chatty_object_is_slowed_down(client: Client, recorder: Recorder, hands: Hands) -> None:
    about = made(client, pod())
    for _ in range(40):
        recorder.event(about, "Normal", "R", "m")
    assert events(client)[0]["count"] == 25
    hands.advance(300)
    recorder.event(about, "Normal", "R", "m")
    # The next one that is written tells all of them.
    assert events(client)[0]["count"] == 41


def test_one_objects_noise_is_not_anothers(client: Client, recorder: Recorder) -> None:
    loud, quiet = made(client, pod("a")), made(client, pod("b"))
    for _ in range(40):
        recorder.event(loud, "Normal", "R", "m")
    recorder.event(quiet, "Normal", "R", "m")
    assert len(events(client)) == 2


def test_long_messages_are_cut(client: Client, recorder: Recorder) -> None:
    recorder.event(made(client, pod()), "Normal", "R", "x" * 5000)
    assert len(events(client)[0]["message"]) == 1024


def test_a_recorder_never_raises(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.create("namespaces", namespace("x"))
    about = made(client, pod(), "x")
    client.delete("namespaces", "", "x")
    recorder = Recorder(client, "kubelet")
    with caplog.at_level(logging.INFO):
        recorder.event(about, "Normal", "R", "m")  # the namespace takes nothing new
        recorder.event({}, "Normal", "R", "m")
    assert events(client) == []
    assert "because it is being terminated" in caplog.text


def test_names_tell_the_time_and_never_clash(client: Client, hands: Hands) -> None:
    about = made(client, pod())
    one, other = Recorder(client, "kubelet"), Recorder(client, "scheduler")
    for recorder, reason in ((one, "A"), (one, "B"), (other, "C")):
        recorder.event(about, "Normal", reason, "m")
    hands.advance(1)
    one.event(about, "Normal", "D", "m")
    start = int(hands.now.timestamp() - 1) * 10**9
    wanted = [(f"p.{start + nanos:x}", reason) for nanos, reason in ((0, "A"), (1, "B"), (2, "C"), (10**9, "D"))]
    assert [(item["metadata"]["name"], item["reason"]) for item in events(client)] == wanted
