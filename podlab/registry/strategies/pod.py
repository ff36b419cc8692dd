"""Pods. Source: pkg/registry/core/pod/strategy.go."""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis import feature_gates, label_keys, pods, times
from podlab.apis.field_errors import FieldError
from podlab.apis.types import Manifest
from podlab.apis.validation.pod_subresources import BY_SUBRESOURCE
from podlab.registry import metadata
from podlab.registry.operations import Context
from podlab.registry.strategies import pod_subresources
from podlab.registry.strategy import Strategy, keep

_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_APPARMOR_PROFILES: dict[str, Manifest] = {
    "runtime/default": {"type": "RuntimeDefault"},
    "unconfined": {"type": "Unconfined"},
}


class PodStrategy(Strategy):
    has_generation = True
    has_status = True
    returns_deleted = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        feature_gates.drop_disabled(obj)
        obj["status"] = {"phase": "Pending", "qosClass": str(pods.qos_class(obj))}
        gates = (obj.get("spec") or {}).get("schedulingGates")
        if gates:
            obj["status"]["conditions"] = [_gated(ctx)]
        _adopt_apparmor(obj)
        label_keys.merge(obj)

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        feature_gates.drop_disabled(new)
        super().prepare_for_update(ctx, new, old)
        if (old.get("spec") or {}).get("schedulingGates") and not (new.get("spec") or {}).get("schedulingGates"):
            _drop_gated(new)

    def prepare_for_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        if ctx.subresource in BY_SUBRESOURCE:
            pod_subresources.prepare(ctx.subresource, new, old)
            return
        super().prepare_for_subresource(ctx, new, old)
        for field in ("ownerReferences", "deletionTimestamp", "deletionGracePeriodSeconds"):
            keep(metadata.of(new), metadata.of(old), field)
        status = new.setdefault("status", {})
        if not status.get("qosClass"):
            keep(status, old.get("status") or {}, "qosClass")
        _align_addresses(status, "podIP", "podIPs")
        for container in pods.container_statuses(new):
            container.setdefault("state", {})
            container.setdefault("lastState", {})

    def validate_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> Sequence[FieldError]:
        own = BY_SUBRESOURCE.get(ctx.subresource)
        return list(own(new, old)) if own else super().validate_subresource(ctx, new, old)

    def grace_of(self, obj: Manifest, requested: int | None) -> int | None:
        spec = obj.get("spec") or {}
        period = requested if requested is not None else int(spec.get("terminationGracePeriodSeconds") or 0)
        if not spec.get("nodeName") or pods.is_terminal(obj):
            return 0
        return 1 if period < 0 else period


def _align_addresses(status: Manifest, one: str, many: str) -> None:
    """podIP is the first of podIPs; either may be given, and podIP wins (apis/core/v1/conversion.go)."""
    address, addresses = status.get(one), status.get(many)
    if address and (not addresses or addresses[0].get("ip") != address):
        status[many] = [{"ip": address}]
    elif addresses and not address:
        status[one] = addresses[0].get("ip")


def _gated(ctx: Context) -> Manifest:
    """What a pod with scheduling gates begins with."""
    return {
        "type": "PodScheduled",
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": times.rfc3339(ctx.now),
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    }


def _drop_gated(pod: Manifest) -> None:
    """The last gate is gone: the scheduler says the next word about PodScheduled."""
    status = dict(pod.get("status") or {})
    conditions = [item for item in status.get("conditions") or [] if item.get("reason") != "SchedulingGated"]
    status["conditions"] = conditions
    if not conditions:
        del status["conditions"]
    pod["status"] = status


def _adopt_apparmor(pod: Manifest) -> None:
    """The annotation of before 1.30 fills the field that took its place (applyAppArmorVersionSkew)."""
    annotations = metadata.of(pod).get("annotations") or {}
    for placed in pods.containers(pod):
        profile = _apparmor_profile(annotations.get(_APPARMOR + str(placed.spec.get("name")), ""))
        context = placed.spec.get("securityContext") or {}
        if profile and not context.get("appArmorProfile"):
            placed.spec["securityContext"] = {**context, "appArmorProfile": profile}


def _apparmor_profile(annotation: str) -> Manifest | None:
    if annotation.startswith("localhost/"):
        return {"type": "Localhost", "localhostProfile": annotation.removeprefix("localhost/")}
    return _APPARMOR_PROFILES.get(annotation)
