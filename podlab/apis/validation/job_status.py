"""What may stand in the status of a Job (validateJobStatus, ValidateJobStatusUpdate in batch/validation/validation.go).

Kubernetes asks most of this only of what a request changes; what is stored here has passed all of it.
"""

from __future__ import annotations

from podlab.apis import times
from podlab.apis.field_errors import OMITTED, duplicate, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata
from podlab.apis.validation.job_policies import IndexesError, count_indexes, overlap
from podlab.apis.validation.rules import Errors, not_negative

_PATH = "status"
_CONDITIONS = f"{_PATH}.conditions"


def validate(new: Manifest, old: Manifest) -> Errors:
    status = new.get("status") or {}
    true = _true(status)
    for field in ("active", "succeeded", "failed", "ready", "terminating"):
        yield from not_negative(_PATH, status, field)
    yield from _uncounted(f"{_PATH}.uncountedTerminatedPods", status)
    for other in ("Failed", "FailureTarget"):
        if {"Complete", other} <= true:
            said = f"{other}=true"
            yield invalid(_CONDITIONS, OMITTED, f"cannot set Complete=True and {said} conditions")
    yield from _completion(status, true)
    for final, before in (("Failed", "FailureTarget"), ("Complete", "SuccessCriteriaMet")):
        if final in true and before not in true:
            detail = f"cannot set {final}=True condition without the {before}=true condition"
            yield invalid(_CONDITIONS, OMITTED, detail)
    finished = bool(true & {"Complete", "Failed"})
    if finished:
        yield from _finished(status)
    yield from _indexes(new.get("spec") or {}, status)
    if finished and (status.get("terminating") or 0) > 0:
        yield invalid(f"{_PATH}.terminating", status["terminating"], "terminating>0 is invalid for finished job")
    if (status.get("ready") or 0) > (status.get("active") or 0):
        yield invalid(f"{_PATH}.ready", status["ready"], "cannot set more ready pods than active")
    yield from _success(new.get("spec") or {}, true)
    yield from _changes(new, old, true)


def _true(status: Manifest) -> set[str]:
    return {item.get("type") or "" for item in status.get("conditions") or [] if item.get("status") == "True"}


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


def _completion(status: Manifest, true: set[str]) -> Errors:
    start, end = status.get("startTime"), status.get("completionTime")
    here = f"{_PATH}.completionTime"
    if end and "Complete" not in true:
        yield invalid(here, end, "cannot set completionTime when there is no Complete=True condition")
    if not end and "Complete" in true:
        yield required(here, "completionTime is required for Complete jobs")
    if start and end and times.parse(end) < times.parse(start):
        yield invalid(here, end, "must be equal to or after `startTime`")


def _finished(status: Manifest) -> Errors:
    if (status.get("active") or 0) > 0:
        yield invalid(f"{_PATH}.active", status["active"], "active>0 is invalid for finished job")
    if not status.get("startTime"):
        yield required(f"{_PATH}.startTime", "startTime is required for finished job")
    uncounted = status.get("uncountedTerminatedPods") or {}
    if any(uncounted.values()):
        shown = {"Succeeded": uncounted.get("succeeded"), "Failed": uncounted.get("failed")}
        yield invalid(f"{_PATH}.uncountedTerminatedPods", shown, "must be empty for finished job")


def _indexes(spec: Manifest, status: Manifest) -> Errors:
    completions, done, failed = (
        spec.get("completions"),
        status.get("completedIndexes") or "",
        status.get("failedIndexes"),
    )
    per_index = spec.get("backoffLimitPerIndex") is not None
    if completions is not None:
        yield from _format("completedIndexes", done, completions)
        if per_index and failed is not None:
            yield from _format("failedIndexes", failed, completions)
    if done and spec.get("completionMode") != "Indexed":
        detail = "cannot set non-empty completedIndexes when non-indexed completion mode"
        yield invalid(f"{_PATH}.completedIndexes", done, detail)
    if failed is not None and not per_index:
        detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        yield invalid(f"{_PATH}.failedIndexes", failed, detail)
    if completions is None or failed is None:
        return
    both = overlap(done, failed, completions)
    if both is not None:
        detail = f"failedIndexes and completedIndexes overlap at index: {both}"
        yield invalid(f"{_PATH}.failedIndexes", failed, detail)


def _format(field: str, text: str, completions: int) -> Errors:
    try:
        count_indexes(text, completions)
    except IndexesError as problem:
        yield invalid(f"{_PATH}.{field}", text, f"error parsing {field}: {problem}")


def _success(spec: Manifest, true: set[str]) -> Errors:
    if "SuccessCriteriaMet" in true:
        for other in ("Failed", "FailureTarget"):
            if other in true:
                said = f"{other}=true"
                yield invalid(_CONDITIONS, OMITTED, f"cannot set SuccessCriteriaMet=True and {said} conditions")
    elif spec.get("successPolicy") is not None and "Complete" in true:
        detail = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        yield invalid(_CONDITIONS, OMITTED, detail)


def _changes(new: Manifest, old: Manifest, true: set[str]) -> Errors:
    """What was said for good is not taken back."""
    spec, status, before = new.get("spec") or {}, new.get("status") or {}, old.get("status") or {}
    was = _true(before)
    for kind in ("Failed", "Complete", "FailureTarget"):
        if kind in was and kind not in true:
            yield invalid(_CONDITIONS, OMITTED, f"cannot disable the terminal {kind}=True condition")
    counted = ["failed"] if spec.get("completions") == spec.get("parallelism") else ["failed", "succeeded"]
    for field in counted:
        if (status.get(field) or 0) < (before.get(field) or 0):
            yield invalid(f"{_PATH}.{field}", status.get(field) or 0, f"cannot decrease the {field} counter")
    end, ended = status.get("completionTime"), before.get("completionTime")
    if end and ended and times.parse(end) != times.parse(ended):
        yield invalid(f"{_PATH}.completionTime", end, metadata.IMMUTABLE)
    if before.get("startTime") and before["startTime"] != status.get("startTime") and not spec.get("suspend"):
        yield required(f"{_PATH}.startTime", "startTime cannot be removed for unsuspended job")
    if "SuccessCriteriaMet" in was and "SuccessCriteriaMet" not in true:
        yield invalid(_CONDITIONS, OMITTED, "cannot disable the SuccessCriteriaMet=True condition")
    if "Complete" in was and "SuccessCriteriaMet" in true - was:
        detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        yield invalid(_CONDITIONS, OMITTED, detail)
