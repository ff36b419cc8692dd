"""When a pod is tried: at once, after its back-off, when something changed that could help."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podlab.apis.types import Key, Manifest
from podlab.clock import LabClock
from podlab.scheduler.event_ttl import EventTtl
from podlab.scheduler.queue import SchedulingQueue, back_off

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Entry:
    type: str
    key: Key
    obj: Manifest
    prev: Manifest | None = None


def pod(name: str = "p", *, node: str = "", uid: str = "", **spec: Any) -> Manifest:
    body: Manifest = {"schedulerName": "default-scheduler", **spec}
    if node:
        body["nodeName"] = node
    metadata = {"name": name, "namespace": "default", "uid": uid or f"uid-{name}"}
    return {"metadata": metadata, "spec": body, "status": {}}


def change(type_: str, obj: Manifest, prev: Manifest | None = None, resource: str = "pods") -> Entry:
    metadata = obj["metadata"]
    return Entry(type_, Key("main", resource, metadata.get("namespace", ""), metadata["name"]), obj, prev)


class Lab:
    def __init__(self) -> None:
        self.clock = LabClock(START)
        self.tried: list[tuple[float, str]] = []
        self.queue = SchedulingQueue(self.clock, self._dispatch)

    def _dispatch(self, namespace: str, name: str) -> None:
        self.tried.append(((self.clock.now() - START).total_seconds(), name))

    def at(self, seconds: float) -> None:
        self.clock.advance(START + timedelta(seconds=seconds))


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_a_new_pod_is_tried_at_once_and_again_only_after_five_minutes(lab: Lab) -> None:
    lab.queue.on_change(change("ADDED", pod()))
    lab.at(299)
    assert lab.tried == [(0, "p")]
    lab.at(300)
    assert lab.tried == [(0, "p"), (300, "p")]


@pytest.mark.parametrize(
    "other",
    [
        pod(schedulerName="mine"),
        pod(schedulingGates=[{"name": "g"}]),
        pod(node="a"),
        {**pod(), "metadata": {**pod()["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}},
        {**pod(), "status": {"phase": "Failed"}},
    ],
    ids=["another scheduler", "gated", "bound", "terminating", "finished"],
)
def test_leaves_alone(lab: Lab, other: Manifest) -> None:
    lab.queue.add(other)
    assert lab.tried == []


def test_a_gated_pod_is_tried_when_its_last_gate_goes(lab: Lab) -> None:
    gated = pod(schedulingGates=[{"name": "g"}])
    lab.queue.on_change(change("ADDED", gated))
    lab.queue.on_change(change("MODIFIED", pod(), gated))
    assert lab.tried == [(0, "p")]


def test_the_schedulers_own_condition_is_no_reason_to_try_again(lab: Lab) -> None:
    lab.queue.on_change(change("ADDED", pod()))
    told = {**pod(), "status": {"conditions": [{"type": "PodScheduled", "status": "False"}]}}
    lab.queue.on_change(change("MODIFIED", told, pod()))
    lab.at(20)
    assert lab.tried == [(0, "p")]


def test_retries_after_a_pod_went_but_not_before_the_back_off_is_over(lab: Lab) -> None:
    lab.queue.on_change(change("ADDED", pod()))
    lab.at(0.25)
    lab.queue.on_change(change("DELETED", pod("other", node="a")))
    assert lab.tried == [(0, "p")]
    lab.at(1)
    assert lab.tried == [(0, "p"), (1, "p")]
    lab.at(30)
    lab.queue.on_change(change("DELETED", pod("another", node="a")))
    assert lab.tried[-1] == (30, "p")


def test_a_finished_pod_frees_its_node_once(lab: Lab) -> None:
    lab.queue.on_change(change("ADDED", pod()))
    lab.at(5)
    running, done = pod("other", node="a"), {**pod("other", node="a"), "status": {"phase": "Succeeded"}}
    lab.queue.on_change(change("MODIFIED", done, running))
    lab.at(60)
    lab.queue.on_change(change("MODIFIED", done, done))
    assert lab.tried == [(0, "p"), (5, "p")]


def test_a_better_node_is_a_reason_a_heartbeat_is_none(lab: Lab) -> None:
    lab.queue.on_change(change("ADDED", pod()))
    lab.at(5)
    cordoned: Manifest = {"metadata": {"name": "a"}, "spec": {"unschedulable": True}, "status": {"conditions": []}}
    beat = {**cordoned, "status": {"conditions": [{"lastHeartbeatTime": "later"}]}}
    lab.queue.on_change(change("MODIFIED", beat, cordoned, "nodes"))
    assert lab.tried == [(0, "p")]
    open_again = {**cordoned, "spec": {}}
    lab.queue.on_change(change("MODIFIED", open_again, beat, "nodes"))
    assert lab.tried == [(0, "p"), (5, "p")]


def test_a_bound_or_deleted_pod_is_forgotten_with_its_timer(lab: Lab) -> None:
    lab.queue.on_change(change("ADDED", pod("a")))
    lab.queue.on_change(change("ADDED", pod("b")))
    lab.queue.on_change(change("MODIFIED", pod("a", node="n"), pod("a")))
    lab.queue.on_change(change("DELETED", pod("b")))
    assert lab.queue.waiting == 0
    assert lab.clock.next_due() is None


def test_a_name_that_comes_back_with_another_uid_starts_afresh(lab: Lab) -> None:
    lab.queue.on_change(change("ADDED", pod()))
    lab.queue.on_change(change("ADDED", pod(uid="second")))
    lab.queue.on_change(change("DELETED", pod(uid="uid-p")))
    assert lab.tried == [(0, "p"), (0, "p")]
    assert lab.queue.waiting == 1


def test_back_off_grows_from_one_to_ten_seconds() -> None:
    assert [back_off(attempts) for attempts in range(1, 8)] == [1, 2, 4, 8, 10, 10, 10]


def event(name: str, at: datetime) -> Manifest:
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"}, "lastTimestamp": stamp}


def test_events_go_an_hour_after_their_last_update_and_one_timer_serves_all() -> None:
    clock = LabClock(START)
    gone: list[tuple[str, datetime]] = []
    ttl = EventTtl(clock, lambda namespace, name, uid: gone.append((name, clock.now())))
    ttl.add(event("a", START - timedelta(minutes=50)))
    ttl.on_change(change("ADDED", event("b", START), None, "events"))
    clock.advance(START + timedelta(minutes=5))
    ttl.on_change(change("MODIFIED", event("a", clock.now()), None, "events"))
    ttl.on_change(change("ADDED", event("c", clock.now()), None, "events"))
    ttl.on_change(change("DELETED", event("c", clock.now()), None, "events"))
    clock.advance(START + timedelta(minutes=59))
    assert gone == []
    clock.advance(START + timedelta(minutes=61))
    assert [name for name, _ in gone] == ["b"]
    clock.advance(START + timedelta(minutes=66))
    assert [name for name, _ in gone] == ["b", "a"]
    assert clock.next_due() is None


def claim(name: str = "c", *, bound: bool = False) -> Manifest:
    notes = {"pv.kubernetes.io/bind-completed": "yes"} if bound else {}
    return {
        "metadata": {"name": name, "namespace": "default", "annotations": notes},
        "spec": {"volumeName": "v"} if bound else {},
    }


def claiming(name: str = "p") -> Manifest:
    return pod(name, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}])


def test_a_pod_is_tried_when_its_claim_comes_and_at_once_when_it_is_bound(lab: Lab) -> None:
    lab.queue.on_change(change("ADDED", claiming()))
    lab.queue.on_change(change("ADDED", pod("other")))
    lab.at(10)
    lab.queue.on_change(change("ADDED", claim("another"), resource="persistentvolumeclaims"))
    assert len(lab.tried) == 2
    lab.queue.on_change(change("ADDED", claim(), resource="persistentvolumeclaims"))
    assert lab.tried[2:] == [(10.0, "p")]
    lab.queue.on_change(change("MODIFIED", claim(), claim(), "persistentvolumeclaims"))
    assert len(lab.tried) == 3
    lab.queue.on_change(change("MODIFIED", claim(bound=True), claim(), "persistentvolumeclaims"))
    assert lab.tried[3:] == [(10.0, "p")]


def test_volumes_and_classes_help_only_pods_with_claims(lab: Lab) -> None:
    lab.queue.on_change(change("ADDED", claiming()))
    lab.queue.on_change(change("ADDED", pod("other")))
    lab.at(10)
    for resource in ("persistentvolumes", "storageclasses.storage.k8s.io"):
        lab.queue.on_change(change("ADDED", {"metadata": {"name": "x"}}, resource=resource))
    lab.at(13)
    assert [name for _, name in lab.tried[2:]] == ["p", "p"]


AFFINE = {
    "affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}, "podAntiAffinity": {"x": []}}
}
SPREAD = {"topologySpreadConstraints": [{"topologyKey": "zone"}]}


def labelled(obj: Manifest, **labels: str) -> Manifest:
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}


def ending(obj: Manifest) -> Manifest:
    return {**obj, "metadata": {**obj["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}


NODE: Manifest = {"metadata": {"name": "n"}, "spec": {}, "status": {}}
RED: Manifest = {"metadata": {"name": "red"}}


@pytest.mark.parametrize(
    ("happens", "tried"),
    [
        (change("MODIFIED", pod("x", node="a"), pod("x")), {"affine", "spread"}),
        (change("ADDED", pod("x", node="a")), {"affine", "spread"}),
        (change("MODIFIED", labelled(pod("x", node="a"), app="v"), pod("x", node="a")), {"affine", "spread"}),
        (change("MODIFIED", ending(pod("x", node="a")), pod("x", node="a")), {"spread"}),
        (change("DELETED", NODE, resource="nodes"), {"spread"}),
        (change("MODIFIED", labelled(RED, team="a"), RED, resource="namespaces"), {"affine"}),
        (change("DELETED", pod("x", node="a")), {"affine", "spread", "plain"}),
        (change("MODIFIED", {**pod("x", node="a"), "status": {"phase": "Running"}}, pod("x", node="a")), set()),
    ],
    ids=["a pod is placed", "a static pod", "other labels", "a pod begins to end", "a node goes", "a namespace",
         "a pod goes", "a pod runs"],
)  # fmt: skip
def test_what_may_help_pods_with_rules_about_others(lab: Lab, happens: Entry, tried: set[str]) -> None:
    for name, spec in (("affine", AFFINE), ("spread", SPREAD), ("plain", {})):
        lab.queue.add(pod(name, **spec))
    lab.at(60)
    lab.tried.clear()
    lab.queue.on_change(happens)
    assert {name for _, name in lab.tried} == tried


def test_the_more_important_go_first(lab: Lab) -> None:
    for name, priority in (("a", 0), ("b", 5), ("c", 5)):
        lab.queue.add(pod(name, priority=priority))
    lab.at(60)
    lab.tried.clear()
    lab.queue.on_change(change("DELETED", pod("x", node="a")))
    assert [name for _, name in lab.tried] == ["b", "c", "a"]
