"""batch/v1 CronJob (pkg/apis/batch/validation/validation.go)."""

from __future__ import annotations

import re

from podlab.apis import cron
from podlab.apis.field_errors import invalid, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation import job
from podlab.apis.validation.rules import Errors, not_negative
from podlab.apis.validation.workloads import shown_selector, spec_of

# A Job's name is the CronJob's and eleven characters more, and must still be a label.
_NAME_MAX = 52
_POLICIES = ("Allow", "Forbid", "Replace")
_ZONE_PART = r"[A-Za-z.\-_0-9+]{1,14}"
_BOTH_ZONES = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
_NO_ZONE = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
_LOCAL = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"


def cron_job(obj: Manifest) -> Errors:
    yield from _spec("spec", spec_of(obj), None)
    name = (obj.get("metadata") or {}).get("name") or ""
    if len(name) > _NAME_MAX:
        yield invalid("metadata.name", name, f"must be no more than {_NAME_MAX} characters")


def cron_job_update(new: Manifest, old: Manifest) -> Errors:
    yield from _spec("spec", spec_of(new), spec_of(old))


def _spec(path: str, spec: Manifest, old: Manifest | None) -> Errors:
    if not spec.get("schedule"):
        yield required(f"{path}.schedule")
    else:
        zoned = old is not None and "TZ" in (old.get("schedule") or "")
        yield from _schedule(f"{path}.schedule", spec, zoned=zoned)
    yield from not_negative(path, spec, "startingDeadlineSeconds")
    if old is None or old.get("timeZone") != spec.get("timeZone"):
        yield from _time_zone(f"{path}.timeZone", spec.get("timeZone"))
    policy = spec.get("concurrencyPolicy") or ""
    if not policy:
        yield required(f"{path}.concurrencyPolicy")
    elif policy not in _POLICIES:
        yield not_supported(f"{path}.concurrencyPolicy", policy, _POLICIES)
    yield from _template(f"{path}.jobTemplate.spec", (spec.get("jobTemplate") or {}).get("spec") or {})
    yield from not_negative(path, spec, "successfulJobsHistoryLimit")
    yield from not_negative(path, spec, "failedJobsHistoryLimit")


def _schedule(path: str, spec: Manifest, *, zoned: bool) -> Errors:
    """Time zones in the schedule itself are only kept where they are already."""
    text = spec["schedule"]
    try:
        cron.parse(text)
    except cron.ScheduleError as problem:
        yield invalid(path, text, str(problem))
    if "TZ" in text:
        if not zoned:
            yield invalid(path, text, _NO_ZONE)
        elif spec.get("timeZone") is not None:
            yield invalid(path, text, _BOTH_ZONES)


def _time_zone(path: str, zone: str | None) -> Errors:
    if zone is None:
        return
    if not zone:
        yield invalid(path, zone, "timeZone must be nil or non-empty string")
        return
    unknown = f"unknown time zone {zone}"
    for part in zone.split("/"):
        if part in (".", "..") or part.startswith("-") or not re.fullmatch(_ZONE_PART, part):
            yield invalid(path, zone, unknown)
            return
    if zone.lower() == "local":
        yield invalid(path, zone, _LOCAL)
    if zone != "Local" and not cron.is_zone(zone):
        yield invalid(path, zone, unknown)


def _template(path: str, spec: Manifest) -> Errors:
    yield from job.job_spec(path, spec)
    if spec.get("selector") is not None:
        yield invalid(f"{path}.selector", shown_selector(spec["selector"]), "`selector` will be auto-generated")
    if spec.get("manualSelector"):
        yield not_supported(f"{path}.manualSelector", True, ("nil", "false"))
