from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apis_goldens import Case, name_of, recorded

from podlab.apis import pod_summary, printers, scheme, times
from podlab.apis.types import Manifest

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def pod(*, init: list[Manifest] | None = None, **status: Any) -> Manifest:
    names = [item["name"] for item in status.get("containerStatuses", [])] or ["c"]
    return {
        "metadata": {"name": "p", "creationTimestamp": "2026-11-21T11:00:00Z"},
        "spec": {"containers": [{"name": name} for name in names], "initContainers": init or []},
        "status": {"phase": "Running", **status},
    }


def container(name: str = "c", *, ready: bool = False, **state: Manifest) -> Manifest:
    return {"name": name, "ready": ready, "restartCount": 0, "state": state}


SHOWN = {
    "a pod nobody took": (pod(phase="Pending"), "Pending", "0/1"),
    "a running pod": (pod(containerStatuses=[container(ready=True, running={})]), "Running", "1/1"),
    "a crash loop": (pod(containerStatuses=[container(waiting={"reason": "CrashLoopBackOff"})]), "CrashLoopBackOff", "0/1"),
    "an exit without a reason": (pod(containerStatuses=[container(terminated={"exitCode": 3})]), "ExitCode:3", "0/1"),
    "a signal": (pod(containerStatuses=[container(terminated={"signal": 9, "exitCode": 137})]), "Signal:9", "0/1"),
    "one done, one still running": (
        pod(containerStatuses=[container("a", terminated={"reason": "Completed"}), container("b", ready=True, running={})]),
        "NotReady",
        "1/2",
    ),
    "the first init container of two": (
        pod(init=[{"name": "i"}, {"name": "j"}], phase="Pending", initContainerStatuses=[container("i", running={})]),
        "Init:0/2",
        "0/1",
    ),
    "an init container that failed": (
        pod(init=[{"name": "i"}], initContainerStatuses=[container("i", terminated={"exitCode": 3, "reason": "Error"})]),
        "Init:Error",
        "0/1",
    ),
    "a sidecar counts as a container": (
        pod(
            init=[{"name": "s", "restartPolicy": "Always"}],
            initContainerStatuses=[{**container("s", ready=True, running={}), "started": True}],
            containerStatuses=[container(ready=True, running={})],
        ),
        "Running",
        "2/2",
    ),
    "gated": (pod(phase="Pending", conditions=[{"type": "PodScheduled", "reason": "SchedulingGated"}]), "SchedulingGated", "0/1"),
    "evicted": (pod(phase="Failed", reason="Evicted"), "Evicted", "0/1"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SHOWN)
def test_status_and_ready(sentence: str) -> None:
    obj, status, ready = SHOWN[sentence]
    summary = pod_summary.summarise(obj)
    assert (summary.status, f"{summary.ready}/{summary.total}") == (status, ready)


def test_restarts_say_when() -> None:
    item = {**container(ready=True, running={}), "restartCount": 3}
    item["lastState"] = {"terminated": {"finishedAt": "2026-11-21T11:59:48Z"}}
    cells = printers.row(scheme.PODS, pod(containerStatuses=[item]), NOW)
    assert cells == ["p", "1/1", "Running", "3 (12s ago)", "60m", "<none>", "<none>", "<none>", "<none>"]


def test_deletion_shows_until_the_pod_is_done() -> None:
    obj = pod(containerStatuses=[container(ready=True, running={})])
    obj["metadata"]["deletionTimestamp"] = "2026-11-21T12:00:30Z"
    assert pod_summary.summarise(obj).status == "Terminating"
    obj["status"]["phase"] = "Succeeded"
    assert pod_summary.summarise(obj).status == "Succeeded"


def test_other_kinds() -> None:
    metadata = {
        "name": "n",
        "creationTimestamp": "2026-11-21T11:59:00Z",
        "labels": {"node-role.kubernetes.io/worker": ""},
    }
    node = {
        "metadata": metadata,
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    assert printers.row(scheme.NODES, node, NOW)[:4] == ["n", "Ready,SchedulingDisabled", "worker", "60s"]
    event = {
        "metadata": {"name": "e"}, "type": "Normal", "reason": "Started", "count": 3, "message": "Container started\n",
        "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"},
        "source": {"component": "kubelet", "host": "n1"}, "lastTimestamp": "2026-11-21T11:59:50Z",
        "firstTimestamp": "2026-11-21T11:58:00Z",
    }  # fmt: skip
    assert printers.row(scheme.EVENTS, event, NOW) == [
        "10s", "Normal", "Started", "pod/p", "spec.containers{c}", "kubelet, n1", "Container started", "2m", 3, "e",
    ]  # fmt: skip
    assert printers.row(scheme.CONFIGMAPS, {"metadata": {"name": "c"}, "data": {"a": "b"}}, NOW) == [
        "c",
        1,
        "<unknown>",
    ]


def test_every_row_has_as_many_cells_as_columns() -> None:
    for resource in scheme.RESOURCES:
        assert len(printers.row(resource, {"metadata": {"name": "x"}}, NOW)) == len(printers.columns(resource))


AGES = {
    0: "0s", 119: "119s", 120: "2m", 125: "2m5s", 600: "10m", 10_799: "179m", 10_800: "3h", 28_799: "7h59m",
    28_800: "8h", 172_800: "2d", 176_400: "2d1h", 777_600: "9d", 69_120_000: "2y70d", 432_000_000: "13y", -1: "0s",
    -5: "<invalid>",
}  # fmt: skip


@pytest.mark.parametrize("seconds", AGES)
def test_ages_are_kubectls(seconds: int) -> None:
    assert times.human_duration(timedelta(seconds=seconds)) == AGES[seconds]


_PLURAL = re.compile(r"/api/v1(?:/namespaces/[^/]+(?=/))?/([a-z]+)(?:/[^/]+)?$")


def _tables() -> list[tuple[str, Case]]:
    found = []
    for case in recorded("lifecycle") + recorded("kinds"):
        for step in case["steps"]:
            expect = step["expect"]
            for obj in [expect.get("object") or {}, *(event["object"] for event in expect.get("events") or [])]:
                if obj.get("kind") == "Table" and obj.get("columnDefinitions"):
                    match = _PLURAL.match(step["path"])
                    plural = match[1] if match else ""
                    if scheme.by_key(plural):
                        found.append((plural, {"id": case["id"], "table": obj}))
    return found


TABLES = _tables()
if TABLES:

    @pytest.mark.parametrize(("plural", "case"), TABLES, ids=[f"{plural}-{name_of(case)}" for plural, case in TABLES])
    def test_recorded_columns(plural: str, case: Case) -> None:
        resource = scheme.by_key(plural)
        assert resource
        assert [column.to_json() for column in printers.columns(resource)] == case["table"]["columnDefinitions"]
