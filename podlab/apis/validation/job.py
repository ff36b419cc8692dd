"""batch/v1 Job (pkg/apis/batch/validation/validation.go). Policies are in job_policies.py, status in job_status.py.

The registry's JobStrategy has generated selector and labels before this is asked.
"""

from __future__ import annotations

import copy

from podlab.apis import internal_form, names
from podlab.apis.field_errors import invalid, not_supported, required, too_long
from podlab.apis.types import Manifest
from podlab.apis.validation import job_policies, metadata, template
from podlab.apis.validation.rules import Errors, domain_prefixed, label_selector, not_negative
from podlab.apis.validation.workloads import compiled, immutable, selected, shown_labels, shown_selector, spec_of

CONTROLLER_UID, JOB_NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
LEGACY_CONTROLLER_UID, LEGACY_JOB_NAME = "controller-uid", "job-name"
MODES = ("NonIndexed", "Indexed")
_REPLACEMENT = ("Failed", "TerminatingOrFailed")
_RESTART = ("OnFailure", "Never")
_VALID_RESTART = 'valid values: "OnFailure", "Never"'
_INDEXED_ONLY = "requires indexed completion mode"
_MANY = 100_000
_FEWER = 10_000
_MANAGER_MAX = 63


def job(obj: Manifest) -> Errors:
    spec = spec_of(obj)
    yield from _generated_selector(obj)
    yield from _selected_spec("spec", spec)
    yield from _pod_host_name(obj)


def _selected_spec(path: str, spec: Manifest) -> Errors:
    """ValidateJobSpec: a Job of its own has a selector, the template of one has none."""
    yield from job_spec(path, spec)
    if spec.get("selector") is None:
        yield required(f"{path}.selector")
    else:
        yield from label_selector(f"{path}.selector", spec["selector"])
    selector = compiled(spec.get("selector"))
    if selector is not None:
        yield from selected(path, selector, spec)


def _generated_selector(obj: Manifest) -> Errors:
    meta, spec = obj.get("metadata") or {}, spec_of(obj)
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    uid, name = meta.get("uid") or "", meta.get("name") or ""
    if not uid:
        yield required("metadata.uid")
    expected = {LEGACY_CONTROLLER_UID: uid, LEGACY_JOB_NAME: name, CONTROLLER_UID: uid, JOB_NAME: name}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    for key, wanted in expected.items():
        here, detail = f"spec.template.metadata.labels[{key}]", f"must be '{wanted}'"
        if key not in labels:
            yield required(here, detail)
        elif labels[key] != wanted:
            yield invalid(here, shown_labels(labels), detail)
    selector = compiled(spec["selector"])
    if selector is not None and not selector.matches(expected):
        yield invalid("spec.selector", shown_selector(spec["selector"]), "`selector` not auto-generated")


def _pod_host_name(obj: Manifest) -> Errors:
    """The pods of an indexed Job are called after it, with their index."""
    spec, name = spec_of(obj), (obj.get("metadata") or {}).get("name") or ""
    completions = spec.get("completions") or 0
    if spec.get("completionMode") == "Indexed" and completions > 0:
        longest = f"{name}-{completions - 1}"
        if names.dns_label(longest):
            yield invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {longest}")


_NUMBERS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip


def job_spec(path: str, spec: Manifest) -> Errors:
    """validateJobSpec: what a Job and the template in a CronJob share."""
    for field in _NUMBERS:
        yield from not_negative(path, spec, field)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    yield from _manager(f"{path}.managedBy", spec.get("managedBy"))
    mode = spec.get("completionMode")
    if mode is not None and mode not in MODES:
        yield not_supported(f"{path}.completionMode", mode, MODES)
    if mode == "Indexed":
        yield from _indexed(path, spec)
    if mode in (None, "NonIndexed"):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                yield invalid(f"{path}.{field}", spec[field], _INDEXED_ONLY)
    yield from job_policies.failure(f"{path}.podFailurePolicy", spec)
    yield from job_policies.success(f"{path}.successPolicy", spec)
    yield from _replacement(f"{path}.podReplacementPolicy", spec)
    yield from template.validate(f"{path}.template", spec.get("template") or {})
    yield from _restart(f"{path}.template.spec.restartPolicy", spec)


def _manager(path: str, value: str | None) -> Errors:
    if value is None:
        return
    yield from domain_prefixed(path, value)
    if len(value) > _MANAGER_MAX:
        yield too_long(path, _MANAGER_MAX)


def _indexed(path: str, spec: Manifest) -> Errors:
    completions, parallelism = spec.get("completions"), spec.get("parallelism") or 0
    if completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if parallelism > _MANY:
        detail = f"must be less than or equal to {_MANY} when completion mode is Indexed"
        yield invalid(f"{path}.parallelism", parallelism, detail)
    failed = spec.get("maxFailedIndexes")
    here = f"{path}.maxFailedIndexes"
    if completions is not None and failed is not None and failed > completions:
        yield invalid(here, failed, "must be less than or equal to completions")
    if failed is not None and failed > _MANY:
        yield invalid(here, failed, f"must be less than or equal to {_MANY}")
    if completions is None or completions <= _MANY or spec.get("backoffLimitPerIndex") is None:
        return
    if failed is None:
        yield required(here, f"must be specified when completions is above {_MANY}")
    detail = f"must be less than or equal to {_FEWER} when completions are above {_MANY} and used with backoff limit per index"
    if parallelism > _FEWER:
        yield invalid(f"{path}.parallelism", parallelism, detail)
    if failed is not None and failed > _FEWER:
        yield invalid(here, failed, detail)


def _replacement(path: str, spec: Manifest) -> Errors:
    policy = spec.get("podReplacementPolicy")
    supported = _REPLACEMENT if spec.get("podFailurePolicy") is None else _REPLACEMENT[:1]
    if policy is not None and policy not in supported:
        yield not_supported(path, policy, supported)


def _restart(path: str, spec: Manifest) -> Errors:
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy") or ""
    if policy in ("", "Always"):
        yield required(path, _VALID_RESTART)
    elif policy not in _RESTART:
        yield not_supported(path, policy, _RESTART)
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        yield invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def job_update(new: Manifest, old: Manifest) -> Errors:
    """`new` is looked through twice, as a Job and as an update of one: that is how Kubernetes counts causes."""
    spec, before = spec_of(new), spec_of(old)
    yield from _selected_spec("spec", spec)
    yield from _completions(spec, before)
    yield from immutable("spec", spec, before, "selector")
    yield from _template_update(spec, old)
    for field in ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
        if spec.get(field) != before.get(field):
            yield invalid(f"spec.{field}", job_policies.shown(field, spec.get(field)), metadata.IMMUTABLE)


def _completions(spec: Manifest, before: Manifest) -> Errors:
    """An indexed Job may grow and shrink if parallelism goes along."""
    wanted = spec.get("completions")
    if spec.get("completionMode") != "Indexed":
        yield from immutable("spec", spec, before, "completions")
    elif wanted is not None and wanted != before.get("completions") and wanted != spec.get("parallelism"):
        yield invalid("spec.completions", wanted, "can only be modified in tandem with spec.parallelism")


def _template_update(spec: Manifest, old: Manifest) -> Errors:
    """validatePodTemplateUpdate: what no pod has been made of yet may change, and then only what stays fixed is compared."""
    before, given = copy.deepcopy(spec_of(old).get("template") or {}), spec.get("template") or {}
    if not _stands_still(old):
        if given != before:
            yield invalid("spec.template", internal_form.pod_template(given), metadata.IMMUTABLE)
        return
    adjusted, inside = _adjusted(before.get("spec") or {}, given.get("spec") or {}), given.get("spec") or {}
    if inside != adjusted:
        yield invalid("spec.template.spec", internal_form.struct("PodSpec", inside), metadata.IMMUTABLE)


def _adjusted(inside: Manifest, given: Manifest) -> Manifest:
    """The old spec of the pods, with everything that may change taken from the new one."""
    for field in ("nodeSelector", "tolerations", "schedulingGates"):
        _take(inside, given, field)
    affinity = {name: value for name, value in (inside.get("affinity") or {}).items() if name != "nodeAffinity"}
    wanted = given.get("affinity")
    if wanted is not None:
        if "nodeAffinity" in wanted:
            affinity["nodeAffinity"] = wanted["nodeAffinity"]
        inside["affinity"] = affinity
    elif not affinity:
        inside.pop("affinity", None)
    for field in ("containers", "initContainers"):
        had, now = inside.get(field) or [], given.get(field) or []
        for item, other in zip(had, now, strict=False) if len(had) == len(now) else ():
            if item.get("name") == other.get("name"):
                _take(item, other, "resources")
    return inside


def _stands_still(old: Manifest) -> bool:
    """A suspended Job whose pods are gone, or that never had any."""
    status = old.get("status") or {}
    suspended = any(
        item.get("type") == "Suspended" and item.get("status") == "True" for item in status.get("conditions") or []
    )
    return bool(spec_of(old).get("suspend")) and (not status.get("startTime") or suspended) and not status.get("active")


def _take(target: Manifest, source: Manifest, field: str) -> None:
    if field in source:
        target[field] = source[field]
    else:
        target.pop(field, None)
