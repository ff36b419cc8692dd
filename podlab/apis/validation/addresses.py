"""IP addresses and blocks of them (apimachinery/pkg/util/validation/ip.go, core validation)."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network

from podlab.apis.field_errors import invalid
from podlab.apis.validation.rules import Errors

_MULTICAST = tuple(map(ip_network, ("224.0.0.0/24", "ff02::/16")))


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
