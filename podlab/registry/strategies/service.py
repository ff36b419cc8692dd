"""Services. Addresses and ports come from `registry.service_network`. Source: pkg/registry/core/service/strategy.go."""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis import status_errors
from podlab.apis.types import Manifest
from podlab.apis.validation import service
from podlab.apis.validation.service import is_external, needs_health_check
from podlab.registry import metadata, service_network
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy

_FAMILY_FIELDS = ("ipFamilies", "ipFamilyPolicy")


class ServiceStrategy(Strategy):
    has_status = True
    returns_deleted = True
    creates_on_update = True
    exclusive = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        """Addresses and ports are handed out before anything else is looked at: what is wrong there is told alone."""
        spec = obj["spec"]
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        self._allocate(ctx, obj, None)
        super().prepare_for_create(ctx, obj)
        obj["status"] = {"loadBalancer": {}}

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        spec, before = new.setdefault("spec", {}), old.get("spec") or {}
        _keep_allocated(spec, before)
        _align_addresses(spec, before)
        self._allocate(ctx, new, old)
        super().prepare_for_update(ctx, new, old)
        _drop_left_behind(spec, before)
        if spec.get("type") != "LoadBalancer":
            new["status"] = {**(new.get("status") or {}), "loadBalancer": {}}

    def canonicalize(self, obj: Manifest) -> None:
        """A name outside the cluster has no policy inside (defaultOnReadInternalTrafficPolicy)."""
        if not _has_address(obj.get("spec") or {}):
            obj["spec"].pop("internalTrafficPolicy", None)

    def warnings_on_update(self, ctx: Context, new: Manifest, old: Manifest) -> Sequence[str]:
        if ctx.subresource == "status":
            return service.status_warnings(new)
        return super().warnings_on_update(ctx, new, old)

    def _allocate(self, ctx: Context, obj: Manifest, old: Manifest | None) -> None:
        errors = service_network.prepare(ctx, obj, old)
        if errors:
            raise status_errors.invalid(self.resource, metadata.name_of(obj), errors)


def _has_address(spec: Manifest) -> bool:
    return spec.get("type") != "ExternalName"


def _keep_allocated(spec: Manifest, before: Manifest) -> None:
    """A PUT without what the server gave out means the same (patchAllocatedValues). Ports are known by their names."""
    if _has_address(spec) and _has_address(before):
        for field in ("clusterIP", "clusterIPs"):
            if not spec.get(field) and before.get(field):
                spec[field] = before[field] if field == "clusterIP" else list(before[field])
    if service_network.needs_node_ports(spec) and service_network.needs_node_ports(before):
        had, ports = before.get("ports") or [], spec.get("ports") or []
        known = {port.get("name") or "": port.get("nodePort") for port in had}
        used = {port.get("nodePort") for port in had} & {port.get("nodePort") for port in ports}
        for port in ports:
            number = known.get(port.get("name") or "")
            if not port.get("nodePort") and number and number not in used:
                port["nodePort"] = number
    if needs_health_check(spec) and needs_health_check(before) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before.get("healthCheckNodePort", 0)


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
        if all(spec.get(field) == before.get(field) for field in ("clusterIP", "clusterIPs")):
            spec.pop("clusterIP", None)
            spec.pop("clusterIPs", None)
        _drop_same(spec, before, _FAMILY_FIELDS)
    if _has_node_ports(before) and not _has_node_ports(spec):
        had = {port.get("nodePort") for port in before.get("ports") or []}
        if all(port.get("nodePort") in had for port in spec.get("ports") or [] if port.get("nodePort")):
            for port in spec.get("ports") or []:
                port.pop("nodePort", None)
    if needs_health_check(before) and not needs_health_check(spec):
        _drop_same(spec, before, ("healthCheckNodePort",))
    if before.get("type") == "LoadBalancer" != spec.get("type"):
        _drop_same(spec, before, ("allocateLoadBalancerNodePorts", "loadBalancerClass"))
    if is_external(before) and not is_external(spec):
        _drop_same(spec, before, ("externalTrafficPolicy",))


def _has_node_ports(spec: Manifest) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _drop_same(spec: Manifest, before: Manifest, fields: tuple[str, ...]) -> None:
    for field in fields:
        if field in spec and spec[field] == before.get(field):
            del spec[field]
