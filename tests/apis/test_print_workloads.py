"""The rows of apps/v1 and batch/v1 in kubectl get."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podlab.apis import printers, scheme, selectors
from podlab.apis.printer_columns import Cell
from podlab.apis.status_errors import SelectorError
from podlab.apis.types import Manifest

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
CREATED = "2026-11-21T11:59:00Z"
SELECTOR = {"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]}


def row(key: str, spec: Manifest, status: Manifest, **meta: Any) -> list[Cell]:
    resource = scheme.by_key(key)
    assert resource is not None
    template = {"spec": {"containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "j"}]}}
    obj = {
        "metadata": {"name": "x", "creationTimestamp": CREATED, **meta},
        "spec": {"template": template, "selector": SELECTOR, **spec},
        "status": status,
    }
    return printers.row(resource, obj, NOW)


WIDE = ["c,d", "i,j", "a=1,b=2,c"]
ROWS: dict[str, tuple[str, Manifest, Manifest, list[Cell]]] = {
    "a deployment on its way": (
        "deployments.apps",
        {"replicas": 3},
        {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1},
        ["x", "1/3", 2, 1, "60s", *WIDE],
    ),
    "a replica set": (
        "replicasets.apps", {"replicas": 3}, {"replicas": 2, "readyReplicas": 1}, ["x", 3, 2, 1, "60s", *WIDE],
    ),
    "a stateful set": ("statefulsets.apps", {"replicas": 2}, {"readyReplicas": 1}, ["x", "1/2", "60s", *WIDE[:2]]),
    "a daemon set on all nodes": (
        "daemonsets.apps",
        {},
        {"desiredNumberScheduled": 3, "currentNumberScheduled": 2, "numberReady": 1, "numberAvailable": 1},
        ["x", 3, 2, 1, 0, 1, "<none>", "60s", *WIDE],
    ),
    "a job at work": (
        "jobs.batch",
        {"completions": 3},
        {"succeeded": 1, "startTime": "2026-11-21T11:59:30Z"},
        ["x", "Running", "1/3", "30s", "60s", *WIDE],
    ),
    "a job that is done": (
        "jobs.batch",
        {"completions": 1},
        {
            "succeeded": 1, "startTime": CREATED, "completionTime": "2026-11-21T11:59:07Z",
            "conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}],
        },
        ["x", "Complete", "1/1", "7s", "60s", *WIDE],
    ),
    "a work queue that has not begun": (
        "jobs.batch",
        {"parallelism": 4},
        {"conditions": [{"type": "Suspended", "status": "True"}]},
        ["x", "Suspended", "0/1 of 4", "", "60s", *WIDE],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ROWS)
def test_a_row_says_how_it_stands(case: str) -> None:
    key, spec, status, cells = ROWS[case]
    assert row(key, spec, status) == cells


def test_a_job_that_is_deleted_is_terminating() -> None:
    assert row("jobs.batch", {}, {}, deletionTimestamp=CREATED)[1] == "Terminating"


def test_a_cron_job_shows_its_time() -> None:
    spec = {"schedule": "@daily", "timeZone": "Etc/UTC", "suspend": False, "jobTemplate": {"spec": {}}}
    status = {"active": [{}, {}], "lastScheduleTime": "2026-11-21T11:00:00Z"}
    assert row("cronjobs.batch", spec, status)[1:7] == ["@daily", "Etc/UTC", "False", 2, "60m", "60s"]


def test_a_revision_names_its_controller() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "controller": True}
    resource = scheme.by_key("controllerrevisions.apps")
    assert resource is not None
    obj = {"metadata": {"name": "x", "ownerReferences": [owner]}, "revision": 4}
    assert printers.row(resource, obj, NOW)[:3] == ["x", "daemonset.apps/d", 4]


def test_jobs_are_selected_by_their_successes() -> None:
    jobs = scheme.by_key("jobs.batch")
    assert jobs is not None
    chosen = selectors.FieldSelector.parse("status.successful=2")
    chosen.check(jobs)
    assert chosen.matches(jobs, {"status": {"succeeded": 2}})
    assert not chosen.matches(jobs, {"status": {}})
    with pytest.raises(SelectorError) as caught:
        selectors.FieldSelector.parse("spec.suspend=true").check(jobs)
    assert caught.value.message == 'field label "spec.suspend" not supported for Job'
