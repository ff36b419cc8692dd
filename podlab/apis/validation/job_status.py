"""What may stand in the status of a Job (validateJobStatus in pkg/apis/batch/validation/validation.go)."""

from __future__ import annotations

from podlab.apis import times
from podlab.apis.field_errors import OMITTED, duplicate, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation.job_policies import IndexesError, count_indexes
from podlab.apis.validation.rules import Errors, not_negative

_PATH = "status"


def validate(new: Manifest, old: Manifest) -> Errors:
    status = new.get("status") or {}
    for field in ("active", "succeeded", "failed", "ready", "terminating"):
        yield from not_negative(_PATH, status, field)
    yield from _uncounted(f"{_PATH}.uncountedTerminatedPods", status)
    conditions = {item.get("type") for item in status.get("conditions") or [] if item.get("status") == "True"}
    yield from _conditions(f"{_PATH}.conditions", conditions)
    yield from _completion(status, conditions)
    if conditions & {"Complete", "Failed"}:
        yield from _finished(status)
    yield from _indexes(new)


def _uncounted(path: str, status: Manifest) -> Errors:
    pods, seen = status.get("uncountedTerminatedPods") or {}, set()
    for field in ("succeeded", "failed"):
        for index, uid in enumerate(pods.get(field) or []):
            here = f"{path}.{field}[{index}]"
            if not uid:
                yield invalid(here, uid, "must not be empty")
            elif uid in seen:
                yield duplicate(here, uid)
            seen.add(uid)


def _conditions(path: str, true: set[str]) -> Errors:
    if {"Complete", "Failed"} <= true:
        yield invalid(path, OMITTED, "cannot set Complete=True and Failed=true conditions")
    if {"Complete", "FailureTarget"} <= true:
        yield invalid(path, OMITTED, "cannot set Complete=True and FailureTarget=true conditions")
    if "Failed" in true and "FailureTarget" not in true:
        yield invalid(path, OMITTED, "cannot set Failed=True condition without the FailureTarget=true condition")
    if "Complete" in true and "SuccessCriteriaMet" not in true:
        yield invalid(path, OMITTED, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition")


def _completion(status: Manifest, true: set[str]) -> Errors:
    start, end = status.get("startTime"), status.get("completionTime")
    here = f"{_PATH}.completionTime"
    if end and "Complete" not in true:
        yield invalid(here, end, "cannot set completionTime when there is no Complete=True condition")
    if not end and "Complete" in true:
        yield required(here, "completionTime is required for Complete jobs")
    if start and end and times.parse(end) < times.parse(start):
        yield invalid(here, end, "completionTime cannot be set before startTime")


def _finished(status: Manifest) -> Errors:
    if status.get("active"):
        yield invalid(f"{_PATH}.active", status["active"], "active>0 is invalid for finished job")
    if not status.get("startTime"):
        yield required(f"{_PATH}.startTime", "startTime is required for finished job")
    uncounted = status.get("uncountedTerminatedPods") or {}
    if any(uncounted.values()):
        detail = "uncountedTerminatedPods needs to be empty for finished job"
        shown = {"Succeeded": uncounted.get("succeeded"), "Failed": uncounted.get("failed")}
        yield invalid(f"{_PATH}.uncountedTerminatedPods", shown, detail)


def _indexes(job: Manifest) -> Errors:
    spec, status = job.get("spec") or {}, job.get("status") or {}
    for field in ("completedIndexes", "failedIndexes"):
        given = status.get(field)
        if not given:
            continue
        if spec.get("completionMode") != "Indexed":
            yield invalid(f"{_PATH}.{field}", given, f"cannot set non-empty {field} when non-indexed completion mode")
            continue
        try:
            count_indexes(given, spec.get("completions") or 0)
        except IndexesError as problem:
            yield invalid(f"{_PATH}.{field}", given, f"error parsing {field}: {problem}")
