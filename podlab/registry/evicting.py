"""pods/eviction: a deletion that asks the disruption budgets first. Called by `client.Client.evict`, for kubectl drain.

A budget that allows it is counted down in its status before the pod goes, so that two evictions at the same time cannot both
take the last permission. Source: pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as with_changes

from podlab.apis import disruption, field_errors, pods, scheme, selectors, status_errors, times
from podlab.apis.field_errors import FieldError
from podlab.apis.kinds_workloads import EVICTIONS
from podlab.apis.selectors import SelectorError
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry import decoding, deleting, metadata, updating
from podlab.registry.operations import Context, WriteOptions, copy_of
from podlab.registry.patch.errors import go_text
from podlab.storage.store import Stored

BUDGETS = "poddisruptionbudgets.policy"
_OLD_VERSION = "policy/v1beta1"
_ATTEMPTS = 20  # EvictionsRetry
_MAX_DISRUPTED = 2000
_VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."
_TOO_MANY_BUDGETS = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_CAUSE = "DisruptionBudget"
_UNREADABLE = "ignoreStoreReadErrorWithClusterBreakingPotential"


@dataclass(frozen=True, slots=True)
class _Eviction:
    """The request: a context without subresource, and what the deletion shall look like."""

    ctx: Context
    options: deleting.DeleteOptions
    warnings: tuple[str, ...] = ()
    wrong: tuple[FieldError, ...] = ()  # of the options, told by the deletion

    @property
    def dry_run(self) -> bool:
        return self.ctx.options.dry_run


def evict(ctx: Context, given: Manifest) -> tuple[str, ...]:
    """Raises what stands against it; 429 when a budget does. Returns warnings about the request."""
    eviction = _read(ctx, given)
    pod = _delete_unprotected(eviction)
    if pod is None:
        return eviction.warnings
    budget = _budget_of(eviction.ctx, pod.obj)
    if budget is None:
        _delete(eviction, None)
    elif not pods.is_ready(pod.obj) and _lets_unhealthy_go(budget.obj):
        _delete(eviction, pod)
    else:
        _take_permission(eviction, budget, metadata.name_of(pod.obj))
        _delete(eviction, None)
    return eviction.warnings


def _delete_unprotected(eviction: _Eviction) -> Stored | None:
    """Delete a pod that no budget counts; None when that was done. A pod that changed meanwhile is looked at again."""
    for _ in range(_ATTEMPTS):
        pod = updating.current_of(eviction.ctx)
        if _is_protected(pod.obj):
            return pod
        try:
            _delete(eviction, pod)
            return None
        except ApiError as error:
            same = updating.current_of(eviction.ctx).revision == pod.revision
            if error.reason != "Conflict" or eviction.options.resource_version or same:
                raise
    raise status_errors.conflict(eviction.ctx.resource, eviction.ctx.name)


def _read(ctx: Context, given: Manifest) -> _Eviction:
    if given.get("apiVersion") == _OLD_VERSION and given.get("kind") == EVICTIONS.kind:
        given = {**given, "apiVersion": EVICTIONS.api_version}
    as_eviction = with_changes(ctx, resource=EVICTIONS)
    body, warnings = decoding.check_body(as_eviction, given)
    metadata.check_namespace(as_eviction, body)
    if metadata.name_of(body) != ctx.name:
        raise status_errors.bad_request("name in URL does not match name in Eviction object")
    wanted = body.get("deleteOptions") or {}
    _check_options(ctx, wanted)
    preconditions = wanted.get("preconditions") or {}
    orphan = wanted.get("orphanDependents")
    options = deleting.DeleteOptions(
        grace=wanted.get("gracePeriodSeconds"),
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        propagation=wanted.get("propagationPolicy") if orphan is None else ("Orphan" if orphan else "Background"),
    )
    dry_run = ctx.options.dry_run or bool(wanted.get("dryRun"))
    return _Eviction(
        with_changes(ctx, subresource="", options=WriteOptions(dry_run=dry_run)), options, warnings, _wrong(wanted)
    )


def _check_options(ctx: Context, wanted: Manifest) -> None:
    """What the eviction itself refuses of its delete options before the pod is looked for (propagateDryRun)."""
    if wanted.get(_UNREADABLE):
        detail = "can not be set for pod eviction, try after removing the option"
        wrong = field_errors.invalid(f"deleteOptions.{_UNREADABLE}", True, detail)
        raise status_errors.invalid(EVICTIONS, ctx.name, [wrong])
    dry_run = wanted.get("dryRun") or []
    if dry_run and ctx.options.dry_run and dry_run != ["All"]:
        asked = go_text(dry_run)
        text = f"Non-matching dry-run options in request and content: [All] and {asked}"
        raise status_errors.plain_failure(text)


def _wrong(wanted: Manifest) -> tuple[FieldError, ...]:
    """ValidateDeleteOptions of apis/meta/v1/validation, as far as the deletion does not say it itself."""
    found = []
    if wanted.get("propagationPolicy") is not None and wanted.get("orphanDependents") is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        found.append(field_errors.invalid("propagationPolicy", wanted["propagationPolicy"], detail))
    dry_run = wanted.get("dryRun") or []
    if any(value != "All" for value in dry_run):
        found.append(field_errors.not_supported("dryRun", list(dry_run), ("All",)))
    return tuple(found)


def _is_protected(pod: Manifest) -> bool:
    """A pod that serves nobody yet, or no longer, is no disruption (canIgnorePDB)."""
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Pending", "Succeeded", "Failed") and not metadata.of(pod).get("deletionTimestamp")


def _budget_of(ctx: Context, pod: Manifest) -> Stored | None:
    if scheme.by_key(BUDGETS) is None:
        return None
    labels = metadata.of(pod).get("labels")
    page = ctx.client.as_system("eviction").list(BUDGETS, ctx.namespace)
    found = [budget for budget in page.items if _selects(budget.obj, labels)]
    if len(found) > 1:
        raise status_errors.plain_failure(_TOO_MANY_BUDGETS)
    return found[0] if found else None


def _selects(budget: Manifest, labels: Manifest | None) -> bool:
    try:
        return selectors.from_label_selector((budget.get("spec") or {}).get("selector")).matches(labels)
    except SelectorError:
        return False


def _lets_unhealthy_go(budget: Manifest) -> bool:
    """A pod that is not ready does not count as healthy, so its end changes nothing."""
    status = budget.get("status") or {}
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = int(status.get("desiredHealthy") or 0)
    return int(status.get("currentHealthy") or 0) >= desired > 0


def _take_permission(eviction: _Eviction, budget: Stored, pod: str) -> None:
    """Count the budget down, again on the newer one when somebody else did."""
    client = eviction.ctx.client.as_system("eviction")
    for _ in range(_ATTEMPTS):
        new = copy_of(budget.obj)
        _count_down(new, pod, eviction)
        if eviction.dry_run:
            return
        name = metadata.name_of(new)
        try:
            client.update(BUDGETS, eviction.ctx.namespace, name, new, subresource="status", why=f"{pod} is evicted.")
            return
        except ApiError as error:
            if error.reason != "Conflict":
                raise
        budget = client.get(BUDGETS, eviction.ctx.namespace, name)
    raise status_errors.timeout(f'couldn\'t update PodDisruptionBudget "{budget.key.name}" due to conflicts', 10)


def _count_down(budget: Manifest, pod: str, eviction: _Eviction) -> None:
    """checkAndDecrement."""
    name, status = metadata.name_of(budget), budget.setdefault("status", {})
    if int(status.get("observedGeneration") or 0) < int(metadata.of(budget).get("generation") or 0):
        text = f"The disruption budget {name} is still being processed by the server."
        raise _refused(text, retry_after=10)
    allowed = int(status.get("disruptionsAllowed") or 0)
    if allowed < 0:
        raise status_errors.forbidden("poddisruptionbudget.policy", name, "pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or {}) > _MAX_DISRUPTED:
        text = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise status_errors.forbidden("poddisruptionbudget.policy", name, text)
    if allowed == 0:
        raise _refused(_why_not(name, status))
    now = eviction.ctx.now
    status["disruptionsAllowed"] = allowed - 1
    if allowed == 1:
        observed = int(status.get("observedGeneration") or 0)
        before = status.get("conditions") or []
        status["conditions"] = disruption.with_allowed(before, allowed=0, generation=observed, now=now)
    status["disruptedPods"] = {**(status.get("disruptedPods") or {}), pod: times.rfc3339(now)}


def _refused(cause: str, *, retry_after: int = 0) -> ApiError:
    error = status_errors.too_many_requests(_VIOLATED, retry_after)
    details = {**(error.details or {}), "causes": [{"reason": _CAUSE, "message": cause}]}
    return ApiError(error.code, error.reason, error.message, details=details, headers=error.headers)


def _why_not(name: str, status: Manifest) -> str:
    condition = pods.get_condition(status.get("conditions"), disruption.ALLOWED) or {}
    if condition.get("reason") == "SyncFailed":
        why = f"it failed sync: {condition.get('message') or ''}"
        return f"The disruption budget {name} does not allow evicting pods currently because {why}"
    current, desired = int(status.get("currentHealthy") or 0), int(status.get("desiredHealthy") or 0)
    return f"The disruption budget {name} needs {desired} healthy pods and has {current} currently"


def _delete(eviction: _Eviction, seen: Stored | None) -> None:
    """Mark the pod as disrupted, then delete it. With `seen`, only if it is still as it was when it was looked at."""
    ctx, options = eviction.ctx, eviction.options
    if eviction.wrong:
        raise status_errors.invalid("DeleteOptions.meta.k8s.io", "", list(eviction.wrong))
    if seen is not None and not options.resource_version and _is_young(seen.obj):
        options = with_changes(options, resource_version=str(seen.revision))
    deleting.check_preconditions(ctx, options, updating.current_of(ctx))
    if not eviction.dry_run:
        marked = updating.mutate_status(with_changes(ctx, subresource="status"), _disrupted(ctx), uid=None)
        if options.resource_version:
            options = with_changes(options, resource_version=str(marked.revision))
    deleting.delete(ctx, options)


def _is_young(pod: Manifest) -> bool:
    """A pending pod may become a running one in between (shouldEnforceResourceVersion)."""
    return (pod.get("status") or {}).get("phase") == "Pending" and not metadata.of(pod).get("deletionTimestamp")


def _disrupted(ctx: Context) -> Callable[[Manifest], None]:
    def mark(pod: Manifest) -> None:
        pods.set_condition(
            pod.setdefault("status", {}).setdefault("conditions", []),
            "DisruptionTarget",
            "True",
            reason="EvictionByEvictionAPI",
            message="Eviction API: evicting",
            now=ctx.now,
        )

    return mark
