"""Endpoints and EndpointSlices (core validation; pkg/apis/discovery/validation)."""

from __future__ import annotations

from podlab.apis import names
from podlab.apis.field_errors import duplicate, go_quote, invalid, not_supported, required, too_many
from podlab.apis.types import Manifest
from podlab.apis.validation import addresses, metadata
from podlab.apis.validation.rules import Errors, by_rule, ip, one_of, port, sloppy_ip
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


def endpoints_update(new: Manifest, old: Manifest) -> Errors:
    """Subsets that stay as they are were good enough once."""
    if (new.get("subsets") or []) != (old.get("subsets") or []):
        yield from endpoints(new)


def endpoint_slice(obj: Manifest) -> Errors:
    yield from _slice_head(obj)
    yield from _slice_endpoints(obj.get("endpoints") or [], obj.get("addressType") or "")


def _slice_head(obj: Manifest) -> Errors:
    kind = obj.get("addressType") or ""
    if kind:
        yield from one_of("addressType", kind, ADDRESS_TYPES)
    else:
        yield required("addressType")
    yield from _slice_ports(obj.get("ports") or [])


def endpoint_slice_update(new: Manifest, old: Manifest) -> Errors:
    """Endpoints that stay as they are were good enough once."""
    yield from _slice_head(new)
    if (new.get("endpoints") or []) != (old.get("endpoints") or []):
        yield from _slice_endpoints(new.get("endpoints") or [], new.get("addressType") or "")
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
        if item.get("nodeName") is not None:
            yield from by_rule(f"{here}.nodeName", item["nodeName"], names.dns_subdomain)
        if item.get("hostname") is not None:
            yield from by_rule(f"{here}.hostname", item["hostname"], names.dns_label)
        yield from _hints(f"{here}.hints", item.get("hints") or {})


def _slice_address(path: str, whole: str, address: str, kind: str) -> Errors:
    """A wrong family is told of the list, other mistakes of the element."""
    if kind == "FQDN":
        yield from _full_name(path, address)
        return
    if kind not in ("IPv4", "IPv6"):
        return
    wrong = list(ip(path, address))
    parsed = sloppy_ip(address)
    if kind == "IPv6" and not wrong and str(parsed) != address:
        wrong = [invalid(path, address, f"must be in canonical form ({go_quote(str(parsed))})")]
    yield from wrong
    if not wrong and parsed is not None:
        if f"IPv{parsed.version}" != kind:
            yield invalid(whole, address, f"must be an {kind} address")
        yield from addresses.not_special(path, address)


def _full_name(path: str, name: str) -> Errors:
    """A name with a domain (IsFullyQualifiedDomainName)."""
    if not name:
        yield required(path)
        return
    name = name.removesuffix(".")
    parts = name.split(".")
    if problems := names.dns_subdomain(name):
        yield invalid(path, name, ",".join(problems))
    elif len(parts) < 2:
        yield invalid(path, name, "should be a domain with at least two segments separated by dots")
    elif long := next((part for part in parts if names.dns_label(part)), ""):
        yield invalid(path, long, ",".join(names.dns_label(long)))


def _hints(path: str, hints: Manifest) -> Errors:
    for field, limit, what in (("forZones", _MAX_ZONES, "zone"), ("forNodes", _MAX_NODES, "node")):
        given = hints.get(field) or []
        if len(given) > limit:
            yield too_many(f"{path}.{field}", len(given), limit)
            return
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
        if item.get("appProtocol") is not None:
            yield from by_rule(f"{here}.appProtocol", item["appProtocol"], names.qualified_name)


def _slice_protocol(path: str, protocol: str | None) -> Errors:
    if protocol is None:
        yield required(path)
    elif protocol not in PROTOCOLS:
        yield not_supported(path, protocol, PROTOCOLS)


_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")


def endpoint_slice_warnings(obj: Manifest) -> list[str]:
    fqdn = obj.get("addressType") == "FQDN"
    first = ["spec.addressType: FQDN endpoints are deprecated"] if fqdn else []
    return [*first, *slice_address_warnings(obj)]


def slice_address_warnings(obj: Manifest) -> list[str]:
    if ((obj.get("metadata") or {}).get("labels") or {}).get(_MANAGED_BY) in _CONTROLLERS:
        return []
    return [
        text
        for index, item in enumerate(obj.get("endpoints") or [])
        for at, address in enumerate(item.get("addresses") or [])
        for text in addresses.warnings(f"endpoints[{index}].addresses[{at}]", address)
    ]


def endpoints_warnings(obj: Manifest) -> list[str]:
    labels = (obj.get("metadata") or {}).get("labels") or {}
    if labels.get("endpoints.kubernetes.io/managed-by") == "endpoint-controller":
        return []
    return [
        text
        for index, subset in enumerate(obj.get("subsets") or [])
        for field in ("addresses", "notReadyAddresses")
        for at, item in enumerate(subset.get(field) or [])
        for text in addresses.warnings(f"subsets[{index}].{field}[{at}].ip", item.get("ip") or "")
    ]
