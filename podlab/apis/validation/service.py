"""Services (ValidateService and ValidateServiceUpdate in core validation).

Addresses and node ports are handed out after this, by `registry.strategies.service`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from podlab.apis import names
from podlab.apis.field_errors import FieldError, duplicate, forbidden, invalid, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation import addresses
from podlab.apis.validation.rules import Errors, by_rule, ip, labels, one_of, port, sloppy_ip

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
NONE = "None"
ONCE = "may not change once set"
_ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'"
_NOT_EXTERNAL_NAME = "may not be set for ExternalName services"
_MAX_AFFINITY = 86400
_SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_HINTS, _MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"


def validate(service: Manifest, old: Manifest | None = None) -> Errors:
    """Addresses and blocks that `old` has need not be as new ones must be."""
    meta, spec = service.get("metadata") or {}, service.get("spec") or {}
    before = (old or {}).get("spec") or {}
    ports = spec.get("ports") or []
    yield from _topology(meta.get("annotations") or {})
    if not ports and not is_headless(spec) and spec.get("type") != "ExternalName":
        yield required("spec.ports")
    yield from _of_type(spec)
    seen: set[str] = set()
    for index, item in enumerate(ports):
        yield from _port(f"spec.ports[{index}]", item, seen, named=len(ports) > 1)
    yield from labels("spec.selector", spec.get("selector"))
    yield from _affinity(spec)
    yield from cluster_ips(spec, before)
    for index, address in enumerate(spec.get("externalIPs") or []):
        here = f"spec.externalIPs[{index}]"
        wrong = list(ip(here, address, before.get("externalIPs") or ()))
        yield from wrong or addresses.not_special(here, address)
    if spec.get("type"):
        yield from one_of("spec.type", spec["type"], TYPES)
    yield from _node_ports(spec, ports)
    yield from _same_ports(ports)
    yield from _source_ranges(meta.get("annotations") or {}, spec, old)
    yield from _balancer(spec)
    yield from _policies(spec)


def is_headless(spec: Manifest) -> bool:
    return list(spec.get("clusterIPs") or []) == [NONE]


def is_external(spec: Manifest) -> bool:
    """Whether somebody outside the cluster reaches it (ExternallyAccessible in pkg/api/service/util.go)."""
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_health_check(spec: Manifest) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _topology(annotations: Manifest) -> Errors:
    if _HINTS in annotations and _MODE in annotations and annotations[_HINTS] != annotations[_MODE]:
        detail = f"must match annotations[{_HINTS}] when both are specified"
        yield invalid(f"metadata.annotations[{_MODE}]", annotations[_MODE], detail)


def _of_type(spec: Manifest) -> Errors:
    kind = spec.get("type")
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        yield invalid("spec.clusterIPs[0]", NONE, f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(field):
                yield forbidden(f"spec.{field}", _NOT_EXTERNAL_NAME)
        name = (spec.get("externalName") or "").removesuffix(".")
        if name:
            yield from by_rule("spec.externalName", name, names.dns_subdomain)
        else:
            yield required("spec.externalName")


def _port(path: str, item: Manifest, seen: set[str], *, named: bool) -> Errors:
    name = item.get("name") or ""
    if name:
        yield from by_rule(f"{path}.name", name, names.dns_label)
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
    elif named:
        yield required(f"{path}.name")
    yield from port(f"{path}.port", item.get("port") or 0)
    yield from one_of(f"{path}.protocol", item.get("protocol"), PROTOCOLS)
    yield from port(f"{path}.targetPort", item.get("targetPort"))
    if item.get("appProtocol") is not None:
        yield from by_rule(f"{path}.appProtocol", item["appProtocol"], names.qualified_name)


def _affinity(spec: Manifest) -> Errors:
    kind, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    yield from one_of("spec.sessionAffinity", kind, ("ClientIP", NONE))
    here = "spec.sessionAffinityConfig"
    if kind == "ClientIP":
        timeout = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
        if timeout is None:
            yield required(f"{here}.clientIP.timeoutSeconds", "when session affinity type is ClientIP")
        elif not 0 < timeout <= _MAX_AFFINITY:
            detail = f"must be greater than 0 and less than {_MAX_AFFINITY}"
            yield invalid(f"{here}.clientIP.timeoutSeconds", timeout, detail)
    elif kind == NONE and config is not None:
        yield forbidden(here, "must not be set when session affinity is None")


def cluster_ips(spec: Manifest, before: Manifest) -> Errors:
    """ValidateServiceClusterIPsRelatedFields. What hands out addresses asks this first."""
    if spec.get("type") == "ExternalName":
        return
    given, families = spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    here = "spec.clusterIPs"
    if spec.get("clusterIP") and given and given[0] != spec["clusterIP"]:
        yield invalid(here, given, "first value must match `clusterIP`")
    elif spec.get("clusterIP") and not given:
        yield required(here)
    elif given and not spec.get("clusterIP"):
        yield invalid(here, given, "must be empty when `clusterIP` is not specified")
    for index, family in enumerate(families):
        yield from one_of(f"spec.ipFamilies[{index}]", family, ("IPv4", "IPv6"))
        if family in families[:index]:
            yield duplicate(f"spec.ipFamilies[{index}]", family)
    if spec.get("ipFamilyPolicy") is not None:
        supported = ("PreferDualStack", "RequireDualStack", "SingleStack")
        yield from one_of("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], supported)
    wrong = list(_each_ip(here, given, before.get("clusterIPs") or ()))
    yield from wrong
    if len(given) > 2:
        yield invalid(here, given, "may only hold up to 2 values")
    if wrong or is_headless(spec):
        return
    if len(given) > 1 and len({":" in address for address in given}) < len(given):
        yield invalid(here, given, "may specify no more than one IP for each IP family")
    for index, (address, family) in enumerate(zip(given, families, strict=False)):
        if (":" in address) != (family == "IPv6"):
            yield invalid(
                f"{here}[{index}]", address, f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            )


def _each_ip(path: str, given: list[str], kept: Collection[str]) -> Errors:
    for index, address in enumerate(given):
        if index == 0 and address == NONE:
            if len(given) > 1:
                yield invalid(path, given, "'None' must be the first and only value")
        else:
            yield from ip(f"{path}[{index}]", address, kept)


def _node_ports(spec: Manifest, ports: list[Manifest]) -> Errors:
    seen: set[tuple[Any, ...]] = set()
    if spec.get("type") == "ClusterIP":
        for index, item in enumerate(ports):
            if item.get("nodePort"):
                yield forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
    for index, item in enumerate(ports):
        key = (item.get("protocol"), item.get("nodePort"))
        if item.get("nodePort") and key in seen:
            yield duplicate(f"spec.ports[{index}].nodePort", item["nodePort"])
        seen.add(key)


def _same_ports(ports: list[Manifest]) -> Errors:
    seen: set[tuple[Any, ...]] = set()
    for index, item in enumerate(ports):
        protocol, number = item.get("protocol"), item.get("port") or 0
        if (protocol, number) in seen:
            shown = {
                "Name": "", "Protocol": protocol, "AppProtocol": None, "Port": number, "TargetPort": 0, "NodePort": 0,
            }  # fmt: skip
            yield duplicate(f"spec.ports[{index}]", shown)
        seen.add((protocol, number))


def _source_ranges(annotations: Manifest, spec: Manifest, old: Manifest | None) -> Errors:
    """Blocks may have blanks around them, as they could in the annotation of before."""
    given = spec.get("loadBalancerSourceRanges") or []
    balanced = spec.get("type") == "LoadBalancer"
    if given:
        if not balanced:
            yield forbidden("spec.LoadBalancerSourceRanges", _ONLY_BALANCED)
        kept = [text.strip() for text in ((old or {}).get("spec") or {}).get("loadBalancerSourceRanges") or []]
        for index, value in enumerate(given):
            yield from addresses.cidr(f"spec.LoadBalancerSourceRanges[{index}]", value.strip(), kept)
    elif _SOURCE_RANGES in annotations:
        here, text = f"metadata.annotations[{_SOURCE_RANGES}]", annotations[_SOURCE_RANGES]
        if not balanced:
            yield forbidden(here, _ONLY_BALANCED)
        had = ((old or {}).get("metadata") or {}).get("annotations") or {}
        if text.strip() and (old is None or had.get(_SOURCE_RANGES, "") != text):
            for value in text.strip().split(","):
                yield from addresses.cidr(here, value.strip())


def _balancer(spec: Manifest) -> Errors:
    balanced = spec.get("type") == "LoadBalancer"
    if spec.get("allocateLoadBalancerNodePorts") is not None and not balanced:
        yield forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_BALANCED)
    if spec.get("loadBalancerClass") is not None:
        if balanced:
            yield from by_rule("spec.loadBalancerClass", spec["loadBalancerClass"], names.qualified_name)
        else:
            yield forbidden("spec.loadBalancerClass", _ONLY_BALANCED)


def _policies(spec: Manifest) -> Errors:
    outside, inside = spec.get("externalTrafficPolicy") or "", spec.get("internalTrafficPolicy")
    if not is_external(spec):
        if outside:
            detail = "may only be set for externally-accessible services"
            yield invalid("spec.externalTrafficPolicy", outside, detail)
    else:
        yield from one_of("spec.externalTrafficPolicy", outside, ("Cluster", "Local"))
    number = spec.get("healthCheckNodePort") or 0
    if number and not needs_health_check(spec):
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", number, detail)
    elif number:
        yield from port("spec.healthCheckNodePort", number)
    if inside is not None:
        yield from one_of("spec.internalTrafficPolicy", inside, ("Cluster", "Local"))
    near = ("PreferClose", "PreferSameZone", "PreferSameNode")
    if spec.get("trafficDistribution") is not None and spec["trafficDistribution"] not in near:
        yield not_supported("spec.trafficDistribution", spec["trafficDistribution"], near)


def validate_update(new: Manifest, old: Manifest) -> Errors:
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        yield from _kept_addresses(spec, before)
        if not is_headless(spec) and not is_headless(before):
            yield from _kept_families(spec, before)
    balanced = spec.get("type") == before.get("type") == "LoadBalancer"
    if balanced and spec.get("loadBalancerClass") != before.get("loadBalancerClass"):
        yield invalid("spec.loadBalancerClass", spec.get("loadBalancerClass"), ONCE)
    checked = needs_health_check(before) and needs_health_check(spec)
    if checked and spec.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
        yield forbidden("spec.healthCheckNodePort", "field is immutable")
    yield from validate(new, old)


def _kept_addresses(spec: Manifest, before: Manifest) -> Errors:
    """A second address may come and go; the first may not change (validateUpgradeDowngradeClusterIPs)."""
    if is_headless(spec) and is_headless(before):
        return
    given, had = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    here = "spec.clusterIPs"
    if len(given) == len(had):
        for index, address in enumerate(had):
            if given[index] != address:
                yield invalid(f"{here}[{index}]", given, ONCE)
        return
    if had and not given:
        yield invalid(f"{here}[0]", spec.get("clusterIPs"), "primary clusterIP can not be unset")
    if had and given and given[0] != had[0]:
        yield invalid(f"{here}[0]", given, ONCE)
    if len(had) > len(given) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        yield _released(spec, "secondary clusterIP")


def _kept_families(spec: Manifest, before: Manifest) -> Errors:
    """validateUpgradeDowngradeIPFamilies."""
    given, had, shown = spec.get("ipFamilies") or [], before.get("ipFamilies") or [], spec.get("clusterIPs")
    here = "spec.ipFamilies[0]"
    if len(given) == len(had):
        for index, family in enumerate(had):
            if given[index] != family:
                yield invalid(here, given, ONCE)
        return
    if len(had) > len(given) and not shown:
        yield invalid(here, spec.get("ipFamilies"), "primary ipFamily can not be unset")
    if had and given and given[0] != had[0]:
        yield invalid(here, shown, ONCE)
    if len(had) > len(given) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        yield _released(spec, "secondary ipFamily")


def _released(spec: Manifest, what: str) -> FieldError:
    return invalid(
        "spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), f"must be set to 'SingleStack' when releasing the {what}"
    )


def validate_status(new: Manifest, old: Manifest) -> Errors:
    spec = new.get("spec") or {}
    ingress = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    here = "status.loadBalancer.ingress"
    if ingress and spec.get("type") != "LoadBalancer":
        yield forbidden(here, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    before = ((old.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    kept = [item["ip"] for item in before if item.get("ip")]
    for index, item in enumerate(ingress):
        if item.get("ip"):
            yield from ip(f"{here}[{index}].ip", item["ip"], kept)
        if item.get("ipMode") is not None:
            if not item.get("ip"):
                yield forbidden(f"{here}[{index}].ipMode", "may not be specified when `ip` is not set")
            elif item["ipMode"] not in ("Proxy", "VIP"):
                yield not_supported(f"{here}[{index}].ipMode", item["ipMode"], ("Proxy", "VIP"))
        if item.get("hostname"):
            yield from by_rule(f"{here}[{index}].hostname", item["hostname"], names.dns_subdomain)
            if sloppy_ip(item["hostname"]) is not None:
                yield invalid(f"{here}[{index}].hostname", item["hostname"], "must be a DNS name, not an IP address")


def status_warnings(service: Manifest) -> list[str]:
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return _of_addresses("status.loadBalancer.ingress", [item.get("ip") or "" for item in ingress])


def warnings(service: Manifest) -> list[str]:
    """pkg/api/service/warnings.go."""
    spec = service.get("spec") or {}
    annotations = (service.get("metadata") or {}).get("annotations") or {}
    out: list[str] = []
    if _HINTS in annotations:
        out.append(f"annotation {_HINTS} is deprecated, please use {_MODE} instead")
    if not is_headless(spec):
        out += _of_addresses("spec.clusterIPs", spec.get("clusterIPs") or [])
    elif spec.get("type") == "ClusterIP":
        if spec.get("loadBalancerIP"):
            out.append("spec.loadBalancerIP is ignored for headless services")
        if spec.get("externalIPs"):
            out.append("spec.externalIPs is ignored for headless services")
        if spec.get("sessionAffinity") == "ClientIP":
            out.append("spec.SessionAffinity is ignored for headless services")
    out += _of_addresses("spec.externalIPs", spec.get("externalIPs") or [])
    headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == NONE
    if spec.get("externalIPs") and not headless and spec.get("type") != "ExternalName":
        out.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if spec.get("loadBalancerIP"):
        out += addresses.warnings("spec.loadBalancerIP", spec["loadBalancerIP"])
    for index, block in enumerate(spec.get("loadBalancerSourceRanges") or []):
        out += addresses.block_warnings(f"spec.loadBalancerSourceRanges[{index}]", block)
    if spec.get("type") == "ExternalName":
        if spec.get("externalIPs"):
            out.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    elif spec.get("externalName"):
        out.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        out.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return out


def _of_addresses(path: str, values: list[str]) -> list[str]:
    return [text for index, value in enumerate(values) for text in addresses.warnings(f"{path}[{index}]", value)]
