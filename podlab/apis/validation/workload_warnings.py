"""Sentences that go out as Warning headers with an accepted workload (WarningsOnCreate of pkg/registry/{apps,batch})."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.apis.types import Manifest
from podlab.apis.validation import volume_warnings, warnings
from podlab.apis.validation.workloads import spec_of

_HOSTS = "Pod names and hostnames"
_HISTORY = "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
_ZONE = (
    "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "  # sic
    "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
)
_MANY_INDEXES = (
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might "
    "not be able to track completedIndexes when a big number of indexes fail"
)


def _template(obj: Manifest) -> list[str]:
    return warnings.of_template("spec.template.", spec_of(obj).get("template") or {})


def _named(obj: Manifest) -> list[str]:
    return [*warnings.of_name(obj, _HOSTS), *_template(obj)]


def _stateful_set(obj: Manifest) -> list[str]:
    return [*_template(obj), *_claims(obj), *_endless(obj)]


def _endless(obj: Manifest) -> list[str]:
    return [_HISTORY] if (spec_of(obj).get("revisionHistoryLimit") or 0) < 0 else []


def _claims(obj: Manifest, below: str = "") -> list[str]:
    return [
        text
        for index, claim in enumerate(spec_of(obj).get("volumeClaimTemplates") or [])
        for text in volume_warnings.of_claim_spec(f"spec.volumeClaimTemplates[{index}]{below}", claim.get("spec") or {})
    ]


def _job(obj: Manifest) -> list[str]:
    return [*_named(obj), *_many("spec", spec_of(obj))]


def _many(path: str, spec: Manifest) -> list[str]:
    many = (spec.get("completions") or 0) > 100_000 and (spec.get("parallelism") or 0) > 10_000
    return [f"{path}: {_MANY_INDEXES}"] if many and spec.get("completionMode") == "Indexed" else []


def _cron_job(obj: Manifest) -> list[str]:
    return [*warnings.of_name(obj, _HOSTS), *_cron_job_spec(obj)]


def _cron_job_spec(obj: Manifest) -> list[str]:
    job = (spec_of(obj).get("jobTemplate") or {}).get("spec") or {}
    found = _many("spec.jobTemplate.spec", job)
    return [*found, *warnings.of_template("spec.jobTemplate.spec.template.", job.get("template") or {})]


def _changed(new: Manifest, old: Manifest) -> bool:
    """Only a new generation is looked at again."""
    return generation(new) != generation(old)


def generation(obj: Manifest) -> int:
    return (obj.get("metadata") or {}).get("generation") or 0


def _template_again(new: Manifest, old: Manifest) -> list[str]:
    return _template(new) if _changed(new, old) else []


def _daemon_set_again(new: Manifest, old: Manifest) -> list[str]:
    same = spec_of(new).get("template") == spec_of(old).get("template")
    return [] if same else _template(new)


def _stateful_set_again(new: Manifest, old: Manifest) -> list[str]:
    return [*_template_again(new, old), *_claims(new, ".Spec"), *_endless(new)]  # sic


def _job_again(new: Manifest, old: Manifest) -> list[str]:
    return [*_many("spec", spec_of(new)), *_template(new)] if _changed(new, old) else []


def _cron_job_again(new: Manifest, old: Manifest) -> list[str]:
    found = _cron_job_spec(new) if _changed(new, old) else []
    return [*found, *([_ZONE] if "TZ" in (spec_of(new).get("schedule") or "") else [])]


ON_UPDATE: Mapping[str, Callable[[Manifest, Manifest], list[str]]] = {
    "deployments.apps": _template_again,
    "replicasets.apps": _template_again,
    "daemonsets.apps": _daemon_set_again,
    "statefulsets.apps": _stateful_set_again,
    "jobs.batch": _job_again,
    "cronjobs.batch": _cron_job_again,
}
BY_KEY: Mapping[str, Callable[[Manifest], list[str]]] = {
    "deployments.apps": _named,
    "replicasets.apps": _named,
    "daemonsets.apps": _template,
    "statefulsets.apps": _stateful_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
}
