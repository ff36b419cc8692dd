"""Checks that many fields share. Every function yields what is wrong at `path`, nothing when all is well."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from podlab.apis import names
from podlab.apis.field_errors import FieldError, forbidden, invalid, not_supported, required
from podlab.apis.types import Manifest

Errors = Iterator[FieldError]
NameRule = Callable[[str], list[str]]

NOT_NEGATIVE = "must be greater than or equal to 0"
MAX_INT32 = 2**31 - 1


def by_rule(path: str, value: str, rule: NameRule) -> Errors:
    for problem in rule(value):
        yield invalid(path, value, problem)


def one_of(path: str, value: Any, supported: Sequence[str]) -> Errors:
    if value not in supported:
        yield not_supported(path, value, supported)


def not_negative(path: str, holder: Manifest, field: str) -> Errors:
    value = holder.get(field) or 0
    if value < 0:
        yield invalid(f"{path}.{field}", value, NOT_NEGATIVE)


def labels(path: str, values: Mapping[str, Any] | None) -> Errors:
    for key, value in (values or {}).items():
        yield from by_rule(path, key, names.qualified_name)
        yield from by_rule(path, value, names.label_value)


def label_selector(path: str, selector: Manifest | None) -> Errors:
    if selector is None:
        return
    yield from labels(f"{path}.matchLabels", selector.get("matchLabels"))
    for index, item in enumerate(selector.get("matchExpressions") or []):
        here = f"{path}.matchExpressions[{index}]"
        yield from _operator(here, item, numbers=False)
        yield from by_rule(f"{here}.key", item.get("key", ""), names.qualified_name)
        for at, value in enumerate(item.get("values") or []):
            yield from by_rule(f"{here}.values[{at}]", value, names.label_value)


def node_selector_requirement(path: str, item: Manifest) -> Errors:
    yield from _operator(path, item, numbers=True)
    yield from by_rule(f"{path}.key", item.get("key", ""), names.qualified_name)


def _operator(path: str, item: Manifest, *, numbers: bool) -> Errors:
    operator, values = item.get("operator", ""), item.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif numbers and operator in ("Gt", "Lt"):
        if len(values) != 1:
            yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")


def sloppy_ip(text: str) -> IPv4Address | IPv6Address | None:
    """As Kubernetes reads an address in fields of before 1.33: leading zeros are dropped, a zone is none."""
    plain = ".".join(part.lstrip("0") or "0" for part in text.split(".")) if re.fullmatch(r"[\d.]+", text) else text
    try:
        return None if "%" in text or "" in text.split(".") else ip_address(plain)
    except ValueError:
        return None


def ip(path: str, value: str, kept: Collection[str] = ()) -> Errors:
    """An address in its plain form; `kept` are those that the old object has (IsValidIPForLegacyField, since 1.36 with
    StrictIPCIDRValidation)."""
    if value in kept:
        return
    address = sloppy_ip(value)
    if address is None:
        yield invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
    elif address.version == 4 and str(address) != value:
        yield invalid(path, value, "must not have leading 0s")
    elif isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        yield invalid(path, value, "must not be an IPv4-mapped IPv6 address")


def no_backsteps(path: str, value: str) -> Errors:
    if ".." in value.split("/"):
        yield invalid(path, value, "must not contain '..'")


def descending_path(path: str, value: str) -> Errors:
    """A path below a folder: relative and without steps upwards."""
    if value.startswith("/"):
        yield invalid(path, value, "must be a relative path")
    yield from no_backsteps(path, value)


def unreserved_path(path: str, value: str) -> Errors:
    """As descending_path; names that begin with two dots belong to the atomic writer."""
    yield from descending_path(path, value)
    if value.startswith("..") and not value.startswith("../") and value != "..":
        yield invalid(path, value, "must not start with '..'")


def file_mode(path: str, holder: Manifest, field: str) -> Errors:
    mode = holder.get(field)
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(f"{path}.{field}", mode, "must be a number between 0 and 0777 (octal), both inclusive")


def port(path: str, value: Any) -> Errors:
    """A port number, or the name of a container's port."""
    if isinstance(value, str):
        yield from by_rule(path, value, names.port_name)
        return
    for problem in names.port_number(value or 0):
        yield invalid(path, value or 0, problem)


def domain_prefixed(path: str, text: str) -> Errors:
    """A name with a domain before the slash (IsDomainPrefixedPath of apimachinery/pkg/util/validation)."""
    if not text:
        yield required(path)
        return
    host, _, rest = text.partition("/")
    if not host or not rest:
        yield invalid(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")')
        return
    yield from by_rule(path, host, names.dns_subdomain)
    yield from by_rule(path, rest, names.http_path)


def missing(path: str, holder: Manifest, fields: Collection[str]) -> Errors:
    for field in fields:
        if not holder.get(field):
            yield required(f"{path}.{field}")
