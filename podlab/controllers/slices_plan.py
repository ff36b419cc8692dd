"""Which EndpointSlices a Service wants, and the smallest change that gets there. Pure.

Sources: staging/src/k8s.io/endpointslice (reconciler.go, utils.go), pkg/controller/endpointslicemirroring. Slices that fit
are kept as they are, so that a watcher hears of what changed and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
CONTROLLER = "endpointslice-controller.k8s.io"
MIRRORING = "endpointslicemirroring-controller.k8s.io"
MAX_ENDPOINTS = 100
MAX_MIRRORED = 1000
ZONE = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints that share their ports."""

    ports: list[Manifest]
    endpoints: list[Manifest]
    family: str = "IPv4"


@dataclass(slots=True)
class Plan:
    create: list[Manifest] = field(default_factory=list)
    update: list[Manifest] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)  # names


def endpoint(one: Backend, service: Manifest, zones: Mapping[str, str]) -> Manifest:
    serving = one.ready
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    made: Manifest = {
        "addresses": [one.ip],
        "conditions": {
            "ready": publish or (serving and not one.terminating),
            "serving": serving,
            "terminating": one.terminating,
        },
        "targetRef": one.reference,
    }
    if one.node:
        made["nodeName"] = one.node
    if one.node in zones:
        made["zone"] = zones[one.node]
    if name := host_name(one, service):
        made["hostname"] = name
    return made


def groups(service: Manifest, members: Iterable[Backend], zones: Mapping[str, str]) -> list[Group]:
    """A Service without any endpoint has one group without ports: its slice is a placeholder."""
    found: dict[tuple[tuple[str, str, int, str], ...], list[Manifest]] = {}
    for one in members:
        found.setdefault(endpoint_ports(one, service), []).append(endpoint(one, service, zones))
    made = [
        Group([port_manifest(port, always_named=True) for port in ports], ends) for ports, ends in sorted(found.items())
    ]
    return made or [Group([], [])]


def labels(service: Manifest) -> dict[str, str]:
    """The Service's own labels, but for those that have a meaning on slices."""
    own = service["metadata"].get("labels") or {}
    made = {name: value for name, value in own.items() if name not in (HEADLESS_LABEL, SERVICE_NAME, MANAGED_BY)}
    made |= {SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: CONTROLLER}
    return {**made, HEADLESS_LABEL: ""} if is_headless(service) else made


def owner(obj: Manifest, kind: str) -> Manifest:
    meta = obj["metadata"]
    named = {"apiVersion": "v1", "kind": kind, "name": meta["name"], "uid": meta["uid"]}
    return {**named, "controller": True, "blockOwnerDeletion": True}


def mirrored(endpoints: Manifest) -> list[Group]:
    """Hand-made Endpoints as groups: one for each family and set of ports."""
    made: list[Group] = []
    for subset in endpoints.get("subsets") or []:
        ports = [
            {"name": port.get("name") or "", **{k: v for k, v in port.items() if k != "name"}}
            for port in subset.get("ports") or []
        ]
        for field_name, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(field_name) or []:
                family = "IPv6" if ":" in address["ip"] else "IPv4"
                group = next((one for one in made if (one.family, one.ports) == (family, ports)), None)
                if group is None:
                    group = Group(ports, [], family)
                    made.append(group)
                if len(group.endpoints) < MAX_MIRRORED:
                    group.endpoints.append(_mirrored_address(address, ready=ready))
    return made


def _mirrored_address(address: Manifest, *, ready: bool) -> Manifest:
    made: Manifest = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    return {**made, **{name: address[name] for name in ("targetRef", "nodeName", "hostname") if address.get(name)}}


def mirrored_metadata(endpoints: Manifest) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations that go along."""
    meta = endpoints["metadata"]
    skipped = (LAST_CHANGE, "kubectl.kubernetes.io/last-applied-configuration")
    annotations = {name: value for name, value in (meta.get("annotations") or {}).items() if name not in skipped}
    own = {name: value for name, value in (meta.get("labels") or {}).items() if name != HEADLESS_LABEL}
    return {**own, SERVICE_NAME: meta["name"], MANAGED_BY: MIRRORING}, annotations


def plan(
    wanted: Sequence[Group],
    found: Sequence[Manifest],
    *,
    name: str,
    labels: Mapping[str, str],
    owner: Manifest,
    annotations: Mapping[str, str] | None = None,
    trigger: str = "",
    most: int = MAX_ENDPOINTS,
) -> Plan:
    """`name`: what generated names begin with. `annotations`: what a mirror carries; None leaves them alone."""
    made = Plan()
    spare = list(found)
    for group in wanted:
        own = [
            one for one in spare if one.get("addressType") == group.family and (one.get("ports") or []) == group.ports
        ]
        for one in own:
            spare.remove(one)
        _fit(made, group, own, spare, most=most, parts=_Parts(name, dict(labels), owner, annotations, trigger))
    made.delete += [one["metadata"]["name"] for one in spare]
    return made


@dataclass(frozen=True, slots=True)
class _Parts:
    name: str
    labels: dict[str, str]
    owner: Manifest
    annotations: Mapping[str, str] | None
    trigger: str


def _fit(made: Plan, group: Group, own: list[Manifest], spare: list[Manifest], *, most: int, parts: _Parts) -> None:
    """Leave endpoints where they are, fill up what has room, make new slices for the rest."""
    left = {_identity(one): one for one in group.endpoints}
    contents: list[tuple[Manifest, list[Manifest]]] = []
    for held in own:
        kept = [left.pop(_identity(one)) for one in held.get("endpoints") or [] if _identity(one) in left]
        contents.append((held, kept))
    rest = list(left.values())
    for _, kept in contents:
        while rest and len(kept) < most:
            kept.append(rest.pop(0))
    bare = not group.endpoints  # a placeholder is wanted even though it is empty
    while rest or (bare and not contents):
        bare = False
        recycled = next((one for one in spare if one.get("addressType") == group.family), None)
        if recycled is not None:
            spare.remove(recycled)
        contents.append((recycled or {}, rest[:most]))
        rest = rest[most:]
    for index, (held, kept) in enumerate(contents):
        if held and not kept and (group.endpoints or index):
            made.delete.append(held["metadata"]["name"])
        elif not held:
            made.create.append(_slice(group, kept, {}, parts))
        elif (fresh := _changed(group, kept, held, parts)) is not None:
            made.update.append(fresh)


def _identity(one: Manifest) -> tuple[str, str]:
    return str((one.get("addresses") or [""])[0]), str((one.get("targetRef") or {}).get("uid") or "")


def _changed(group: Group, kept: list[Manifest], held: Manifest, parts: _Parts) -> Manifest | None:
    meta = held["metadata"]
    same = (held.get("endpoints") or []) == kept and (held.get("ports") or []) == group.ports
    same = same and (meta.get("labels") or {}) == parts.labels
    if parts.annotations is not None:
        own = {name: value for name, value in (meta.get("annotations") or {}).items() if name != LAST_CHANGE}
        same = same and own == dict(parts.annotations)
    return None if same else _slice(group, kept, held, parts)


def _slice(group: Group, kept: list[Manifest], held: Manifest, parts: _Parts) -> Manifest:
    meta = dict(held.get("metadata") or {"generateName": f"{parts.name}-", "ownerReferences": [parts.owner]})
    annotations = dict(meta.pop("annotations", None) or {}) if parts.annotations is None else dict(parts.annotations)
    annotations.pop(LAST_CHANGE, None)
    if parts.trigger:
        annotations[LAST_CHANGE] = parts.trigger
    meta["labels"] = parts.labels
    if annotations:
        meta["annotations"] = annotations
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta,
        "addressType": group.family,
        "endpoints": kept,
        "ports": group.ports,
    }
