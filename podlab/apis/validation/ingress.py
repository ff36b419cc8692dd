"""Ingresses and their classes (pkg/apis/networking/validation/validation.go). Nothing in the lab acts on them."""

from __future__ import annotations

from typing import Any

from podlab.apis import names
from podlab.apis.field_errors import forbidden, invalid, required, too_long
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata
from podlab.apis.validation.rules import Errors, by_rule, domain_prefixed, ip, one_of, port, sloppy_ip

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_SCOPES = ("Cluster", "Namespace")
_CONTROLLER_MAX = 250
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def create(obj: Manifest) -> Errors:
    yield from _spec(obj)
    named = (obj.get("spec") or {}).get("ingressClassName")
    annotated = ((obj.get("metadata") or {}).get("annotations") or {}).get(_CLASS_ANNOTATION)
    if annotated is not None and named is not None and annotated != named:
        path = f"annotations.{_CLASS_ANNOTATION}"
        yield invalid(path, annotated, "must match `ingressClassName` when both are specified")


def update(new: Manifest, old: Manifest) -> Errors:
    yield from _spec(new, lenient=any(_bad_secret(item) for item in (old.get("spec") or {}).get("tls") or []))


def status(new: Manifest, old: Manifest) -> Errors:
    kept = {item["ip"] for item in _balanced(old) if item.get("ip")}
    for index, item in enumerate(_balanced(new)):
        here = f"status.loadBalancer.ingress[{index}]"
        if item.get("ip"):
            yield from ip(f"{here}.ip", item["ip"], kept)
        if host := item.get("hostname"):
            yield from by_rule(f"{here}.hostname", host, names.dns_subdomain)
            if sloppy_ip(host) is not None:
                yield invalid(f"{here}.hostname", host, "must be a DNS name, not an IP address")


def _balanced(obj: Manifest) -> list[Manifest]:
    return ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []


def _spec(obj: Manifest, *, lenient: bool = False) -> Errors:
    """`lenient`: the old object already names a secret as none can be called."""
    spec = obj.get("spec") or {}
    rules, backend = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and backend is None:
        yield invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        yield from _backend("spec.defaultBackend", backend)
    for index, rule in enumerate(rules):
        yield from _rule(f"spec.rules[{index}]", rule)
    for index, item in enumerate(spec.get("tls") or []):
        for at, host in enumerate(item.get("hosts") or []):
            yield from _host(f"spec.tls[{index}].hosts[{at}]", host)
        if not lenient:
            for problem in _bad_secret(item):
                yield invalid(f"spec.tls[{index}].secretName", item["secretName"], problem)
    if spec.get("ingressClassName") is not None:
        yield from by_rule("spec.ingressClassName", spec["ingressClassName"], names.dns_subdomain)


def _bad_secret(item: Manifest) -> list[str]:
    return names.dns_subdomain(item["secretName"]) if item.get("secretName") else []


def _rule(path: str, rule: Manifest) -> Errors:
    if host := rule.get("host"):
        if sloppy_ip(host) is not None:
            yield invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        yield from _host(f"{path}.host", host)
    if rule.get("http") is not None:
        yield from _paths(f"{path}.http.paths", rule["http"].get("paths") or [])


def _host(path: str, host: str) -> Errors:
    yield from by_rule(path, host, names.wildcard_subdomain if "*" in host else names.dns_subdomain)


def _paths(path: str, paths: list[Manifest]) -> Errors:
    if not paths:
        yield required(path)
    for index, item in enumerate(paths):
        here, kind = f"{path}[{index}]", item.get("pathType")
        if kind is None:
            yield required(f"{here}.pathType", "pathType must be specified")
            continue
        yield from _path(here, kind, item.get("path") or "")
        yield from _backend(f"{here}.backend", item.get("backend") or {})


def _path(here: str, kind: str, target: str) -> Errors:
    if kind not in _PATH_TYPES:
        yield from one_of(f"{here}.pathType", kind, _PATH_TYPES)
        return
    anything = kind == "ImplementationSpecific"
    if not target.startswith("/") and (target or not anything):
        yield invalid(f"{here}.path", target, "must be an absolute path")
    if anything:
        return
    for part in ("//", "/./", "/../", "%2f", "%2F"):
        if part in target:
            yield invalid(f"{here}.path", target, f"must not contain '{part}'")
    for end in ("/..", "/."):
        if target.endswith(end):
            yield invalid(f"{here}.path", target, f"cannot end with '{end}'")


def _backend(path: str, backend: Manifest) -> Errors:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from _reference(f"{path}.resource", resource)
    elif service is None:
        yield invalid(path, "", "resource or service backend is required")
    else:
        yield from _service_backend(path, service)


def _reference(path: str, target: Manifest) -> Errors:
    if target.get("apiGroup") is not None:
        yield from by_rule(f"{path}.apiGroup", target["apiGroup"], names.dns_subdomain)
    for field in ("kind", "name"):
        if not target.get(field):
            yield required(f"{path}.{field}")
        else:
            yield from by_rule(f"{path}.{field}", target[field], names.path_segment)


def _service_backend(path: str, service: Manifest) -> Errors:
    if not service.get("name"):
        yield required(f"{path}.service.name")
    else:
        yield from by_rule(f"{path}.service.name", service["name"], names.dns_label)
    given: dict[str, Any] = service.get("port") or {}
    if given.get("name") and given.get("number"):
        yield invalid(path, "", "cannot set both port name & port number")
    elif given.get("name"):
        yield from by_rule(f"{path}.service.port.name", given["name"], names.port_name)
    elif given.get("number"):
        yield from port(f"{path}.service.port.number", given["number"])
    else:
        yield required(path, "port name or number is required")


def ingress_class(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    controller = spec.get("controller") or ""
    if len(controller.encode()) > _CONTROLLER_MAX:
        yield too_long("spec.controller", _CONTROLLER_MAX)
    yield from domain_prefixed("spec.controller", controller)
    if spec.get("parameters") is not None:
        yield from _parameters("spec.parameters", spec["parameters"])


def _parameters(path: str, given: Manifest) -> Errors:
    yield from _reference(path, given)
    scope, namespace = given.get("scope"), given.get("namespace")
    if scope not in _SCOPES:
        yield from one_of(f"{path}.scope", scope, _SCOPES)
    elif scope == "Cluster" and namespace is not None:
        yield forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")
    elif scope == "Namespace" and namespace is None:
        yield required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
    elif scope == "Namespace":
        yield from by_rule(f"{path}.namespace", str(namespace), names.dns_label)


def ingress_class_update(new: Manifest, old: Manifest) -> Errors:
    mine, before = ((each.get("spec") or {}).get("controller") or "" for each in (new, old))
    if mine != before:
        yield invalid("spec.controller", mine, metadata.IMMUTABLE)
    yield from ingress_class(new)
