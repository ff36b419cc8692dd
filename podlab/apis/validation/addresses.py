"""IP addresses and blocks of them (apimachinery/pkg/util/validation/ip.go, core validation)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface, ip_network

from podlab.apis.field_errors import go_quote, invalid
from podlab.apis.validation.rules import Errors, sloppy_ip

_MULTICAST = tuple(map(ip_network, ("224.0.0.0/24", "ff02::/16")))


def warnings(path: str, value: str) -> Iterator[str]:
    """Spellings of an address that are kept where they are already, or that others may not read (GetWarningsForIP)."""
    address = sloppy_ip(value)
    if address is None:
        return
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if mapped is not None or (isinstance(address, IPv4Address) and str(address) != value):
        better = str(mapped or address)
        yield f"{path}: non-standard IP address {go_quote(value)} is invalid: use {go_quote(better)}"
    elif str(address) != value:
        yield f"{path}: IPv6 address {go_quote(value)} should be in RFC 5952 canonical format ({go_quote(str(address))})"


_BLOCK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
Block = IPv4Interface | IPv6Interface


def sloppy_block(value: str) -> Block | None:
    """As Kubernetes once read all blocks: leading zeros mean nothing."""
    text, slash, length = value.partition("/")
    address = sloppy_ip(text)
    if address is None or not slash or not (length.isascii() and length.isdigit()):
        return None
    try:
        return ip_interface(f"{address}/{int(length)}")
    except ValueError:
        return None


def inside(part: Block, whole: Block) -> bool:
    """Whether `part` lies in `whole` and is smaller."""
    return (
        part.version == whole.version and part.ip in whole.network and part.network.prefixlen > whole.network.prefixlen
    )


def cidr(path: str, value: str, kept: Collection[str] = ()) -> Errors:
    """A block of addresses in its plain form; `kept` are those of the old object (IsValidCIDRForLegacyField)."""
    if value in kept:
        return
    block = sloppy_block(value)
    text, _, length = value.partition("/")
    if block is None:
        yield invalid(path, value, _BLOCK)
    elif (block.version == 4 and str(block.ip) != text) or str(int(length)) != length:
        yield invalid(path, value, "must not have leading 0s in IP or prefix length")
    elif isinstance(block.ip, IPv6Address) and block.ip.ipv4_mapped is not None:
        yield invalid(path, value, "must not have an IPv4-mapped IPv6 address")
    elif block.ip != block.network.network_address:
        yield invalid(path, value, "must not have bits set beyond the prefix length")


def block_warnings(path: str, value: str) -> Iterator[str]:
    """GetWarningsForCIDR."""
    block = sloppy_block(value)
    if block is None:
        return
    text, _, length = value.partition("/")
    quoted, plain = go_quote(value), str(block.network)
    loose = block.ip != block.network.network_address
    if loose:
        one = go_quote(f"{block.ip}/{block.network.prefixlen}")
        yield f"{path}: CIDR value {quoted} is ambiguous in this context (should be {go_quote(plain)} or {one}?)"
    mapped = isinstance(block.ip, IPv6Address) and block.ip.ipv4_mapped is not None
    if mapped or (block.version == 4 and str(block.ip) != text) or str(int(length)) != length:
        yield f"{path}: non-standard CIDR value {quoted} is invalid: use {go_quote(plain)}"
    elif not loose and block.version == 6 and str(block) != value:
        yield f"{path}: IPv6 CIDR value {quoted} should be in RFC 5952 canonical format ({go_quote(str(block))})"


def not_special(path: str, value: str) -> Errors:
    """What no endpoint may have (ValidateEndpointIP)."""
    address = sloppy_ip(value)
    if address is None:
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
