"""Refusals of apps/v1 and batch/v1 that no recording in goldens_own has, and what may change on an update."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from podlab.apis import defaults, schema_check, scheme, status_errors, validation
from podlab.apis.types import Manifest

UID = "22222222-2222-2222-2222-222222222222"
NAMES = {
    "Deployment": "deployments.apps", "ReplicaSet": "replicasets.apps", "DaemonSet": "daemonsets.apps",
    "StatefulSet": "statefulsets.apps", "ControllerRevision": "controllerrevisions.apps", "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
}  # fmt: skip


def template(**spec: Any) -> Manifest:
    return {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}], **spec},
    }


def workload(kind: str, **spec: Any) -> Manifest:
    body = {"selector": {"matchLabels": {"app": "a"}}, "template": template(), **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x"}, "spec": body}


def job(**spec: Any) -> Manifest:
    body = {"manualSelector": True, "selector": {"matchLabels": {"app": "a"}}, **spec}
    body.setdefault("template", template(restartPolicy="Never"))
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": body}


def indexed(**spec: Any) -> Manifest:
    return job(completionMode="Indexed", **spec)


def cron_job(**spec: Any) -> Manifest:
    body = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template(restartPolicy="Never")}}, **spec}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": body}


def prepared(given: Manifest) -> tuple[scheme.Resource, Manifest]:
    resource = scheme.by_key(NAMES[given["kind"]])
    assert resource is not None
    obj = schema_check.drop_unknown(resource, copy.deepcopy(given))
    obj["metadata"].update(namespace="n", uid=UID, resourceVersion="1", creationTimestamp="2026-11-21T00:00:00Z")
    defaults.apply(resource, obj)
    return resource, obj


def told(resource: scheme.Resource, errors: list[Any]) -> str:
    message = status_errors.invalid(resource, "x", errors).message
    return message.partition(" is invalid: ")[2]


def refusal(given: Manifest) -> str:
    resource, obj = prepared(given)
    return told(resource, validation.validate_create(resource, obj))


def update_refusal(new: Manifest, old: Manifest) -> str:
    resource, after = prepared(new)
    return told(resource, validation.validate_update(resource, after, prepared(old)[1]))


def policy(**rule: Any) -> Manifest:
    return {"rules": [{"action": "FailJob", **rule}]}


CODES = {"operator": "In", "values": [1]}
RULE = "spec.podFailurePolicy.rules[0]"
CREATE: dict[str, tuple[Manifest, str]] = {
    "surge below zero": (
        workload("Deployment", strategy={"rollingUpdate": {"maxSurge": -1}}),
        "spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0",
    ),
    "deadline before a pod counts as ready": (
        workload("Deployment", minReadySeconds=60, progressDeadlineSeconds=60),
        "spec.progressDeadlineSeconds: Invalid value: 60: must be greater than minReadySeconds",
    ),
    "daemons neither surge nor stop": (
        workload("DaemonSet", updateStrategy={"rollingUpdate": {"maxSurge": 1}}),
        "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
    ),
    "unknown strategy of daemons": (
        workload("DaemonSet", updateStrategy={"type": "Never"}),
        'spec.updateStrategy: Unsupported value: {"Type":"Never","RollingUpdate":null}: '
        'supported values: "RollingUpdate", "OnDelete"',
    ),
    "a deadline in a daemon's template": (
        workload("DaemonSet", template=template(activeDeadlineSeconds=5)),
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported",
    ),
    "rolling update without rolling": (
        workload("StatefulSet", updateStrategy={"type": "OnDelete", "rollingUpdate": {"partition": 1}}),
        'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: '
        "only allowed for updateStrategy 'RollingUpdate'",
    ),
    "partition below zero": (
        workload("StatefulSet", updateStrategy={"rollingUpdate": {"partition": -1}}),
        "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
    ),
    "ordinals below zero": (
        workload("StatefulSet", ordinals={"start": -2}),
        "spec.ordinals.start: Invalid value: -2: must be greater than or equal to 0",
    ),
    "unknown retention": (
        workload("StatefulSet", persistentVolumeClaimRetentionPolicy={"whenScaled": "Keep"}),
        'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": '
        'supported values: "Retain", "Delete"',
    ),
    "revision without data": (
        {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "x"}, "revision": -1},
        "[revision: Invalid value: -1: must be greater than or equal to 0, data: Required value: data is mandatory]",
    ),
    "more failures than indexes": (
        indexed(completions=2, backoffLimitPerIndex=1, maxFailedIndexes=3),
        "spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions",
    ),
    "too many pods of an indexed job": (
        indexed(completions=1, parallelism=100_001),
        "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed",
    ),
    "rule without any condition": (
        job(podFailurePolicy=policy()),
        f"{RULE}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
    ),
    "rule with both": (
        job(podFailurePolicy=policy(onExitCodes=CODES, onPodConditions=[{"type": "DisruptionTarget"}])),
        f"{RULE}: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported",
    ),
    "index fails without a limit per index": (
        job(podFailurePolicy=policy(action="FailIndex", onExitCodes=CODES)),
        f'{RULE}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
    ),
    "codes that are twice there and out of order": (
        job(podFailurePolicy=policy(onExitCodes={"operator": "In", "values": [3, 2, 3]})),
        f"[{RULE}.onExitCodes.values[2]: Duplicate value: 3, "
        f"{RULE}.onExitCodes.values: Invalid value: [3,2,3]: must be ordered]",
    ),
    "codes of a container that is not there": (
        job(podFailurePolicy=policy(onExitCodes={**CODES, "containerName": "d"})),
        f'{RULE}.onExitCodes.containerName: Invalid value: "d": '
        "must be one of the container or initContainer names in the pod template",
    ),
    "indexes beyond the completions": (
        indexed(completions=3, successPolicy={"rules": [{"succeededIndexes": "0,2-3"}]}),
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,2-3": '
        'error parsing succeededIndexes: too large index: "3"',
    ),
    "more successes than indexes": (
        indexed(completions=5, successPolicy={"rules": [{"succeededIndexes": "0-1", "succeededCount": 3}]}),
        "spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 "
        "(the number of indexes in the specified succeededIndexes field)",
    ),
    "replacement with a failure policy": (
        job(podFailurePolicy=policy(onExitCodes=CODES), podReplacementPolicy="TerminatingOrFailed"),
        'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
    ),
    "zone in the schedule": (
        cron_job(schedule="TZ=UTC 0 0 * * *"),
        'spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ),
    "the zone of the machine": (
        cron_job(timeZone="Local"),
        'spec.timeZone: Invalid value: "Local": '
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
    ),
    "a zone that climbs": (
        cron_job(timeZone="../etc"), 'spec.timeZone: Invalid value: "../etc": unknown time zone ../etc',
    ),
    "a deadline in the past": (
        cron_job(startingDeadlineSeconds=-1),
        "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CREATE)
def test_what_is_wrong_is_said(case: str) -> None:
    given, message = CREATE[case]
    assert refusal(given) == message


@pytest.mark.parametrize(
    "given",
    [
        workload("Deployment", strategy={"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}),
        workload("StatefulSet", template=template(volumes=[{"name": "data", "emptyDir": {}}])),
        indexed(completions=5, successPolicy={"rules": [{"succeededIndexes": "0,2-4", "succeededCount": 2}]}),
        cron_job(timeZone="Europe/Berlin", schedule="*/5 0-6 * JAN-MAR sun"),
        cron_job(timeZone="Etc/GMT+2"),
    ],
    ids=lambda given: str(given["kind"]),
)
def test_what_is_right_is_accepted(given: Manifest) -> None:
    assert refusal(given) == ""


def grown(obj: Manifest, **spec: Any) -> Manifest:
    return {**obj, "spec": {**obj["spec"], **spec}}


SUSPENDED = job(suspend=True)
RENAMED = {"metadata": {"labels": {"app": "a", "more": "b"}}, "spec": template(restartPolicy="Never")["spec"]}
UPDATE: dict[str, tuple[Manifest, Manifest, str]] = {
    "an indexed job grows with its parallelism": (
        indexed(completions=4, parallelism=4), indexed(completions=2, parallelism=2), "",
    ),
    "and not without": (
        indexed(completions=4, parallelism=2), indexed(completions=2, parallelism=2),
        "spec.completions: Invalid value: 4: can only be modified in tandem with spec.parallelism",
    ),
    "labels of the pods of a suspended job": (grown(SUSPENDED, template=RENAMED), SUSPENDED, ""),
    "tolerations of the pods of a suspended job": (
        grown(SUSPENDED, template=template(restartPolicy="Never", tolerations=[{"operator": "Exists"}])), SUSPENDED, "",
    ),
    "the mode of completion": (
        indexed(completions=1), job(completions=1),
        'spec.completionMode: Invalid value: "Indexed": field is immutable',
    ),
    "everything that a stateful set may change": (
        workload("StatefulSet", replicas=5, minReadySeconds=3, template=template(hostname="h")),
        workload("StatefulSet", replicas=1), "",
    ),
    "a schedule keeps the zone that it had": (
        cron_job(schedule="TZ=UTC 1 0 * * *"), cron_job(schedule="TZ=UTC 0 0 * * *"), "",
    ),
    "a zone that was accepted once stays": (
        cron_job(timeZone="Mars/Base", suspend=True), cron_job(timeZone="Mars/Base"), "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UPDATE)
def test_some_things_may_change(case: str) -> None:
    new, old, message = UPDATE[case]
    assert update_refusal(new, old) == message


def test_a_running_job_keeps_its_pods_as_they_are() -> None:
    old = prepared(job())[1]
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["nodeSelector"] = {"a": "b"}
    resource = scheme.by_key("jobs.batch")
    assert resource is not None
    errors = validation.validate_update(resource, new, old)
    assert [(item.field, item.detail) for item in errors] == [("spec.template", "field is immutable")]
    shown = errors[0].value["Spec"]
    assert (shown["NodeSelector"], shown["Volumes"], shown["Hostname"]) == ({"a": "b"}, None, "")
    assert shown["SecurityContext"]["HostNetwork"] is False
    assert list(shown["Containers"][0])[:3] == ["Name", "Image", "Command"]


def test_a_mistake_in_an_update_of_a_job_counts_twice() -> None:
    resource, new = prepared(job(completions=1, parallelism=-1))
    errors = validation.validate_update(resource, new, prepared(job(completions=1))[1])
    assert [item.field for item in errors] == ["spec.parallelism", "spec.parallelism"]


STATUS: dict[str, tuple[Manifest, Manifest, str]] = {
    "more ready than there are": (
        workload("Deployment"), {"replicas": 1, "readyReplicas": 2},
        "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
    ),
    "more available than ready": (
        workload("StatefulSet"), {"replicas": 2, "readyReplicas": 1, "availableReplicas": 2},
        "status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas",
    ),
    "collisions are not forgotten": (
        workload("DaemonSet"), {"collisionCount": 1},
        "status.collisionCount: Invalid value: 1: cannot be decremented",
    ),
    "a job is complete for a reason and at a time": (
        job(), {"conditions": [{"type": "Complete", "status": "True"}], "startTime": "2026-11-21T00:00:00Z"},
        "[status.completionTime: Required value: completionTime is required for Complete jobs, status.conditions: "
        "Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition]",
    ),
    "no index both failed and succeeded": (
        job(completionMode="Indexed", completions=9, backoffLimitPerIndex=1),
        {"completedIndexes": "0-2,5", "failedIndexes": "3-4,5"},
        'status.failedIndexes: Invalid value: "3-4,5": failedIndexes and completedIndexes overlap at index: 5',
    ),
    "a job is not both": (
        job(),
        {
            "conditions": [{"type": word, "status": "True"} for word in ("Failed", "FailureTarget")],
            "startTime": "2026-11-21T00:00:00Z", "active": 1,
        },
        "status.active: Invalid value: 1: active>0 is invalid for finished job",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STATUS)
def test_a_status_must_add_up(case: str) -> None:
    given, status, message = STATUS[case]
    resource, old = prepared(given)
    old["status"]["collisionCount"] = 2
    new = {**old, "status": {"collisionCount": 2, **status}}
    if given["kind"] == "Job":
        new["status"].pop("collisionCount")
    assert told(resource, validation.validate_status_update(resource, new, old)) == message


def test_what_may_surprise_is_told_with_the_answer() -> None:
    twice = template()
    twice["spec"]["containers"][0]["env"] = [{"name": "A"}, {"name": "A"}]
    hidden = 'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'
    resource, obj = prepared(workload("Deployment", template=twice))
    assert validation.warnings_on_create(resource, obj) == [hidden]
    resource, obj = prepared(workload("StatefulSet", revisionHistoryLimit=-1))
    assert validation.warnings_on_create(resource, obj) == [
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
    ]
    dotted = {**cron_job(), "metadata": {"name": "a.b"}}
    resource, obj = prepared(dotted)
    assert validation.warnings_on_create(resource, obj) == [
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "
        "a DNS label is recommended: [must not contain dots]"
    ]
