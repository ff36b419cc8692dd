"""Services. Addresses and ports come from `registry.service_network`. Source: pkg/registry/core/service/strategy.go."""

from __future__ import annotations

from podlab.apis import status_errors
from podlab.apis.types import Manifest
from podlab.apis.validation.service import is_external, needs_health_check
from podlab.registry import metadata, service_network
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy

_FAMILY_FIELDS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")
_BALANCER_FIELDS = ("allocateLoadBalancerNodePorts", "loadBalancerClass")


class ServiceStrategy(Strategy):
    has_status = True
    returns_deleted = True
    exclusive = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        obj["status"] = {"loadBalancer": {}}
        spec = obj["spec"]
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        # Addresses are given to what is valid otherwise; mistakes are told by validation, which comes next.
        if not self.validate(obj):
            self._allocate(ctx, obj)

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        spec, before = new.setdefault("spec", {}), old.get("spec") or {}
        _keep_allocated(spec, before)
        _align_addresses(spec, before)
        _drop_left_behind(spec, before)
        if not self.validate_update(new, old):
            self._allocate(ctx, new)

    def _allocate(self, ctx: Context, obj: Manifest) -> None:
        errors = service_network.prepare(ctx, obj)
        if errors:
            raise status_errors.invalid(self.resource, metadata.name_of(obj), errors)


def _has_address(spec: Manifest) -> bool:
    return spec.get("type") != "ExternalName"


def _keep_allocated(spec: Manifest, before: Manifest) -> None:
    """A PUT without what the server gave out means the same (patchAllocatedValues)."""
    if _has_address(spec) and _has_address(before):
        if not spec.get("clusterIP"):
            spec["clusterIP"] = before.get("clusterIP", "")
        if not spec.get("clusterIPs") and spec["clusterIP"] == before.get("clusterIP"):
            spec["clusterIPs"] = list(before.get("clusterIPs") or [])
        for field in ("ipFamilies", "ipFamilyPolicy"):
            if not spec.get(field) and before.get(field):
                spec[field] = before[field]
    if service_network.needs_node_ports(spec) and service_network.needs_node_ports(before):
        known = {_port_key(port): port.get("nodePort") for port in before.get("ports") or []}
        used = {port.get("nodePort") for port in spec.get("ports") or []}
        for port in spec.get("ports") or []:
            number = known.get(_port_key(port))
            if not port.get("nodePort") and number and number not in used:
                port["nodePort"] = number
    if needs_health_check(spec) and needs_health_check(before) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before.get("healthCheckNodePort", 0)


def _port_key(port: Manifest) -> tuple[object, object]:
    return port.get("protocol"), port.get("port")


def _align_addresses(spec: Manifest, before: Manifest) -> None:
    """clusterIP is the first of clusterIPs; who changes only the one means both (NormalizeClusterIPs)."""
    changed = (spec.get("clusterIP") or "") != (before.get("clusterIP") or "")
    same_list = (spec.get("clusterIPs") or []) == (before.get("clusterIPs") or [])
    if changed and same_list:
        if spec.get("clusterIP"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        else:
            spec.pop("clusterIPs", None)


def _drop_left_behind(spec: Manifest, before: Manifest) -> None:
    """What the old type had and the new one has no use for, unless the client changed it (dropTypeDependentFields)."""
    if _has_address(before) and not _has_address(spec):
        _drop_same(spec, before, _FAMILY_FIELDS)
    if service_network.needs_node_ports(before) and not service_network.needs_node_ports(spec):
        numbers = [port.get("nodePort") for port in spec.get("ports") or []]
        if numbers == [port.get("nodePort") for port in before.get("ports") or []]:
            for port in spec.get("ports") or []:
                port.pop("nodePort", None)
    if needs_health_check(before) and not needs_health_check(spec):
        _drop_same(spec, before, ("healthCheckNodePort",))
    if before.get("type") == "LoadBalancer" != spec.get("type"):
        _drop_same(spec, before, _BALANCER_FIELDS)
    if is_external(before) and not is_external(spec):
        _drop_same(spec, before, ("externalTrafficPolicy",))


def _drop_same(spec: Manifest, before: Manifest, fields: tuple[str, ...]) -> None:
    for field in fields:
        if field in spec and spec[field] == before.get(field):
            del spec[field]
