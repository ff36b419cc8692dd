"""What the Endpoints of a Service say. Pure. Source: pkg/controller/endpoint/endpoints_controller.go, pkg/api/v1/endpoints
(RepackSubsets)."""

from __future__ import annotations

from collections.abc import Iterable

from podlab.apis.types import Manifest
from podlab.controllers.backends import (
    HEADLESS_LABEL,
    LAST_CHANGE,
    Backend,
    endpoint_ports,
    host_name,
    is_headless,
    port_manifest,
)

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
CONTROLLER = "endpoint-controller"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MAX_ADDRESSES = 1000

_Port = tuple[str, str, int, str]


def subsets(service: Manifest, members: Iterable[Backend]) -> list[Manifest]:
    """Addresses with the same ports stand together. Pods on their way out are not in it, unless the Service publishes
    what is not ready."""
    all_of_them = bool(service["spec"].get("publishNotReadyAddresses"))
    ready: dict[tuple[_Port, ...], list[Backend]] = {}
    waiting: dict[tuple[_Port, ...], list[Backend]] = {}
    for one in members:
        if one.terminating and not all_of_them:
            continue
        ports = endpoint_ports(one, service)
        if not ports and not (is_headless(service) and not service["spec"].get("ports")):
            continue
        place = ready if one.ready or all_of_them else waiting
        place.setdefault(tuple(sorted(ports)), []).append(one)
    made = []
    for ports in sorted({*ready, *waiting}):
        subset: Manifest = {}
        for field, place in (("addresses", ready), ("notReadyAddresses", waiting)):
            if ports in place:
                subset[field] = [_address(one, service) for one in sorted(place[ports], key=_order)]
        if ports:
            subset["ports"] = [port_manifest(port, always_named=False) for port in ports]
        made.append(subset)
    return made


def _order(one: Backend) -> tuple[str, str]:
    return one.ip, one.uid


def _address(one: Backend, service: Manifest) -> Manifest:
    made: Manifest = {"ip": one.ip, "targetRef": one.reference}
    if one.node:
        made["nodeName"] = one.node
    if name := host_name(one, service):
        made["hostname"] = name
    return made


def truncated(given: list[Manifest]) -> tuple[list[Manifest], bool]:
    """At most a thousand addresses; ready ones go first. Whether some were left out."""
    total = sum(len(one.get(field) or []) for one in given for field in ("addresses", "notReadyAddresses"))
    if total <= MAX_ADDRESSES:
        return given, False
    left = {"addresses": MAX_ADDRESSES}
    left["notReadyAddresses"] = MAX_ADDRESSES - min(
        MAX_ADDRESSES, sum(len(one.get("addresses") or []) for one in given)
    )
    made = []
    for subset in given:
        kept: Manifest = {}
        for field in ("addresses", "notReadyAddresses"):
            taken = (subset.get(field) or [])[: left[field]]
            left[field] -= len(taken)
            if taken:
                kept[field] = taken
        if kept:
            made.append({**kept, **({"ports": subset["ports"]} if "ports" in subset else {})})
    return made, True


def labels(service: Manifest) -> dict[str, str]:
    made = {**(service["metadata"].get("labels") or {}), MANAGED_BY: CONTROLLER}
    made.pop(HEADLESS_LABEL, None)
    return {**made, HEADLESS_LABEL: ""} if is_headless(service) else made


def endpoints(service: Manifest, members: Iterable[Backend], found: Manifest | None, trigger: str) -> Manifest | None:
    """The object to store; None when what is there says it already."""
    wanted, over = truncated(subsets(service, members))
    meta = service["metadata"]
    held = (found or {}).get("metadata") or {}
    annotations = dict(held.get("annotations") or {})
    same = (
        found is not None and (found.get("subsets") or []) == wanted and (held.get("labels") or {}) == labels(service)
    )
    if same and (OVER_CAPACITY in annotations) == over:
        return None
    annotations.pop(OVER_CAPACITY, None)
    annotations.pop(LAST_CHANGE, None)
    if over:
        annotations[OVER_CAPACITY] = "truncated"
    if trigger:
        annotations[LAST_CHANGE] = trigger
    made: Manifest = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {**held, "name": meta["name"], "namespace": meta.get("namespace", ""), "labels": labels(service)},
        "subsets": wanted,
    }
    made["metadata"].pop("annotations", None)
    if annotations:
        made["metadata"]["annotations"] = annotations
    return made
