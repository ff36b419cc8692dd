"""Requests, limits and claims of containers and pods (validateResourceRequirements in core validation)."""

from __future__ import annotations

from collections.abc import Collection

from podlab.apis import names, pods, quantity
from podlab.apis.field_errors import duplicate, forbidden, invalid, not_found, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import NOT_NEGATIVE, Errors, by_rule, one_of

HUGEPAGES = "hugepages-"
_CONTAINER = ("cpu", "memory", "ephemeral-storage")
_STANDARD = {
    *_CONTAINER, "storage", "pods", "resourcequotas", "services", "services.nodeports", "services.loadbalancers",
    "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
    *(f"{kind}.{name}" for kind in ("requests", "limits") for name in _CONTAINER), "requests.storage",
}  # fmt: skip
_INTEGERS = frozenset(
    {
        "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services",
        "services.loadbalancers", "services.nodeports",
    }
)  # fmt: skip
_POD_LEVEL = ("cpu", HUGEPAGES, "memory")


def _is_hugepage(name: str) -> bool:
    return name.startswith(HUGEPAGES)


def _is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def _is_extended(name: str) -> bool:
    return not _is_native(name) and not name.startswith("requests.") and not names.qualified_name(f"requests.{name}")


def may_overcommit(name: str) -> bool:
    return _is_native(name) and not _is_hugepage(name)


def resource_name(path: str, name: str) -> Errors:
    """ValidateResourceName: the name of any resource."""
    problems = names.qualified_name(name)
    yield from by_rule(path, name, names.qualified_name)
    if not problems and "/" not in name and name not in _STANDARD and not _is_hugepage(name):
        yield invalid(path, name, "must be a standard resource type or fully qualified")


def container_resource_name(path: str, name: str) -> Errors:
    yield from resource_name(path, name)
    if "/" in name:
        if not _is_native(name) and not _is_extended(name):
            yield invalid(path, name, "doesn't follow extended resource name standard")
        return
    if name not in _CONTAINER and not _is_hugepage(name):
        yield invalid(path, name, "must be a standard resource for containers")


def amount(path: str, name: str, text: str) -> Errors:
    parsed = quantity.parse(text)
    if parsed.nano < 0:
        yield invalid(path, quantity.canonical(text), NOT_NEGATIVE)
    if (name in _INTEGERS or _is_extended(name)) and parsed.milli % 1000:
        yield invalid(path, quantity.canonical(text), "must be an integer")


def _hugepages(path: str, name: str, text: str) -> Errors:
    if not _is_hugepage(name):
        return
    parsed = quantity.parse(text)
    try:
        size = quantity.parse(name.removeprefix(HUGEPAGES))
    except quantity.QuantityError:
        size = quantity.Quantity(0)
    if size.nano <= 0 or parsed.nano % size.nano:
        shown = quantity.canonical(text)
        yield invalid(path, shown, f"{shown} is not positive integer multiple of {name}")


def container(path: str, resources: Manifest, claims: Collection[str]) -> Errors:
    yield from _requirements(path, resources, pod_level=False)
    yield from _claims(f"{path}.claims", resources.get("claims") or [], claims)


def _name(path: str, name: str, *, pod_level: bool) -> Errors:
    if not pod_level:
        yield from container_resource_name(path, name)
        return
    problems = list(resource_name(path, name))
    yield from problems
    if not problems and name not in ("cpu", "memory") and not _is_hugepage(name):
        yield not_supported(path, name, _POD_LEVEL)


def _requirements(path: str, resources: Manifest, *, pod_level: bool) -> Errors:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, text in limits.items():
        here = f"{path}.limits[{name}]"
        yield from _name(here, name, pod_level=pod_level)
        yield from amount(here, name, text)
        yield from _hugepages(here, name, text)
    for name, text in requests.items():
        here = f"{path}.requests[{name}]"
        yield from _name(here, name, pod_level=pod_level)
        yield from amount(here, name, text)
        if name in limits:
            yield from _within_limit(f"{path}.requests", name, text, limits[name])
        elif not may_overcommit(name):
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        yield from _hugepages(here, name, text)
    named = {*limits, *requests}
    if any(map(_is_hugepage, named)) and not named & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")


def _within_limit(path: str, name: str, request: str, limit: str) -> Errors:
    order = quantity.compare(request, limit)
    text, bound = quantity.canonical(request), quantity.canonical(limit)
    if order and not may_overcommit(name):
        yield invalid(path, text, f"must be equal to {name} limit of {bound}")
    elif order > 0:
        yield invalid(path, text, f"must be less than or equal to {name} limit of {bound}")


def _claims(path: str, claims: list[Manifest], known: Collection[str]) -> Errors:
    seen: set[tuple[str, str]] = set()
    for index, claim in enumerate(claims):
        name, request = claim.get("name") or "", claim.get("request") or ""
        here = f"{path}[{index}]"
        if not name:
            yield required(here)
            continue
        if (name, "") in seen:
            yield duplicate(here, name)  # all of that claim is named already
        else:
            if request:
                yield from by_rule(f"{here}.request", request, names.dns_label)
            if (name, request) in seen:
                yield duplicate(here, f"{name}/{request}")
            elif not request and any(other == name for other, _ in seen):
                yield duplicate(here, name)
            seen.add((name, request))
        if name not in known:
            listed = sorted(item for item in known if item)
            end = f": {', '.join(listed)}" if listed else " which is empty"
            yield not_found(here, name, f"must be one of the names in pod.spec.resourceClaims{end}")


def pod_level(path: str, pod: Manifest, claims: Collection[str]) -> Errors:
    """spec.resources, against itself and against the containers."""
    resources = (pod.get("spec") or {}).get("resources")
    if resources is None:
        return
    if ((pod.get("spec") or {}).get("os") or {}).get("name") == "windows":
        yield forbidden(path, "may not be set for a windows pod")
        return
    if resources.get("claims"):
        yield forbidden(f"{path}.claims", "claims may not be set for Resources at pod-level")
    yield from _requirements(path, resources, pod_level=True)
    yield from _claims(f"{path}.claims", resources.get("claims") or [], claims)
    yield from _aggregates(path, pod, resources)
    yield from _containers_within(path, pod["spec"], resources.get("limits") or {})


def _aggregates(path: str, pod: Manifest, resources: Manifest) -> Errors:
    """The pod as a whole has at least what its containers have together."""
    bare = {**pod, "spec": {**pod["spec"], "resources": None, "overhead": None}}
    for kind in ("requests", "limits"):
        for name, total in pods.total_quantities(bare, kind=kind).items():
            given = (resources.get(kind) or {}).get(name)
            if given is None or (kind == "limits" and not _is_hugepage(name)):
                continue
            if quantity.parse(given).nano < total.nano:
                detail = f"must be greater than or equal to aggregate container {kind} of {total}"
                yield invalid(f"{path}.{kind}[{name}]", quantity.canonical(given), detail)


def _containers_within(path: str, spec: Manifest, limits: Manifest) -> Errors:
    for index, item in enumerate(spec.get("containers") or []):
        for name, text in ((item.get("resources") or {}).get("limits") or {}).items():
            if name in limits and quantity.compare(text, limits[name]) > 0:
                here = f"{path}.containers[{index}][{name}].limits"
                bound = quantity.canonical(limits[name])
                yield invalid(here, quantity.canonical(text), f"must be less than or equal to pod limits of {bound}")


def pod_claims(path: str, claims: list[Manifest]) -> Errors:
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        here = f"{path}[{index}]"
        name, source, template = (claim.get(key) for key in ("name", "resourceClaimName", "resourceClaimTemplateName"))
        if name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name or "")
        if not name:
            yield required(f"{here}.name")
        else:
            yield from by_rule(f"{here}.name", name, names.dns_label)
        shown = {"Name": name or "", "ResourceClaimName": source, "ResourceClaimTemplateName": template}
        if source is not None and template is not None:
            detail = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            yield invalid(here, shown, detail)
        elif source is None and template is None:
            yield invalid(here, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
        for field, value in (("resourceClaimName", source), ("resourceClaimTemplateName", template)):
            if value is not None:
                yield from by_rule(f"{here}.{field}", value, names.dns_subdomain)


_RESIZE = ("NotRequired", "RestartContainer")


def resize_policy(path: str, policies: list[Manifest], pod_restart: str) -> Errors:
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        name, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)
        for value, supported in ((name, ("cpu", "memory")), (restart, _RESIZE)):
            if not value:
                yield required(path)
            else:
                yield from one_of(path, value, supported)
        if pod_restart == "Never" and restart != "NotRequired":
            yield invalid(path, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")


def overhead(path: str, values: Manifest) -> Errors:
    """Kubernetes looks at overhead as at limits, and names them so."""
    yield from _requirements(path, {"limits": values}, pod_level=False)
