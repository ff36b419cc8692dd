"""What one object takes of a quota, by kind. Pure.

Source: pkg/quota/v1/evaluator/core/{pods,services,persistent_volume_claims,registry}.go and
apiserver/pkg/quota/v1/generic/evaluator.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from podlab.apis import pods, quantity, times
from podlab.apis.quantity import Quantity
from podlab.apis.types import Manifest
from podlab.registry.quota import scopes
from podlab.registry.quota.amounts import Amounts

PODS = "pods"
SERVICES = "services"
CLAIMS = "persistentvolumeclaims"
# Not counted at all: usage of a quota must not depend on what is written about it (quota/v1/install, ignored resources).
IGNORED = frozenset({"bindings", "events", "events.events.k8s.io"})

_ONE = Quantity(quantity.NANO)
_ZERO = Quantity(0)
# Kinds that may also be counted by their bare name.
_BY_NAME = frozenset({"configmaps", CLAIMS, PODS, "replicationcontrollers", "resourcequotas", "secrets", SERVICES})
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
# A quota on one of these asks every container for a value.
_DEMANDED = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
_NATIVE = frozenset({*_COMPUTE, PODS, "storage"})
_STORAGE_CLASS = ".storageclass.storage.k8s.io/"
_OLD_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


def names_of(resource: str, among: Collection[str]) -> list[str]:
    """Which of the names of a quota objects of `resource` take from."""
    return [name for name in among if _is_about(resource, name)]


def resources_of(among: Collection[str]) -> Iterator[str]:
    """Which resources have to be counted for these names. `count/<any>` names its resource itself."""
    found: dict[str, None] = {}
    for name in among:
        if name.startswith("count/"):
            found[name.removeprefix("count/")] = None
            continue
        for resource in (CLAIMS, SERVICES, *sorted(_BY_NAME - {CLAIMS, SERVICES, PODS}), PODS):
            if _is_about(resource, name):
                found[resource] = None
                break
    yield from found


def _is_about(resource: str, name: str) -> bool:
    if name == f"count/{resource}":
        return True
    if resource in _BY_NAME and name == resource:
        return True
    if resource == SERVICES:
        return name in ("services.loadbalancers", "services.nodeports")
    if resource == CLAIMS:
        return name == "requests.storage" or _STORAGE_CLASS in name
    return resource == PODS and _is_pod_resource(name)


def _is_pod_resource(name: str) -> bool:
    plain = name.removeprefix("requests.").removeprefix("limits.")
    if plain in _COMPUTE or plain.startswith("hugepages-"):
        return True
    return name.startswith("requests.") and "/" in plain and _STORAGE_CLASS not in name


def usage(resource: str, obj: Manifest, now: datetime) -> Amounts:
    """Everything that `obj` takes, of whatever quota."""
    counted = {f"count/{resource}": _ONE}
    if resource == PODS:
        # A pod that has ended, or is past its grace, is still an object but takes nothing any more (QuotaV1Pod).
        return {**counted, **pod_usage(obj)} if _takes(obj, now) else counted
    if resource in _BY_NAME:
        counted[resource] = _ONE
    if resource == SERVICES:
        counted.update(_service(obj))
    elif resource == CLAIMS:
        counted.update(_claim(obj))
    return counted


def matches(resource: str, quota: Manifest, obj: Manifest) -> bool:
    """Whether the scopes of a quota let it see the object; they only speak of pods."""
    return scopes.match(quota, obj) if resource == PODS else not scopes.has_any(quota)


def missing(names: Collection[str], pod: Manifest) -> str:
    """Which containers leave out what a quota counts: "requests.cpu for: a,b; limits.cpu for: a"."""
    wanted = sorted(set(names) & _DEMANDED)
    lacking: dict[str, list[str]] = {}
    spec = pod.get("spec") or {}
    whole = set(_compute(spec.get("resources") or {}))
    for container in (*(spec.get("containers") or []), *(spec.get("initContainers") or [])):
        given = whole | set(_compute(container.get("resources") or {}))
        for name in wanted:
            if name not in given:
                lacking.setdefault(name, []).append(str(container.get("name", "")))
    return "; ".join(f"{name} for: {','.join(sorted(lacking[name]))}" for name in sorted(lacking))


def _takes(pod: Manifest, now: datetime) -> bool:
    if pods.is_terminal(pod):
        return False
    meta = pod.get("metadata") or {}
    if not meta.get("deletionTimestamp"):
        return True
    # deletionTimestamp is the end of the grace already; Kubernetes waits for as long again.
    grace = times.span(int(meta.get("deletionGracePeriodSeconds") or 0))
    return now <= times.parse(meta["deletionTimestamp"]) + grace


def pod_usage(pod: Manifest) -> Amounts:
    totals = {kind: pods.total_quantities(pod, kind=kind) for kind in ("requests", "limits")}
    return {PODS: _ONE, **_named(totals["requests"], totals["limits"])}


def _compute(resources: Mapping[str, Mapping[str, str]]) -> Amounts:
    """The names under which what a container says is counted."""
    requests, limits = (
        {name: quantity.parse(text) for name, text in (resources.get(kind) or {}).items()}
        for kind in ("requests", "limits")
    )
    return _named(requests, limits)


def _named(requests: Mapping[str, Quantity], limits: Mapping[str, Quantity]) -> Amounts:
    out: Amounts = {}
    for name, amount in requests.items():
        if name in _COMPUTE or name.startswith("hugepages-"):
            out[name] = out[f"requests.{name}"] = amount
        elif _is_extended(name):
            out[f"requests.{name}"] = amount
    for name, amount in limits.items():
        if name in _COMPUTE:
            out[f"limits.{name}"] = amount
    return out


def _is_extended(name: str) -> bool:
    return name not in _NATIVE and "/" in name and "kubernetes.io/" not in name


def _service(service: Manifest) -> Amounts:
    spec = service.get("spec") or {}
    kind, ports = spec.get("type"), spec.get("ports") or []
    node_ports = 0
    if kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False):
        node_ports = len(ports)
    elif kind == "LoadBalancer":
        node_ports = sum(1 for port in ports if port.get("nodePort"))
    return {
        "services.nodeports": Quantity(node_ports * quantity.NANO),
        "services.loadbalancers": _ONE if kind == "LoadBalancer" else _ZERO,
    }


def _claim(claim: Manifest) -> Amounts:
    spec, meta = claim.get("spec") or {}, claim.get("metadata") or {}
    kept = ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage", "0")
    asked = quantity.parse(((spec.get("resources") or {}).get("requests") or {}).get("storage", "0"))
    storage = max(asked, quantity.parse(kept), key=lambda amount: amount.nano)
    out: Amounts = {"requests.storage": storage}
    name = (meta.get("annotations") or {}).get(_OLD_CLASS_ANNOTATION) or spec.get("storageClassName")
    if name:
        out[f"{name}{_STORAGE_CLASS}requests.storage"] = storage
        out[f"{name}{_STORAGE_CLASS}persistentvolumeclaims"] = _ONE
    return out
