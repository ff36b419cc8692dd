"""Defaults of apps/v1 and batch/v1. Called by defaults.py through BY_KEY.

Sources: pkg/apis/apps/v1/{defaults,conversion}.go, pkg/apis/batch/v1/defaults.go. What Go writes even when it is zero (structs, and
numbers without omitempty) is filled in here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.apis import default_pod_spec
from podlab.apis.default_pod_spec import set_absent, set_empty
from podlab.apis.types import Manifest

_QUARTER = "25%"
_HISTORY = 10
_MAX_INT32 = 2**31 - 1


def _part(obj: Manifest, name: str) -> Manifest:
    """The struct `name` of `obj`, made when it is missing."""
    if obj.get(name) is None:
        obj[name] = {}
    found: Manifest = obj[name]
    return found


def _zeroes(obj: Manifest, *names: str) -> None:
    status = _part(obj, "status")
    for name in names:
        set_absent(status, name, 0)


def _deployment(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    default_pod_spec.template(spec)
    set_absent(spec, "replicas", 1)
    strategy = _part(spec, "strategy")
    set_empty(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = _part(strategy, "rollingUpdate")
        set_absent(rolling, "maxUnavailable", _QUARTER)
        set_absent(rolling, "maxSurge", _QUARTER)
    set_absent(spec, "revisionHistoryLimit", _HISTORY)
    set_absent(spec, "progressDeadlineSeconds", 600)
    _zeroes(obj)


def _replica_set(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    default_pod_spec.template(spec)
    set_absent(spec, "replicas", 1)
    _zeroes(obj, "replicas")


def _daemon_set(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    default_pod_spec.template(spec)
    strategy = _part(spec, "updateStrategy")
    set_empty(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = _part(strategy, "rollingUpdate")
        set_absent(rolling, "maxUnavailable", 1)
        set_absent(rolling, "maxSurge", 0)
    set_absent(spec, "revisionHistoryLimit", _HISTORY)
    _zeroes(obj, "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")


def _stateful_set(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    default_pod_spec.template(spec)
    set_absent(spec, "serviceName", "")
    set_empty(spec, "podManagementPolicy", "OrderedReady")
    strategy = _part(spec, "updateStrategy")
    set_empty(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        set_absent(_part(strategy, "rollingUpdate"), "partition", 0)
    retention = _part(spec, "persistentVolumeClaimRetentionPolicy")
    set_empty(retention, "whenDeleted", "Retain")
    set_empty(retention, "whenScaled", "Retain")
    set_absent(spec, "replicas", 1)
    set_absent(spec, "revisionHistoryLimit", _HISTORY)
    for claim in spec.get("volumeClaimTemplates") or []:
        _claim_template(claim)
    _zeroes(obj, "replicas", "availableReplicas")


def _claim_template(claim: Manifest) -> None:
    claim["kind"], claim["apiVersion"] = "PersistentVolumeClaim", "v1"
    _part(claim, "metadata")
    set_absent(_part(claim, "spec"), "volumeMode", "Filesystem")
    set_empty(_part(claim, "status"), "phase", "Pending")


def _job(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    _job_template(spec)
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    set_absent(spec, "parallelism", 1)
    set_absent(spec, "backoffLimit", 6 if spec.get("backoffLimitPerIndex") is None else _MAX_INT32)
    set_absent(spec, "completionMode", "NonIndexed")
    set_absent(spec, "suspend", False)
    set_absent(spec, "manualSelector", False)
    set_absent(
        spec, "podReplacementPolicy", "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"
    )
    _zeroes(obj)


def _job_template(spec: Manifest) -> None:
    """What is defaulted in the spec of a Job wherever it stands, that is also inside a CronJob."""
    default_pod_spec.template(spec)
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or []:
        for pattern in rule.get("onPodConditions") or []:
            set_empty(pattern, "status", "True")


def _cron_job(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    template = _part(spec, "jobTemplate")
    _part(template, "metadata")
    _job_template(_part(template, "spec"))
    set_empty(spec, "concurrencyPolicy", "Allow")
    set_absent(spec, "suspend", False)
    set_absent(spec, "successfulJobsHistoryLimit", 3)
    set_absent(spec, "failedJobsHistoryLimit", 1)
    _zeroes(obj)


def _controller_revision(obj: Manifest) -> None:
    set_absent(obj, "revision", 0)


BY_KEY: Mapping[str, Callable[[Manifest], None]] = {
    "controllerrevisions.apps": _controller_revision,
    "daemonsets.apps": _daemon_set,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "cronjobs.batch": _cron_job,
    "jobs.batch": _job,
}
