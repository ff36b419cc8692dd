"""LimitRanges and ResourceQuotas (ValidateLimitRange, ValidateResourceQuota in core validation)."""

from __future__ import annotations

from podlab.apis import names, quantity
from podlab.apis.field_errors import duplicate, forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata, resources
from podlab.apis.validation.rules import Errors

_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_OBJECT_COUNT = (
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
    "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
)  # fmt: skip
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_QUOTA = {
    *_OBJECT_COUNT, *_COMPUTE, "requests.storage",
    *(f"{kind}.{name}" for kind in ("requests", "limits") for name in _COMPUTE),
}  # fmt: skip
_EXISTS_ONLY = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity")
SCOPES = (*_EXISTS_ONLY, "PriorityClass", "VolumeAttributesClass")
_MUST_EXIST = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
_EXCLUDING = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_BEST_EFFORT = {"pods"}
_TERMINATING = {"pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}


def limit_range(obj: Manifest) -> Errors:
    seen: set[str] = set()
    for index, limit in enumerate((obj.get("spec") or {}).get("limits") or []):
        here, kind = f"spec.limits[{index}]", limit.get("type") or ""
        yield from _limit_type(f"{here}.type", kind)
        if kind in seen:
            yield duplicate(f"{here}.type", kind)
        seen.add(kind)
        yield from _limit_item(here, kind, limit)


def _limit_type(path: str, kind: str) -> Errors:
    problems = names.qualified_name(kind)
    for problem in problems:
        yield invalid(path, kind, problem)
    if not problems and "/" not in kind and kind not in _TYPES:
        yield invalid(path, kind, "must be a standard limit type or fully qualified")


def _limit_item(path: str, kind: str, limit: Manifest) -> Errors:
    parts = {
        name: limit.get(name) or {} for name in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
    }
    for name in ("max", "min"):
        for resource in parts[name]:
            yield from _resource_name(f"{path}.{name}[{resource}]", resource, kind)
    if kind == "Pod":
        for name in ("default", "defaultRequest"):
            if parts[name]:
                yield forbidden(f"{path}.{name}", "may not be specified when `type` is 'Pod'")
    else:
        for name in ("default", "defaultRequest"):
            for resource in parts[name]:
                yield from _resource_name(f"{path}.{name}[{resource}]", resource, kind)
    if kind == "PersistentVolumeClaim" and "storage" not in parts["min"] and "storage" not in parts["max"]:
        yield required(
            f"{path}.limits", "either minimum or maximum storage value is required, but neither was provided"
        )
    for resource in parts["maxLimitRequestRatio"]:
        yield from _resource_name(f"{path}.maxLimitRequestRatio[{resource}]", resource, kind)
    for resource in sorted({name for part in parts.values() for name in part}):
        yield from _compare(path, resource, {name: part.get(resource) for name, part in parts.items()})


def _resource_name(path: str, name: str, kind: str) -> Errors:
    if kind in ("Pod", "Container"):
        yield from resources.container_resource_name(path, name)
    else:
        yield from resources.resource_name(path, name)


def _compare(path: str, resource: str, given: dict[str, str | None]) -> Errors:
    """How minimum, default request, default limit and maximum of one resource lie to each other."""

    def told(name: str) -> str:
        return quantity.canonical(given[name] or "0")

    def above(left: str, right: str) -> bool:
        return given[left] is not None and given[right] is not None and quantity.compare(given[left], given[right]) > 0

    if above("min", "max"):
        detail = f"min value {told('min')} is greater than max value {told('max')}"
        yield invalid(f"{path}.min[{resource}]", told("min"), detail)
    if above("min", "defaultRequest"):
        detail = f"min value {told('min')} is greater than default request value {told('defaultRequest')}"
        yield invalid(f"{path}.defaultRequest[{resource}]", told("defaultRequest"), detail)
    if above("defaultRequest", "max"):
        detail = f"default request value {told('defaultRequest')} is greater than max value {told('max')}"
        yield invalid(f"{path}.defaultRequest[{resource}]", told("defaultRequest"), detail)
    if above("defaultRequest", "default"):
        detail = f"default request value {told('defaultRequest')} is greater than default limit value {told('default')}"
        yield invalid(f"{path}.defaultRequest[{resource}]", told("defaultRequest"), detail)
    if above("min", "default"):
        detail = f"min value {told('min')} is greater than default value {told('default')}"
        yield invalid(f"{path}.default[{resource}]", told("min"), detail)
    if above("default", "max"):
        detail = f"default value {told('default')} is greater than max value {told('max')}"
        yield invalid(f"{path}.default[{resource}]", told("max"), detail)
    yield from _ratio(path, resource, given)
    yield from _overcommit(path, resource, given)


def _ratio(path: str, resource: str, given: dict[str, str | None]) -> Errors:
    ratio = given["maxLimitRequestRatio"]
    if ratio is None:
        return
    here = f"{path}.maxLimitRequestRatio[{resource}]"
    if quantity.compare(ratio, "1") < 0:
        yield invalid(here, quantity.canonical(ratio), f"ratio {quantity.canonical(ratio)} is less than 1")
    low, high = given["min"], given["max"]
    if low is not None and high is not None and quantity.parse(low).nano:
        bound = quantity.parse(high).milli / quantity.parse(low).milli
        if quantity.parse(ratio).milli / 1000 > bound:
            detail = f"ratio {quantity.canonical(ratio)} is greater than max/min = {bound:.6f}"
            yield invalid(here, quantity.canonical(ratio), detail)


def _overcommit(path: str, resource: str, given: dict[str, str | None]) -> Errors:
    """For GPUs, huge pages and other resources that cannot be overcommitted, default limit and request are one."""
    request, limit = given["defaultRequest"], given["default"]
    if resources.may_overcommit(resource) or request is None or limit is None:
        return
    if quantity.compare(request, limit) != 0:
        shown = quantity.canonical(request)
        detail = f"default value {quantity.canonical(limit)} must equal to defaultRequest value {shown} in {resource}"
        yield invalid(f"{path}.defaultRequest[{resource}]", shown, detail)


def resource_quota(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    yield from _amounts("spec.hard", spec.get("hard") or {})
    yield from _scopes(spec)
    yield from _scope_selector(spec)


def _amounts(path: str, amounts: Manifest) -> Errors:
    for name, text in amounts.items():
        yield from quota_name(f"{path}[{name}]", name)
        yield from resources.amount(f"{path}[{name}]", _integral(name), text)


def _integral(name: str) -> str:
    """count/… are integers like the other counts."""
    return "pods" if name.startswith("count/") else name


def quota_name(path: str, name: str) -> Errors:
    yield from resources.resource_name(path, name)
    if "/" not in name and not _is_standard(name):
        yield invalid(path, name, "must be a standard resource for quota")


def _scopes(spec: Manifest) -> Errors:
    scopes = spec.get("scopes") or []
    if not scopes:
        return
    here = "spec.scopes"
    for scope in scopes:
        if scope not in SCOPES:
            yield invalid(here, scopes, "unsupported scope")
        for name in sorted(spec.get("hard") or {}):
            if not _scope_takes(scope, name):
                yield invalid(here, scopes, "unsupported scope applied to resource")
    yield from _excluding(here, set(scopes), scopes)


def _scope_takes(scope: str, resource: str) -> bool:
    """Whether a scope may limit this resource; names with a slash are not looked at."""
    if scope not in SCOPES or not _is_standard(resource):
        return True
    if scope == "BestEffort":
        return resource in _BEST_EFFORT
    if scope == "VolumeAttributesClass":
        return resource in ("persistentvolumeclaims", "requests.storage")
    return resource in _TERMINATING


def _is_standard(resource: str) -> bool:
    return resource in _QUOTA or resource.startswith(("hugepages-", "requests.hugepages-"))


def _excluding(path: str, scopes: set[str], shown: object) -> Errors:
    for pair in _EXCLUDING:
        if pair <= scopes:
            yield invalid(path, shown, "conflicting scopes")


def _scope_selector(spec: Manifest) -> Errors:
    if spec.get("scopeSelector") is None:
        return
    here = "spec.scopeSelector.matchExpressions"
    expressions = spec["scopeSelector"].get("matchExpressions") or []
    parts = (("ScopeName", "scopeName", ""), ("Operator", "operator", ""), ("Values", "values", None))
    shown = {"MatchExpressions": [{go: item.get(name) or zero for go, name, zero in parts} for item in expressions]}
    for item in expressions:
        scope, operator, values = item.get("scopeName") or "", item.get("operator") or "", item.get("values") or []
        if scope not in SCOPES:
            yield invalid(f"{here}.scopeName", scope, "unsupported scope")
        for name in sorted(spec.get("hard") or {}):
            if not _scope_takes(scope, name):
                yield invalid(here, shown, "unsupported scope applied to resource")
        if scope in _EXISTS_ONLY and operator != "Exists":
            yield invalid(f"{here}.operator", operator, _MUST_EXIST)
        if operator in ("In", "NotIn"):
            if not values:
                yield required(
                    f"{here}.values", "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                )
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                yield invalid(
                    f"{here}.values",
                    values,
                    "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
                )
        else:
            yield invalid(f"{here}.operator", operator, "not a valid selector operator")
    yield from _excluding(here, {item.get("scopeName") for item in expressions}, spec.get("scopes"))  # sic


def resource_quota_update(new: Manifest, old: Manifest) -> Errors:
    yield from resource_quota(new)
    # Compared as sets.
    if set((new.get("spec") or {}).get("scopes") or []) != set((old.get("spec") or {}).get("scopes") or []):
        yield invalid("spec.scopes", (new.get("spec") or {}).get("scopes"), metadata.IMMUTABLE)


def resource_quota_warnings(obj: Manifest) -> list[str]:
    """Requests that allow more than limits do (WarningsOnCreate of the quota strategy)."""
    hard = (obj.get("spec") or {}).get("hard") or {}
    out = []
    for name in ("cpu", "memory", "storage", "ephemeral-storage"):
        asked = f"requests.{name}"
        if asked not in hard and name in ("cpu", "memory"):
            asked = name
        limit = f"limits.{name}"
        if asked in hard and limit in hard and quantity.compare(hard[asked], hard[limit]) > 0:
            told = [f"{key} ({quantity.canonical(hard[key])})" for key in (asked, limit)]
            out.append(f"ResourceQuota {told[0]} should be less than {told[1]}")
    return out


def resource_quota_status(new: Manifest, old: Manifest) -> Errors:
    status = new.get("status") or {}
    for field in ("hard", "used"):
        yield from _amounts(f"status.{field}", status.get(field) or {})
