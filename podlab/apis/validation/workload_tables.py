"""Which check belongs to which kind of apps/v1 and batch/v1. tables.py takes these in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.apis.types import Manifest
from podlab.apis.validation import cron_job, job, job_status, workload_status, workload_warnings, workloads
from podlab.apis.validation.rules import Errors

CREATE: Mapping[str, Callable[[Manifest], Errors]] = {
    "controllerrevisions.apps": workloads.controller_revision,
    "daemonsets.apps": workloads.daemon_set,
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "statefulsets.apps": workloads.stateful_set,
    "cronjobs.batch": cron_job.cron_job,
    "jobs.batch": job.job,
}
UPDATE: Mapping[str, Callable[[Manifest, Manifest], Errors]] = {
    "controllerrevisions.apps": workloads.controller_revision_update,
    "daemonsets.apps": workloads.daemon_set_update,
    "deployments.apps": workloads.deployment_update,
    "replicasets.apps": workloads.replica_set_update,
    "statefulsets.apps": workloads.stateful_set_update,
    "cronjobs.batch": cron_job.cron_job_update,
    "jobs.batch": job.job_update,
}
STATUS: Mapping[str, Callable[[Manifest, Manifest], Errors]] = {
    **workload_status.BY_KEY,
    "jobs.batch": job_status.validate,
}
WARNINGS: Mapping[str, Callable[[Manifest], list[str]]] = workload_warnings.BY_KEY
