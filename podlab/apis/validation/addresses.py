"""IP addresses and blocks of them (apimachinery/pkg/util/validation/ip.go, core validation)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface, ip_network

from podlab.apis.field_errors import go_quote, invalid
from podlab.apis.validation.rules import Errors, sloppy_ip

_MULTICAST = tuple(map(ip_network, ("224.0.0.0/24", "ff02::/16")))


def warnings(path: str, value: str) -> Iterator[str]:
    """Spellings of an address that are still accepted (GetWarningsForIP)."""
    address = sloppy_ip(value)
    if address is None:
        return
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if mapped is not None or (isinstance(address, IPv4Address) and str(address) != value):
        better = str(mapped or address)
        yield (
            f"{path}: non-standard IP address {go_quote(value)} will be considered invalid in a future Kubernetes "
            f"release: use {go_quote(better)}"
        )
    elif str(address) != value:
        yield f"{path}: IPv6 address {go_quote(value)} should be in RFC 5952 canonical format ({go_quote(str(address))})"


def cidr(path: str, value: str) -> Errors:
    try:
        if "/" not in value:
            raise ValueError(value)
        ip_interface(value)
    except ValueError:
        yield invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")


def not_special(path: str, value: str) -> Errors:
    """What no endpoint may have (ValidateNonSpecialIP)."""
    try:
        address = ip_address(value)
    except ValueError:
        yield invalid(path, value, "must be a valid IP address")
        return
    if address.is_unspecified:
        yield invalid(path, value, f"may not be unspecified ({value})")
    if address.is_loopback:
        yield invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        yield invalid(path, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if any(address in block for block in _MULTICAST):
        yield invalid(path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
