"""Addresses and node ports of services: which families, which IP, which ports.

`strategies.service` calls `prepare` with a service that is valid so far, under the write lock; what is taken is read from
the store. Free numbers are handed out from the upper part of each range, the lower one is left for those who choose
theirs, as in Kubernetes. Source: pkg/registry/core/service/storage/alloc.go, ipallocator, portallocator.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address

from django.conf import settings

from podlab.apis import field_errors
from podlab.apis.field_errors import FieldError, invalid
from podlab.apis.types import Manifest
from podlab.apis.validation.service import NONE, is_headless, needs_health_check
from podlab.registry import metadata
from podlab.registry.operations import Context
from podlab.storage import store

NETWORK = IPv4Network("10.96.0.0/16")  # of simulated clusters, which nothing else can reach
KUBERNETES, CLUSTER_DNS = 1, 10  # whose addresses default/kubernetes and kube-system/kube-dns have
NODE_PORTS = range(30000, 32768)
_STATIC_PORTS = 86
_MAIN = "main"
_FAMILY = "IPv4"
_DUAL = ("PreferDualStack", "RequireDualStack")

Errors = Iterator[FieldError]


def network(cluster: str) -> IPv4Network:
    """The addresses of a cluster's Services. Labs on one machine have different ones for their pods on Docker."""
    return IPv4Network(settings.PODLAB_SERVICE_NETWORK) if cluster == _MAIN else NETWORK


def needs_node_ports(spec: Manifest) -> bool:
    kind = spec.get("type")
    return kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False)


def prepare(ctx: Context, service: Manifest) -> list[FieldError]:
    """Fill in families, addresses and ports. What `service` holds already is kept if nobody else has it."""
    spec = service.get("spec") or {}
    wrong = list(_families(spec))
    if wrong or spec.get("type") == "ExternalName":
        return wrong
    own = metadata.of(service).get("uid")
    others = [
        item.obj.get("spec") or {}
        for item in store.list_objects(ctx.client.cluster, "services", None).items
        if item.uid != own
    ]
    within = network(ctx.client.cluster)
    return [*_address(spec, others, within), *_ports(spec, others, within)]


def _families(spec: Manifest) -> Errors:
    """A cluster of one family, IPv4 (initIPFamilyFields)."""
    if spec.get("type") == "ExternalName":
        return
    families = spec.get("ipFamilies") or []
    selectorless = is_headless(spec) and not spec.get("selector")
    if not spec.get("ipFamilyPolicy"):
        dual = selectorless or len(families) > 1 or len(spec.get("clusterIPs") or []) > 1
        spec["ipFamilyPolicy"] = "RequireDualStack" if dual else "SingleStack"
    if selectorless:
        spec["ipFamilies"] = families or [_FAMILY]
        if len(spec["ipFamilies"]) < 2 and spec["ipFamilyPolicy"] in _DUAL:
            other = "IPv6" if spec["ipFamilies"][0] == _FAMILY else _FAMILY
            spec["ipFamilies"] = [*spec["ipFamilies"], other]
        return
    policy = spec["ipFamilyPolicy"]
    if policy == "SingleStack":
        for field in ("ipFamilies", "clusterIPs"):
            if len(spec.get(field) or []) > 1:
                detail = f"must be RequireDualStack or PreferDualStack when multiple '{field}' are specified"
                yield invalid("spec.ipFamilyPolicy", policy, detail)
    wrong = False
    for index, family in enumerate(families):
        if family != _FAMILY:
            wrong = True
            yield invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
    for index, address in enumerate(spec.get("clusterIPs") or []):
        if not wrong and address != NONE and ":" in address:
            wrong = True
            yield invalid(f"spec.clusterIPs[{index}]", address, "IPv6 is not configured on this cluster")
    if policy == "RequireDualStack" and not wrong:
        detail = "this cluster is not configured for dual-stack services"
        yield invalid("spec.ipFamilyPolicy", policy, detail)
    spec["ipFamilies"] = families or [_FAMILY]


def _address(spec: Manifest, others: list[Manifest], within: IPv4Network) -> Errors:
    if is_headless(spec):
        spec["clusterIP"] = NONE
        return
    taken = {address for other in others for address in other.get("clusterIPs") or [] if address != NONE}
    given = spec.get("clusterIPs") or []
    if not given:
        free = _free_address(taken, within)
        if free is None:
            yield field_errors.FieldError(
                field_errors.INTERNAL, "spec.clusterIPs", None, "failed to allocate a serviceIP: range is full"
            )
            return
        spec["clusterIP"], spec["clusterIPs"] = str(free), [str(free)]
    elif ip_address(given[0]) not in within:
        reason = "the provided network does not match the current range"
        yield invalid("spec.clusterIPs", given, f"failed to allocate IP {given[0]}: {reason}")
    elif given[0] in taken:
        yield invalid("spec.clusterIPs", given, f"failed to allocate IP {given[0]}: provided IP is already allocated")


def _free_address(taken: set[str], within: IPv4Network) -> IPv4Address | None:
    size = within.num_addresses
    static = min(max(16, size // 16), 256)  # calculateRangeOffset of ipallocator
    for offset in (*range(static + 1, size - 1), *range(2, static + 1)):
        if str(within[offset]) not in taken:
            return within[offset]
    return None


def _ports(spec: Manifest, others: list[Manifest], within: IPv4Network) -> Errors:
    """One number may serve two protocols of one service."""
    taken = set(_taken_ports(others))
    own: dict[int, set[str]] = {}
    ports = spec.get("ports") or []
    for index, port in enumerate(ports):
        number = port.get("nodePort")
        if number:
            yield from _chosen(f"spec.ports[{index}].nodePort", number, taken)
            own.setdefault(number, set()).add(port.get("protocol", ""))
    if needs_node_ports(spec):
        for port in ports:
            if not port.get("nodePort"):
                port["nodePort"] = _free_port(taken | set(own), within)
                own[port["nodePort"]] = {port.get("protocol", "")}
    if needs_health_check(spec):
        if spec.get("healthCheckNodePort"):
            yield from _chosen("spec.healthCheckNodePort", spec["healthCheckNodePort"], taken)
        else:
            spec["healthCheckNodePort"] = _free_port(taken | set(own), within)


def _taken_ports(specs: list[Manifest]) -> Iterator[int]:
    for spec in specs:
        yield from (int(port["nodePort"]) for port in spec.get("ports") or [] if port.get("nodePort"))
        if spec.get("healthCheckNodePort"):
            yield int(spec["healthCheckNodePort"])


def _chosen(path: str, number: int, taken: set[int]) -> Errors:
    if number not in NODE_PORTS:
        bounds = f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
        yield invalid(path, number, f"provided port is not in the valid range. The range of valid ports is {bounds}")
    elif number in taken:
        yield invalid(path, number, "provided port is already allocated")


def _free_port(taken: set[int], within: IPv4Network) -> int:
    """Clusters with different networks begin at different ones: labs on one machine share its ports."""
    upper = range(NODE_PORTS.start + _STATIC_PORTS, NODE_PORTS.stop)
    begin = (int(within.network_address) >> 16) % 16 * (len(upper) // 16)
    turned = itertools.chain(upper[begin:], upper[:begin], NODE_PORTS)
    return next(number for number in turned if number not in taken)
