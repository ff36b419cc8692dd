"""How apps/v1 and batch/v1 are shown. Part of printers.py; source: pkg/printers/internalversion/printers.go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from podlab.apis import times
from podlab.apis.printer_columns import (
    AGE,
    CONTAINERS,
    CORE,
    IMAGES,
    NAME,
    NONE,
    Cell,
    Told,
    age,
    containers,
    labels,
    metadata,
    name,
)
from podlab.apis.selectors import SelectorError, from_label_selector
from podlab.apis.types import Manifest

_APPS, _BATCH = "io.k8s.api.apps.v1.", "io.k8s.api.batch.v1."
_READY = Told("Ready", "Number of the pod with ready state")


def _integer(title: str, about: str) -> Told:
    return Told(title, about, type="integer")


COLUMNS: Mapping[str, tuple[Told, ...]] = {
    "deployments.apps": (
        NAME,
        _READY,
        Told("Up-to-date", f"{_APPS}DeploymentStatus/updatedReplicas"),
        Told("Available", f"{_APPS}DeploymentStatus/availableReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        Told("Selector", f"{_APPS}DeploymentSpec/selector", wide=True),
    ),
    "replicasets.apps": (
        NAME,
        _integer("Desired", f"{_APPS}ReplicaSetSpec/replicas"),
        _integer("Current", f"{_APPS}ReplicaSetStatus/replicas"),
        _integer("Ready", f"{_APPS}ReplicaSetStatus/readyReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        Told("Selector", f"{_APPS}ReplicaSetSpec/selector", wide=True),
    ),
    "statefulsets.apps": (NAME, _READY, AGE, CONTAINERS, IMAGES),
    "daemonsets.apps": (
        NAME,
        _integer("Desired", f"{_APPS}DaemonSetStatus/desiredNumberScheduled"),
        _integer("Current", f"{_APPS}DaemonSetStatus/currentNumberScheduled"),
        _integer("Ready", f"{_APPS}DaemonSetStatus/numberReady"),
        _integer("Up-to-date", f"{_APPS}DaemonSetStatus/updatedNumberScheduled"),
        _integer("Available", f"{_APPS}DaemonSetStatus/numberAvailable"),
        Told("Node Selector", f"{CORE}PodSpec/nodeSelector"),
        AGE,
        CONTAINERS,
        IMAGES,
        Told("Selector", f"{_APPS}DaemonSetSpec/selector", wide=True),
    ),
    "controllerrevisions.apps": (
        NAME,
        Told("Controller", "Controller of the object"),
        Told("Revision", f"{_APPS}ControllerRevision/revision"),
        AGE,
    ),
    "jobs.batch": (
        NAME,
        Told("Status", "Status of the job."),
        Told("Completions", f"{_BATCH}JobStatus/succeeded"),
        Told("Duration", "Time required to complete the job."),
        AGE,
        CONTAINERS,
        IMAGES,
        Told("Selector", f"{_BATCH}JobSpec/selector", wide=True),
    ),
    "cronjobs.batch": (
        NAME,
        Told("Schedule", f"{_BATCH}CronJobSpec/schedule"),
        Told("Timezone", f"{_BATCH}CronJobSpec/timeZone"),
        Told("Suspend", f"{_BATCH}CronJobSpec/suspend", type="boolean"),
        _integer("Active", f"{_BATCH}CronJobStatus/active"),
        Told("Last Schedule", f"{_BATCH}CronJobStatus/lastScheduleTime"),
        AGE,
        CONTAINERS,
        IMAGES,
        Told("Selector", f"{_BATCH}JobSpec/selector", wide=True),
    ),
}


def _parts(obj: Manifest) -> tuple[Manifest, Manifest]:
    return obj.get("spec") or {}, obj.get("status") or {}


def _count(status: Manifest, field: str) -> int:
    return int(status.get(field) or 0)


def selector_text(selector: Manifest | None) -> str:
    """metav1.FormatLabelSelector."""
    try:
        return str(from_label_selector(selector)) or NONE
    except SelectorError:
        return "<error>"


def _ready(spec: Manifest, status: Manifest) -> str:
    return f"{_count(status, 'readyReplicas')}/{_count(spec, 'replicas')}"


def _deployment(obj: Manifest, now: datetime) -> list[Cell]:
    spec, status = _parts(obj)
    return [
        name(obj),
        _ready(spec, status),
        _count(status, "updatedReplicas"),
        _count(status, "availableReplicas"),
        age(obj, now),
        *containers(spec.get("template")),
        selector_text(spec.get("selector")),
    ]


def _replica_set(obj: Manifest, now: datetime) -> list[Cell]:
    spec, status = _parts(obj)
    return [
        name(obj),
        _count(spec, "replicas"),
        _count(status, "replicas"),
        _count(status, "readyReplicas"),
        age(obj, now),
        *containers(spec.get("template")),
        selector_text(spec.get("selector")),
    ]


def _stateful_set(obj: Manifest, now: datetime) -> list[Cell]:
    spec, status = _parts(obj)
    return [name(obj), _ready(spec, status), age(obj, now), *containers(spec.get("template"))]


_DAEMON_COUNTS = (
    "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable",
)  # fmt: skip


def _daemon_set(obj: Manifest, now: datetime) -> list[Cell]:
    spec, status = _parts(obj)
    pod = (spec.get("template") or {}).get("spec") or {}
    return [
        name(obj),
        *(_count(status, field) for field in _DAEMON_COUNTS),
        labels(pod.get("nodeSelector")),
        age(obj, now),
        *containers(spec.get("template")),
        selector_text(spec.get("selector")),
    ]


def _controller_revision(obj: Manifest, now: datetime) -> list[Cell]:
    owner = next((item for item in metadata(obj).get("ownerReferences") or [] if item.get("controller")), None)
    return [name(obj), _owner_name(owner) if owner else NONE, int(obj.get("revision") or 0), age(obj, now)]


def _owner_name(owner: Manifest) -> str:
    """kind.group/name in lower case, as `kubectl get` takes it."""
    group = str(owner.get("apiVersion") or "").rpartition("/")[0]
    kind = str(owner.get("kind") or "").lower()
    return f"{kind}.{group}/{owner.get('name')}" if group else f"{kind}/{owner.get('name')}"


# The first of these conditions that holds is the word in the column.
_JOB_WORDS = ("Complete", "Failed")
_JOB_LATER_WORDS = ("Suspended", "FailureTarget", "SuccessCriteriaMet")


def _job(obj: Manifest, now: datetime) -> list[Cell]:
    spec, status = _parts(obj)
    return [
        name(obj),
        _job_status(obj, status),
        _completions(spec, status),
        _duration(status, now),
        age(obj, now),
        *containers(spec.get("template")),
        selector_text(spec.get("selector")),
    ]


def _job_status(obj: Manifest, status: Manifest) -> str:
    true = {item.get("type") for item in status.get("conditions") or [] if item.get("status") == "True"}
    for word in _JOB_WORDS:
        if word in true:
            return word
    if metadata(obj).get("deletionTimestamp"):
        return "Terminating"
    return next((word for word in _JOB_LATER_WORDS if word in true), "Running")


def _completions(spec: Manifest, status: Manifest) -> str:
    done, parallelism = _count(status, "succeeded"), _count(spec, "parallelism")
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _duration(status: Manifest, now: datetime) -> str:
    if not status.get("startTime"):
        return ""
    end = times.parse(status["completionTime"]) if status.get("completionTime") else now
    return times.human_duration(end - times.parse(status["startTime"]))


_SUSPENDED: Mapping[Any, str] = {True: "True", False: "False", None: "<unset>"}


def _cron_job(obj: Manifest, now: datetime) -> list[Cell]:
    spec, status = _parts(obj)
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    last = status.get("lastScheduleTime")
    return [
        name(obj),
        str(spec.get("schedule") or ""),
        spec.get("timeZone") or NONE,
        _SUSPENDED[spec.get("suspend")],
        len(status.get("active") or ()),
        times.age(last, now) if last else NONE,
        age(obj, now),
        *containers(job.get("template")),
        selector_text(job.get("selector")),
    ]


ROWS: Mapping[str, Callable[[Manifest, datetime], list[Cell]]] = {
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "controllerrevisions.apps": _controller_revision,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
}
