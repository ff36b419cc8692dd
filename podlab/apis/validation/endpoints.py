"""Endpoints and EndpointSlices (core validation; pkg/apis/discovery/validation)."""

from __future__ import annotations

from ipaddress import ip_address

from podlab.apis import names
from podlab.apis.field_errors import duplicate, invalid, not_supported, required, too_many
from podlab.apis.types import Manifest
from podlab.apis.validation import addresses, metadata
from podlab.apis.validation.rules import Errors, by_rule, ip, labels, one_of, port
from podlab.apis.validation.service import PROTOCOLS

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MAX_ENDPOINTS, _MAX_ADDRESSES, _MAX_PORTS, _MAX_ZONES, _MAX_NODES = 1000, 100, 20000, 8, 8


def endpoints(obj: Manifest) -> Errors:
    for index, subset in enumerate(obj.get("subsets") or []):
        here = f"subsets[{index}]"
        ready, waiting = subset.get("addresses") or [], subset.get("notReadyAddresses") or []
        if not ready and not waiting:
            yield required(here, "must specify `addresses` or `notReadyAddresses`")
        for at, item in enumerate(ready):
            yield from _address(f"{here}.addresses[{at}]", item)
        for at, item in enumerate(waiting):
            yield from _address(f"{here}.notReadyAddresses[{at}]", item)
        ports = subset.get("ports") or []
        for at, item in enumerate(ports):
            yield from _port(f"{here}.ports[{at}]", item, named=len(ports) > 1)


def _address(path: str, item: Manifest) -> Errors:
    address = item.get("ip") or ""
    yield from ip(f"{path}.ip", address)
    if item.get("hostname"):
        yield from by_rule(f"{path}.hostname", item["hostname"], names.dns_label)
    if item.get("nodeName") is not None:
        yield from by_rule(f"{path}.nodeName", item["nodeName"], names.dns_subdomain)
    yield from addresses.not_special(f"{path}.ip", address)


def _port(path: str, item: Manifest, *, named: bool) -> Errors:
    if item.get("name"):
        yield from by_rule(f"{path}.name", item["name"], names.dns_label)
    elif named:
        yield required(f"{path}.name")
    yield from port(f"{path}.port", item.get("port") or 0)
    yield from one_of(f"{path}.protocol", item.get("protocol"), PROTOCOLS)
    if item.get("appProtocol") is not None:
        yield from by_rule(f"{path}.appProtocol", item["appProtocol"], names.qualified_name)


def endpoint_slice(obj: Manifest) -> Errors:
    kind = obj.get("addressType") or ""
    if kind:
        yield from one_of("addressType", kind, ADDRESS_TYPES)
    else:
        yield required("addressType")
    yield from _slice_endpoints(obj.get("endpoints") or [], kind)
    yield from _slice_ports(obj.get("ports") or [])


def endpoint_slice_update(new: Manifest, old: Manifest) -> Errors:
    yield from endpoint_slice(new)
    if (new.get("addressType") or "") != (old.get("addressType") or ""):
        yield invalid("addressType", new.get("addressType") or "", metadata.IMMUTABLE)


def _slice_endpoints(given: list[Manifest], kind: str) -> Errors:
    if len(given) > _MAX_ENDPOINTS:
        yield too_many("endpoints", len(given), _MAX_ENDPOINTS)
        return
    for index, item in enumerate(given):
        here = f"endpoints[{index}]"
        held = item.get("addresses") or []
        if not held:
            yield required(f"{here}.addresses", "must contain at least 1 address")
        elif len(held) > _MAX_ADDRESSES:
            yield too_many(f"{here}.addresses", len(held), _MAX_ADDRESSES)
        for at, address in enumerate(held):
            yield from _slice_address(f"{here}.addresses[{at}]", f"{here}.addresses", address, kind)
        if item.get("hostname") is not None:
            yield from by_rule(f"{here}.hostname", item["hostname"], names.dns_label)
        if item.get("nodeName") is not None:
            yield from by_rule(f"{here}.nodeName", item["nodeName"], names.dns_subdomain)
        topology = item.get("deprecatedTopology") or {}
        yield from labels(f"{here}.deprecatedTopology", topology)
        yield from _hints(f"{here}.hints", item.get("hints") or {})


def _slice_address(path: str, whole: str, address: str, kind: str) -> Errors:
    """A wrong family is told of the list, other mistakes of the element."""
    if kind == "FQDN":
        yield from by_rule(path, address, names.dns_subdomain)
        return
    if kind not in ("IPv4", "IPv6"):
        return
    try:
        version = ip_address(address).version
    except ValueError:
        yield from ip(path, address)
        yield from _family(whole, address, kind)
        yield from addresses.not_special(path, address)
        return
    if f"IPv{version}" != kind:
        yield from _family(whole, address, kind)
    yield from addresses.not_special(path, address)


def _family(path: str, address: str, kind: str) -> Errors:
    yield invalid(path, address, f"must be an {kind} address")


def _hints(path: str, hints: Manifest) -> Errors:
    for field, limit, what in (("forZones", _MAX_ZONES, "zone"), ("forNodes", _MAX_NODES, "node")):
        given = hints.get(field) or []
        if len(given) > limit:
            yield too_many(f"{path}.{field}", len(given), limit)
            continue
        seen: set[str] = set()
        for index, item in enumerate(given):
            here, name = f"{path}.{field}[{index}].name", item.get("name") or ""
            if name in seen:
                yield duplicate(here, name)
            seen.add(name)
            yield from by_rule(here, name, names.label_value if what == "zone" else names.dns_subdomain)


def _slice_ports(ports: list[Manifest]) -> Errors:
    if len(ports) > _MAX_PORTS:
        yield too_many("ports", len(ports), _MAX_PORTS)
        return
    seen: set[str] = set()
    for index, item in enumerate(ports):
        here, name = f"ports[{index}]", item.get("name") or ""
        if name:
            yield from by_rule(f"{here}.name", name, names.dns_label)
        if name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)
        yield from _slice_protocol(f"{here}.protocol", item.get("protocol"))
        if item.get("port") is not None:
            yield from port(f"{here}.port", item["port"])
        if item.get("appProtocol") is not None:
            yield from by_rule(f"{here}.appProtocol", item["appProtocol"], names.qualified_name)


def _slice_protocol(path: str, protocol: str | None) -> Errors:
    if not protocol:
        yield required(path)
    elif protocol not in PROTOCOLS:
        yield not_supported(path, protocol, PROTOCOLS)


def endpoint_slice_warnings(obj: Manifest) -> list[str]:
    fqdn = obj.get("addressType") == "FQDN"
    return ["spec.addressType: FQDN endpoints are deprecated"] if fqdn else []
