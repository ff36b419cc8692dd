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

from podlab.apis import field_errors, status_errors
from podlab.apis.field_errors import FieldError, invalid
from podlab.apis.types import Manifest
from podlab.apis.validation.service import NONE, cluster_ips, is_headless, needs_health_check
from podlab.registry import metadata
from podlab.registry.operations import Context
from podlab.storage import store

NETWORK = IPv4Network("10.96.0.0/16")  # of simulated clusters, which nothing else can reach
KUBERNETES, CLUSTER_DNS = 1, 10  # whose addresses default/kubernetes and kube-system/kube-dns have
NODE_PORTS = range(30000, 32768)
_STATIC_PORTS = 86
_MAIN = "main"
_FAMILY = "IPv4"
_SINGLE = "SingleStack"

Errors = Iterator[FieldError]


def network(cluster: str) -> IPv4Network:
    """The addresses of a cluster's Services. Labs on one machine have different ones for their pods on Docker."""
    return IPv4Network(settings.PODLAB_SERVICE_NETWORK) if cluster == _MAIN else NETWORK


def needs_node_ports(spec: Manifest) -> bool:
    kind = spec.get("type")
    return kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False)


def prepare(ctx: Context, service: Manifest, old: Manifest | None = None) -> list[FieldError]:
    """Fill in families, addresses and ports. What `service` holds already is kept if nobody else has it."""
    spec, before = service.get("spec") or {}, (old or {}).get("spec") or None
    wrong = list(_families(spec, before))
    if wrong or spec.get("type") == "ExternalName":
        return wrong
    own = metadata.of(service).get("uid")
    others = [
        item.obj.get("spec") or {}
        for item in store.list_objects(ctx.client.cluster, "services", None).items
        if item.uid != own
    ]
    within = network(ctx.client.cluster)
    if before is None or before.get("type") == "ExternalName":
        wrong = list(_address(spec, others, within))
    return wrong or list(_ports(spec, before, others, within))


def _families(spec: Manifest, before: Manifest | None) -> Errors:
    """A cluster of one family, IPv4 (initIPFamilyFields). Mistakes of one step hide those of the next."""
    if spec.get("type") == "ExternalName" or _as_it_was(spec, before):
        return
    bare = spec.get("clusterIP") == NONE and not spec.get("selector")
    if spec.get("ipFamilyPolicy") is None:
        spec["ipFamilyPolicy"] = (before or {}).get("ipFamilyPolicy") or ("RequireDualStack" if bare else _SINGLE)
    wrong = list(cluster_ips(spec, before or {})) or list(_counted(spec, before))
    yield from wrong
    if wrong:
        return
    families = spec.get("ipFamilies") or []
    if bare:
        spec["ipFamilies"] = families or [_FAMILY]
        if len(spec["ipFamilies"]) < 2 and spec["ipFamilyPolicy"] != _SINGLE:
            other = "IPv6" if spec["ipFamilies"][0] == _FAMILY else _FAMILY
            spec["ipFamilies"] = [*spec["ipFamilies"], other]
        return
    if spec["ipFamilyPolicy"] == "RequireDualStack":
        detail = "this cluster is not configured for dual-stack services"
        yield invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], detail)
    for index, family in enumerate(families):
        if family != _FAMILY:
            yield invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
    spec["ipFamilies"] = families or [_FAMILY]


def _as_it_was(spec: Manifest, before: Manifest | None) -> bool:
    """A service that prefers two families and is not changed in this (isMatchingPreferDualStackClusterIPFields)."""
    if before is None or spec.get("ipFamilyPolicy") != "PreferDualStack":
        return False
    same = all((spec.get(field) or []) == (before.get(field) or []) for field in ("type", "clusterIPs", "ipFamilies"))
    return same and before.get("ipFamilyPolicy") in (None, "PreferDualStack")


def _counted(spec: Manifest, before: Manifest | None) -> Errors:
    """How many addresses and families there may be, and a family for each address."""
    policy, here = spec["ipFamilyPolicy"], "spec.ipFamilyPolicy"
    for field, one in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        given, had = spec.get(field) or [], (before or {}).get(field) or []
        if policy == _SINGLE and before is not None and given == had:
            spec[field] = given = given[:1] or spec.get(field)
        elif policy != _SINGLE and given and len(given) < len(had):
            yield invalid(here, policy, f"must be 'SingleStack' to release the secondary {one}")
    for field, many in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
        if policy == _SINGLE and len(spec.get(field) or []) == 2:
            yield invalid(
                here, policy, f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {many} are specified"
            )
    families = list(spec.get("ipFamilies") or [])
    for index, address in enumerate(spec.get("clusterIPs") or []):
        if address == NONE:
            break
        if index >= len(families):
            if ":" in address:
                yield invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], "IPv6 is not configured on this cluster")
            families.append(_FAMILY)
            spec["ipFamilies"] = families


def _address(spec: Manifest, others: list[Manifest], within: IPv4Network) -> Errors:
    if is_headless(spec):
        spec["clusterIP"] = NONE
        return
    taken = {address for other in others for address in other.get("clusterIPs") or [] if address != NONE}
    given = spec.get("clusterIPs") or []
    if not given:
        free = free_address(taken, within)
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


def free_address(taken: set[str], within: IPv4Network) -> IPv4Address | None:
    size = within.num_addresses
    static = min(max(16, size // 16), 256)  # calculateRangeOffset of ipallocator
    for offset in (*range(static + 1, size - 1), *range(2, static + 1)):
        if str(within[offset]) not in taken:
            return within[offset]
    return None


def _ports(spec: Manifest, before: Manifest | None, others: list[Manifest], within: IPv4Network) -> Errors:
    """Numbers on the nodes. A service keeps those that it had."""
    taken = set(_taken_ports(others))
    own: set[int] = set()
    ports = spec.get("ports") or [] if spec.get("type") in ("NodePort", "LoadBalancer") else []
    if before is None:
        yield from _new_ports(spec, ports, taken, own, within)
    else:
        had = {int(port["nodePort"]) for port in before.get("ports") or [] if port.get("nodePort")}
        yield from _changed_ports(spec, ports, taken, own, had, within)
    if needs_health_check(spec) and not (before and needs_health_check(before)):
        _health_check_port(spec, taken | own, within)


def _new_ports(spec: Manifest, ports: list[Manifest], taken: set[int], own: set[int], within: IPv4Network) -> Errors:
    """Two protocols of one port share a number (initNodePorts)."""
    shared: dict[int, int] = {}
    for index, port in enumerate(ports):
        number = int(port.get("port") or 0)
        if not port.get("nodePort") and not needs_node_ports(spec):
            continue
        wanted = port.get("nodePort") or 0
        if number not in shared:
            asked = (other["nodePort"] for other in ports if other.get("port") == number and other.get("nodePort"))
            wanted = next(asked, 0)
        elif wanted in (0, shared[number]):
            port["nodePort"] = shared[number]
            continue
        if wanted:
            wrong = list(_chosen(f"spec.ports[{index}].nodePort", wanted, taken | own))
            yield from wrong
            if wrong:
                return
        port["nodePort"] = wanted or _free_port(taken | own | _asked(ports), within)
        own.add(port["nodePort"])
        shared.setdefault(number, port["nodePort"])


def _asked(ports: list[Manifest]) -> set[int]:
    return {int(port["nodePort"]) for port in ports if port.get("nodePort")}


def _changed_ports(
    spec: Manifest, ports: list[Manifest], taken: set[int], own: set[int], had: set[int], within: IPv4Network
) -> Errors:
    """updateNodePorts, whose last check is a bare error."""
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        number = port.get("nodePort") or 0
        if not number and not needs_node_ports(spec):
            continue
        if number and number not in had and number not in own:
            wrong = list(_chosen(f"spec.ports[{index}].nodePort", number, taken))
            yield from wrong
            if wrong:
                return
        if not number:
            number = port["nodePort"] = _free_port(taken | own | had | _asked(ports), within)
        own.add(number)
        pair = (port.get("protocol") or "", number)
        if pair in seen:
            raise status_errors.plain_failure(f"duplicate nodePort: {{{pair[0]} {pair[1]}}}")
        seen.add(pair)


def _health_check_port(spec: Manifest, taken: set[int], within: IPv4Network) -> None:
    number = spec.get("healthCheckNodePort")
    if not number:
        spec["healthCheckNodePort"] = _free_port(taken, within)
        return
    for wrong in _chosen("", number, taken):
        text = f"failed to allocate requested HealthCheck NodePort {number}: {wrong.detail}"
        raise status_errors.internal(text)


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
