"""NetworkPolicies, Ingresses and their classes, StorageClasses (pkg/apis/{networking,storage}/validation).

They are kept for manifests that bring them along; nothing in the lab acts on them.
"""

from __future__ import annotations

from typing import Any

from podlab.apis import names
from podlab.apis.field_errors import forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import addresses, metadata
from podlab.apis.validation.rules import Errors, by_rule, ip, label_selector, one_of, port
from podlab.apis.validation.service import PROTOCOLS

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_POLICY_TYPES = ("Egress", "Ingress")
_BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
_RECLAIM = ("Delete", "Retain")


def network_policy(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    yield from label_selector("spec.podSelector", spec.get("podSelector"))
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(field) or []):
            here = f"spec.{field}[{index}]"
            for at, item in enumerate(rule.get("ports") or []):
                yield from _policy_port(f"{here}.ports[{at}]", item)
            for at, item in enumerate(rule.get(peers) or []):
                yield from _peer(f"{here}.{peers}[{at}]", item)
    types = spec.get("policyTypes") or []
    if len(types) > len(_POLICY_TYPES):
        yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(types):
        yield from one_of(f"spec.policyTypes[{index}]", kind, _POLICY_TYPES)


def _policy_port(path: str, item: Manifest) -> Errors:
    if item.get("protocol") is not None:
        yield from one_of(f"{path}.protocol", item["protocol"], PROTOCOLS)
    number, end = item.get("port"), item.get("endPort")
    if number is not None:
        yield from port(f"{path}.port", number)
        if end is not None:
            if isinstance(number, str):
                yield invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric")
            elif end < number:
                yield invalid(f"{path}.endPort", end, "must be greater than or equal to `port`")
            elif end > 65535:
                yield from port(f"{path}.endPort", end)
    elif end is not None:
        yield invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified")


def _peer(path: str, item: Manifest) -> Errors:
    for field in ("podSelector", "namespaceSelector"):
        yield from label_selector(f"{path}.{field}", item.get(field))
    block = item.get("ipBlock")
    selected = item.get("podSelector") is not None or item.get("namespaceSelector") is not None
    if block is not None:
        if not block.get("cidr"):
            yield required(f"{path}.ipBlock.cidr")
        else:
            yield from addresses.cidr(f"{path}.ipBlock.cidr", block["cidr"])
        for index, value in enumerate(block.get("except") or []):
            yield from addresses.cidr(f"{path}.ipBlock.except[{index}]", value)
    if block is not None and selected:
        yield forbidden(path, "may not specify both ipBlock and another peer")
    elif block is None and not selected:
        yield required(path, "must specify a peer")


def ingress(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    rules, backend = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and backend is None:
        yield invalid("spec", [], "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        yield from _backend("spec.defaultBackend", backend)
    for index, item in enumerate(spec.get("tls") or []):
        for at, host in enumerate(item.get("hosts") or []):
            yield from _host(f"spec.tls[{index}].hosts[{at}]", host)
        if item.get("secretName"):
            yield from by_rule(f"spec.tls[{index}].secretName", item["secretName"], names.dns_subdomain)
    for index, rule in enumerate(rules):
        here = f"spec.rules[{index}]"
        if rule.get("host"):
            yield from _host(f"{here}.host", rule["host"])
        if rule.get("http") is not None:
            yield from _paths(f"{here}.http.paths", rule["http"].get("paths") or [])
    if spec.get("ingressClassName") is not None:
        yield from by_rule("spec.ingressClassName", spec["ingressClassName"], names.dns_subdomain)


def _host(path: str, host: str) -> Errors:
    if not list(ip("", host)):
        yield invalid(path, host, "must be a DNS name, not an IP address")
        return
    yield from by_rule(path, host.removeprefix("*."), names.dns_subdomain)


def _paths(path: str, paths: list[Manifest]) -> Errors:
    if not paths:
        yield required(path)
    for index, item in enumerate(paths):
        here, kind, target = f"{path}[{index}]", item.get("pathType"), item.get("path") or ""
        if kind is None:
            yield required(f"{here}.pathType", "pathType must be specified")
        elif kind not in _PATH_TYPES:
            yield from one_of(f"{here}.pathType", kind, _PATH_TYPES)
        elif (kind != "ImplementationSpecific" or target) and not target.startswith("/"):
            yield invalid(f"{here}.path", target, "must be an absolute path")
        elif kind != "ImplementationSpecific":
            for part in ("//", "/./", "/../", "%2f", "%2F"):
                if part in target:
                    yield invalid(f"{here}.path", target, f"must not contain '{part}'")
            for end in ("/..", "/."):
                if target.endswith(end):
                    yield invalid(f"{here}.path", target, f"cannot end with '{end}'")
        yield from _backend(f"{here}.backend", item.get("backend") or {})


def _backend(path: str, backend: Manifest) -> Errors:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        for field in ("kind", "name"):
            if not resource.get(field):
                yield required(f"{path}.resource.{field}")
    elif service is None:
        yield required(f"{path}.service.name")
    else:
        yield from _service_backend(f"{path}.service", service)


def _service_backend(path: str, service: Manifest) -> Errors:
    if not service.get("name"):
        yield required(f"{path}.name")
    else:
        yield from by_rule(f"{path}.name", service["name"], names.dns_1035_label)
    given: dict[str, Any] = service.get("port") or {}
    if given.get("name") and given.get("number"):
        yield invalid(path, "", "cannot set both port name & port number")
    elif given.get("name"):
        yield from by_rule(f"{path}.port.name", given["name"], names.port_name)
    elif given.get("number"):
        yield from port(f"{path}.port.number", given["number"])
    else:
        yield required(path, "port name or number is required")


def ingress_class(obj: Manifest) -> Errors:
    controller = (obj.get("spec") or {}).get("controller") or ""
    if not controller:
        yield required("spec.controller")
        return
    if "/" not in controller:
        yield invalid("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from by_rule("spec.controller", controller, names.qualified_name)


def ingress_class_update(new: Manifest, old: Manifest) -> Errors:
    yield from ingress_class(new)
    mine, before = ((each.get("spec") or {}).get("controller") or "" for each in (new, old))
    if mine != before:
        yield invalid("spec.controller", mine, metadata.IMMUTABLE)


def storage_class(obj: Manifest) -> Errors:
    if not obj.get("provisioner"):
        yield required("provisioner")
    else:
        yield from by_rule("provisioner", obj["provisioner"].lower(), names.qualified_name)
    for key in obj.get("parameters") or {}:
        if not key:
            yield invalid("parameters", key, "field can not be empty.")
    if obj.get("reclaimPolicy") is not None:
        yield from one_of("reclaimPolicy", obj["reclaimPolicy"], _RECLAIM)
    if obj.get("volumeBindingMode") is not None:
        yield from one_of("volumeBindingMode", obj["volumeBindingMode"], _BINDING_MODES)


def storage_class_update(new: Manifest, old: Manifest) -> Errors:
    if (new.get("parameters") or {}) != (old.get("parameters") or {}):
        yield forbidden("parameters", "updates to parameters are forbidden.")
    if new.get("provisioner") != old.get("provisioner"):
        yield forbidden("provisioner", "updates to provisioner are forbidden.")
    if new.get("reclaimPolicy") != old.get("reclaimPolicy"):
        yield forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden.")
    if new.get("volumeBindingMode") != old.get("volumeBindingMode"):
        yield invalid("volumeBindingMode", new.get("volumeBindingMode"), metadata.IMMUTABLE)
