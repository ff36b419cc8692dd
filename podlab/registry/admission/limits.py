"""The arithmetic of LimitRange: defaults for containers, and what is too little, too much or too far apart. Pure.

Source: plugin/pkg/admission/limitranger/admission.go. Called by `limit_ranger`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from podlab.apis import pods, quantity
from podlab.apis.quantity import Quantity
from podlab.apis.types import Manifest

ANNOTATION = "kubernetes.io/limit-ranger"
Amounts = Mapping[str, Quantity]


def set_defaults(limit_range: Manifest, pod: Manifest) -> None:
    """Fill in what containers leave out, and note it in an annotation."""
    limits, requests = _defaults(limit_range, "default"), _defaults(limit_range, "defaultRequest")
    told: list[str] = []
    for field, sort in (("containers", "container"), ("initContainers", "init container")):
        for container in (pod.get("spec") or {}).get(field) or []:
            told += _fill(container, sort, limits=limits, requests=requests)
    if told:
        meta = pod["metadata"]
        meta["annotations"] = {
            **(meta.get("annotations") or {}),
            ANNOTATION: f"LimitRanger plugin set: {'; '.join(told)}",
        }


def _defaults(limit_range: Manifest, field: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for limit in _limits(limit_range):
        if limit.get("type") == "Container":
            found.update(limit.get(field) or {})
    return found


def _fill(container: Manifest, sort: str, *, limits: Mapping[str, str], requests: Mapping[str, str]) -> Iterator[str]:
    resources = container.get("resources") or {}
    for field, wanted in (("requests", requests), ("limits", limits)):
        missing = {name: wanted[name] for name in sorted(wanted) if name not in (resources.get(field) or {})}
        if missing:
            resources = {**resources, field: {**(resources.get(field) or {}), **missing}}
            yield f"{', '.join(missing)} {field[:-1]} for {sort} {container.get('name', '')}"
    if resources:
        container["resources"] = resources


def pod_errors(limit_range: Manifest, pod: Manifest) -> list[str]:
    found: list[str] = []
    spec = pod.get("spec") or {}
    for limit in _limits(limit_range):
        if limit.get("type") == "Container":
            for container in (*(spec.get("containers") or []), *(spec.get("initContainers") or [])):
                resources = container.get("resources") or {}
                found += _errors(limit, _Use(_amounts(resources.get("requests")), _amounts(resources.get("limits"))))
        elif limit.get("type") == "Pod":
            found += _errors(limit, _Use(pods.total_quantities(pod), pods.total_quantities(pod, kind="limits")))
    return list(dict.fromkeys(found))


def claim_errors(limit_range: Manifest, claim: Manifest) -> list[str]:
    """Of a PersistentVolumeClaim only the request counts."""
    use = _Use(_amounts(((claim.get("spec") or {}).get("resources") or {}).get("requests")), {})
    found: list[str] = []
    for limit in _limits(limit_range):
        if limit.get("type") == "PersistentVolumeClaim":
            for name, bound in _bounds(limit, "min"):
                found += use.below(_Bound(name, "PersistentVolumeClaim", bound))
            for name, bound in _bounds(limit, "max"):
                found += use.request_above(_Bound(name, "PersistentVolumeClaim", bound))
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Bound:
    resource: str
    type: str
    amount: Quantity


@dataclass(frozen=True, slots=True)
class _Use:
    requests: Amounts
    limits: Amounts

    def below(self, bound: _Bound) -> Iterator[str]:
        request, limit = self.requests.get(bound.resource), self.limits.get(bound.resource)
        text = f"minimum {bound.resource} usage per {bound.type} is {bound.amount}"
        if request is None:
            yield f"{text}.  No request is specified"
        elif request.nano < bound.amount.nano:
            yield f"{text}, but request is {request}"
        elif limit is not None and limit.nano < bound.amount.nano:
            yield f"{text}, but limit is {limit}"

    def above(self, bound: _Bound) -> Iterator[str]:
        request, limit = self.requests.get(bound.resource), self.limits.get(bound.resource)
        text = f"maximum {bound.resource} usage per {bound.type} is {bound.amount}"
        if limit is None:
            yield f"{text}.  No limit is specified"
        elif limit.nano > bound.amount.nano:
            yield f"{text}, but limit is {limit}"
        elif request is not None and request.nano > bound.amount.nano:
            yield f"{text}, but request is {request}"

    def request_above(self, bound: _Bound) -> Iterator[str]:
        request = self.requests.get(bound.resource)
        text = f"maximum {bound.resource} usage per {bound.type} is {bound.amount}"
        if request is None:
            yield f"{text}.  No request is specified"
        elif request.nano > bound.amount.nano:
            yield f"{text}, but request is {request}"

    def too_far_apart(self, bound: _Bound) -> Iterator[str]:
        request, limit = self.requests.get(bound.resource), self.limits.get(bound.resource)
        text = f"{bound.resource} max limit to request ratio per {bound.type} is {bound.amount}"
        if request is None or request.nano == 0:
            yield f"{text}, but no request is specified or request is 0"
        elif limit is None or limit.nano == 0:
            yield f"{text}, but no limit is specified or limit is 0"
        elif limit.nano * quantity.NANO > bound.amount.nano * request.nano:
            yield f"{text}, but provided ratio is {limit.nano / request.nano:f}"


def _errors(limit: Manifest, use: _Use) -> Iterator[str]:
    kind = str(limit.get("type"))
    for name, amount in _bounds(limit, "min"):
        yield from use.below(_Bound(name, kind, amount))
    for name, amount in _bounds(limit, "max"):
        yield from use.above(_Bound(name, kind, amount))
    for name, amount in _bounds(limit, "maxLimitRequestRatio"):
        yield from use.too_far_apart(_Bound(name, kind, amount))


def _limits(limit_range: Manifest) -> list[Manifest]:
    return (limit_range.get("spec") or {}).get("limits") or []


def _bounds(limit: Manifest, field: str) -> list[tuple[str, Quantity]]:
    """Kubernetes walks a map here, in no order; by name is as good as any."""
    return sorted(_amounts(limit.get(field)).items())


def _amounts(values: Mapping[str, str] | None) -> dict[str, Quantity]:
    return {name: quantity.parse(text) for name, text in (values or {}).items()}
