"""Which checks belong to which kind, apart from pods. The package's functions look here.

CREATE takes the object; UPDATE and STATUS the new one and the old one. Metadata is looked through before, by the rule of
NAME_RULES. What a kind may not change is in its UPDATE, next to the checks of a new object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.apis import kinds_rbac, names
from podlab.apis.types import Manifest
from podlab.apis.validation import (
    autoscaling,
    claims,
    endpoints,
    events,
    ingress,
    kinds,
    networking,
    policies,
    presets,
    quotas,
    rbac,
    replication,
    service,
    volume_warnings,
    warnings,
    workload_tables,
    workload_warnings,
)
from podlab.apis.validation.rules import Errors, NameRule


def spec_of(obj: Manifest) -> Manifest:
    return obj.get("spec") or {}


Check = Callable[[Manifest], Errors]
Change = Callable[[Manifest, Manifest], Errors]

NAME_RULES: Mapping[str, NameRule] = {
    "namespaces": names.dns_label,
    "services": names.dns_label,
    "events": names.path_segment,
    "poddisruptionbudgets.policy": names.path_segment,  # theirs is not looked at
    "statefulsets.apps": names.dns_label,
    **{item.key: names.stored_segment for item in kinds_rbac.POLICY},
}
# Of a generateName, where the name has another one.
BASE_RULES: Mapping[str, NameRule] = {"replicationcontrollers": names.path_segment}
# Kinds that look at metadata as apimachinery does, without the core kinds' rule for finalizers.
PLAIN_FINALIZERS = frozenset({"events", "leases.coordination.k8s.io"})

CREATE: Mapping[str, Check] = {
    "configmaps": kinds.config_map,
    "secrets": kinds.secret,
    "namespaces": kinds.namespace,
    "nodes": kinds.node,
    "events": events.old_style,
    "services": service.validate,
    "endpoints": endpoints.endpoints,
    "endpointslices.discovery.k8s.io": endpoints.endpoint_slice,
    "persistentvolumeclaims": claims.claim,
    "persistentvolumes": claims.volume,
    "limitranges": quotas.limit_range,
    "resourcequotas": quotas.resource_quota,
    "replicationcontrollers": replication.controller,
    "podtemplates": replication.pod_template,
    "horizontalpodautoscalers.autoscaling": autoscaling.validate,
    "poddisruptionbudgets.policy": policies.disruption_budget,
    "priorityclasses.scheduling.k8s.io": policies.priority_class,
    "runtimeclasses.node.k8s.io": policies.runtime_class,
    "leases.coordination.k8s.io": policies.lease,
    "podpresets.settings.k8s.io": presets.pod_preset,
    "networkpolicies.networking.k8s.io": networking.network_policy,
    "ingresses.networking.k8s.io": ingress.create,
    "ingressclasses.networking.k8s.io": ingress.ingress_class,
    "storageclasses.storage.k8s.io": networking.storage_class,
    "clusterroles.rbac.authorization.k8s.io": rbac.cluster_role,
    "clusterrolebindings.rbac.authorization.k8s.io": rbac.cluster_role_binding,
    "roles.rbac.authorization.k8s.io": rbac.role,
    "rolebindings.rbac.authorization.k8s.io": rbac.role_binding,
    **workload_tables.CREATE,
}


def _again(check: Check) -> Change:
    """An update is as free as a create."""
    return lambda new, old: check(new)


UPDATE: Mapping[str, Change] = {
    "configmaps": kinds.config_map_update,
    "secrets": kinds.secret_update,
    "nodes": kinds.node_update,
    "events": _again(events.old_style),
    "services": service.validate_update,
    "endpoints": endpoints.endpoints_update,
    "endpointslices.discovery.k8s.io": endpoints.endpoint_slice_update,
    "persistentvolumeclaims": claims.claim_update,
    "persistentvolumes": claims.volume_update,
    "limitranges": _again(quotas.limit_range),
    "resourcequotas": quotas.resource_quota_update,
    "replicationcontrollers": _again(replication.controller),
    "podtemplates": _again(replication.pod_template),
    "horizontalpodautoscalers.autoscaling": autoscaling.validate_update,
    "poddisruptionbudgets.policy": _again(policies.disruption_budget),
    "priorityclasses.scheduling.k8s.io": policies.priority_class_update,
    "runtimeclasses.node.k8s.io": policies.runtime_class_update,
    "leases.coordination.k8s.io": _again(policies.lease),
    "podpresets.settings.k8s.io": _again(presets.pod_preset),
    "networkpolicies.networking.k8s.io": _again(networking.network_policy),
    "ingresses.networking.k8s.io": ingress.update,
    "ingressclasses.networking.k8s.io": ingress.ingress_class_update,
    "storageclasses.storage.k8s.io": networking.storage_class_update,
    "clusterrolebindings.rbac.authorization.k8s.io": rbac.same_reference,
    "rolebindings.rbac.authorization.k8s.io": rbac.same_reference,
    **workload_tables.UPDATE,
}
STATUS: Mapping[str, Change] = {
    "horizontalpodautoscalers.autoscaling": autoscaling.validate_status,
    "ingresses.networking.k8s.io": ingress.status,
    "namespaces": kinds.namespace_status,
    "nodes": kinds.node_update,
    "services": service.validate_status,
    "persistentvolumeclaims": claims.claim_status,
    "resourcequotas": quotas.resource_quota_status,
    "replicationcontrollers": replication.controller_status,
    "poddisruptionbudgets.policy": policies.disruption_budget_status,
    **workload_tables.STATUS,
}
# Their strategies look at an update as at a new object first. What UPDATE finds once more is two causes.
AS_NEW = frozenset(
    {
        "jobs.batch", "namespaces", "nodes", "persistentvolumes", "storageclasses.storage.k8s.io",
        *(item.key for item in kinds_rbac.POLICY),
    }
)  # fmt: skip
# What they check of an update ends with the whole check of a new object, its metadata included.
METADATA_AGAIN = frozenset(
    {
        "configmaps", "controllerrevisions.apps", "endpoints", "endpointslices.discovery.k8s.io",
        "ingressclasses.networking.k8s.io", "ingresses.networking.k8s.io", "limitranges", "persistentvolumeclaims",
        "persistentvolumes", "runtimeclasses.node.k8s.io", "secrets", "serviceaccounts",
    }
)  # fmt: skip
WARNINGS: Mapping[str, Callable[[Manifest], list[str]]] = {
    "endpoints": endpoints.endpoints_warnings,
    "resourcequotas": quotas.resource_quota_warnings,
    "serviceaccounts": kinds.service_account_warnings,
    "secrets": kinds.secret_warnings,
    "persistentvolumeclaims": volume_warnings.of_claim,
    "persistentvolumes": volume_warnings.of_volume,
    "replicationcontrollers": replication.controller_warnings,
    "podtemplates": lambda obj: warnings.of_template("template.", obj.get("template") or {}),
    "nodes": warnings.of_node,
    "runtimeclasses.node.k8s.io": warnings.of_runtime_class,
    "services": service.warnings,
    "endpointslices.discovery.k8s.io": endpoints.endpoint_slice_warnings,
    **workload_tables.WARNINGS,
}


def _as_new(key: str) -> Callable[[Manifest, Manifest], list[str]]:
    return lambda new, old: WARNINGS[key](new)


def _of_new_generation(key: str) -> Callable[[Manifest, Manifest], list[str]]:
    """Of a pod template only while it changes."""

    def told(new: Manifest, old: Manifest) -> list[str]:
        same = workload_warnings.generation(new) == workload_warnings.generation(old)
        return [] if same else WARNINGS[key](new)

    return told


UPDATE_WARNINGS: Mapping[str, Callable[[Manifest, Manifest], list[str]]] = {
    **{
        key: _as_new(key)
        for key in (
            "endpoints", "nodes", "persistentvolumeclaims", "persistentvolumes", "runtimeclasses.node.k8s.io", "secrets",
            "services",
        )
    },
    "endpointslices.discovery.k8s.io": lambda new, old: endpoints.slice_address_warnings(new),
    "podtemplates": _of_new_generation("podtemplates"),
    "replicationcontrollers": _of_new_generation("replicationcontrollers"),
    "serviceaccounts": kinds.service_account_update_warnings,
    **workload_warnings.ON_UPDATE,
}  # fmt: skip
