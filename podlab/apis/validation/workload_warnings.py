"""Sentences that go out as Warning headers with an accepted workload (WarningsOnCreate of pkg/registry/{apps,batch})."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.apis.types import Manifest
from podlab.apis.validation import warnings
from podlab.apis.validation.workloads import spec_of

_HOSTS = "Pod names and hostnames"
_HISTORY = "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
_ZONE = "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone field instead"  # sic
_MANY_INDEXES = (
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might "
    "not be able to track completedIndexes when a big number of indexes fail"
)


def _template(obj: Manifest) -> list[str]:
    return warnings.of_template("spec.template.", spec_of(obj).get("template") or {})


def _named(obj: Manifest) -> list[str]:
    return [*warnings.of_name(obj, _HOSTS), *_template(obj)]


def _stateful_set(obj: Manifest) -> list[str]:
    endless = (spec_of(obj).get("revisionHistoryLimit") or 0) < 0
    return [*_template(obj), *([_HISTORY] if endless else [])]


def _job(obj: Manifest) -> list[str]:
    spec = spec_of(obj)
    many = (spec.get("completions") or 0) > 100_000 and (spec.get("parallelism") or 0) > 10_000
    return [*_named(obj), *([_MANY_INDEXES] if many and spec.get("completionMode") == "Indexed" else [])]


def _cron_job(obj: Manifest) -> list[str]:
    job = (spec_of(obj).get("jobTemplate") or {}).get("spec") or {}
    found = [*warnings.of_name(obj, _HOSTS)]
    found += warnings.of_template("spec.jobTemplate.spec.template.", job.get("template") or {})
    return [*found, *([_ZONE] if "TZ" in (spec_of(obj).get("schedule") or "") else [])]


BY_KEY: Mapping[str, Callable[[Manifest], list[str]]] = {
    "deployments.apps": _named,
    "replicasets.apps": _named,
    "daemonsets.apps": _template,
    "statefulsets.apps": _stateful_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
}
