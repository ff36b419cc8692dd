"""Defaults of services, claims, quotas, policies and autoscalers. Called by defaults.py through BY_KEY.

Sources: pkg/apis/core/v1/defaults.go, pkg/apis/{autoscaling,discovery,policy,rbac,scheduling}/…/defaults.go. What Go writes
even when it is zero (structs, and numbers without omitempty) is filled in here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from podlab.apis import default_pod_spec, default_volumes
from podlab.apis.default_pod_spec import set_absent, set_empty
from podlab.apis.kinds_rbac import RBAC
from podlab.apis.types import Manifest
from podlab.apis.validation.service import is_external

AFFINITY_SECONDS = 10800
_TARGET_UTILIZATION = 80


def _part(obj: Manifest, name: str) -> Manifest:
    """The struct `name` of `obj`, made when it is missing."""
    if obj.get(name) is None:
        obj[name] = {}
    found: Manifest = obj[name]
    return found


def template(pod: Manifest) -> None:
    _part(pod, "metadata")
    spec = _part(pod, "spec")
    set_absent(spec, "containers", None)
    default_pod_spec.pod_spec(spec)


def _pod_template(obj: Manifest) -> None:
    template(_part(obj, "template"))


def _replication_controller(obj: Manifest) -> None:
    spec, meta = _part(obj, "spec"), _part(obj, "metadata")
    if spec.get("template") is not None:
        labels = (spec["template"].get("metadata") or {}).get("labels")
        if labels:
            set_empty(spec, "selector", dict(labels))
            set_empty(meta, "labels", dict(labels))
        template(spec["template"])
    set_absent(spec, "replicas", 1)
    set_absent(_part(obj, "status"), "replicas", 0)


def _service(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    set_empty(spec, "sessionAffinity", "None")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    if spec["sessionAffinity"] == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        if (config.get("clientIP") or {}).get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": AFFINITY_SECONDS}}
    set_empty(spec, "type", "ClusterIP")
    for port in spec.get("ports") or []:
        set_empty(port, "protocol", "TCP")
        set_empty(port, "targetPort", port.get("port") or 0)
    if is_external(spec):
        set_empty(spec, "externalTrafficPolicy", "Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer", "ClusterIP"):
        set_absent(spec, "internalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        set_absent(spec, "allocateLoadBalancerNodePorts", True)
    balancer = _part(_part(obj, "status"), "loadBalancer")
    for ingress in balancer.get("ingress") or []:
        if spec["type"] == "LoadBalancer" and ingress.get("ip"):
            set_absent(ingress, "ipMode", "VIP")


def _endpoints(obj: Manifest) -> None:
    for subset in obj.get("subsets") or []:
        for port in subset.get("ports") or []:
            set_empty(port, "protocol", "TCP")
            if not port.get("name"):
                port.pop("name", None)


def _endpoint_slice(obj: Manifest) -> None:
    set_absent(obj, "endpoints", None)
    set_absent(obj, "ports", None)
    for port in obj["ports"] or []:
        set_absent(port, "name", "")
        set_absent(port, "protocol", "TCP")
    for endpoint in obj["endpoints"] or []:
        _part(endpoint, "conditions")


def _claim(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    claim_spec(spec)
    set_empty(_part(obj, "status"), "phase", "Pending")


def claim_spec(spec: Manifest) -> None:
    resources = _part(spec, "resources")
    for kind in ("requests", "limits"):
        default_volumes.round_up(resources.get(kind))
    set_absent(spec, "volumeMode", "Filesystem")


def _volume(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    set_empty(spec, "persistentVolumeReclaimPolicy", "Retain")
    set_absent(spec, "volumeMode", "Filesystem")
    default_volumes.apply(spec)
    default_volumes.round_up(spec.get("capacity"))
    set_empty(_part(obj, "status"), "phase", "Pending")


def _limit_range(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    set_absent(spec, "limits", None)
    for limit in spec["limits"] or []:
        for field in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
            default_volumes.round_up(limit.get(field))
        if limit.get("type") != "Container":
            continue
        default, request = dict(limit.get("default") or {}), dict(limit.get("defaultRequest") or {})
        for chosen, given in ((default, limit.get("max")), (request, default), (request, limit.get("min"))):
            for name, text in (given or {}).items():
                chosen.setdefault(name, text)
        for field, values in (("default", default), ("defaultRequest", request)):
            if values:
                limit[field] = values


def _quota(obj: Manifest) -> None:
    default_volumes.round_up(_part(obj, "spec").get("hard"))
    _part(obj, "status")


def _autoscaler(obj: Manifest) -> None:
    """autoscaling/v2."""
    spec, status = _part(obj, "spec"), _part(obj, "status")
    set_absent(spec, "minReplicas", 1)
    reference = _part(spec, "scaleTargetRef")
    for field in ("kind", "name"):
        reference.setdefault(field, "")
    spec.setdefault("maxReplicas", 0)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": _TARGET_UTILIZATION}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behaviour = spec.get("behavior")
    if behaviour is not None:
        behaviour["scaleUp"] = {**_scale_up(), **(behaviour.get("scaleUp") or {})}
        behaviour["scaleDown"] = {**_scale_down(), **(behaviour.get("scaleDown") or {})}
    set_absent(status, "desiredReplicas", 0)
    status.setdefault("currentMetrics", None)


def _scale_up() -> Manifest:
    policies = [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ]
    return {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": policies}


def _scale_down() -> Manifest:
    return {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


def _disruption_budget(obj: Manifest) -> None:
    _part(obj, "spec")
    status = _part(obj, "status")
    for field in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
        set_absent(status, field, 0)


def _priority_class(obj: Manifest) -> None:
    set_absent(obj, "preemptionPolicy", "PreemptLowerPriority")
    set_absent(obj, "value", 0)


def _with_spec(obj: Manifest) -> None:
    _part(obj, "spec")


def _network_policy(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    _part(spec, "podSelector")
    for rule in (spec.get("ingress") or []) + (spec.get("egress") or []):
        for port in rule.get("ports") or []:
            set_absent(port, "protocol", "TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _ingress(obj: Manifest) -> None:
    _part(obj, "spec")
    _part(_part(obj, "status"), "loadBalancer")


def _ingress_class(obj: Manifest) -> None:
    parameters = _part(obj, "spec").get("parameters")
    if parameters is not None:
        set_absent(parameters, "scope", "Cluster")


def _storage_class(obj: Manifest) -> None:
    set_absent(obj, "reclaimPolicy", "Delete")
    set_absent(obj, "volumeBindingMode", "Immediate")


def _preset(obj: Manifest) -> None:
    spec = _part(obj, "spec")
    _part(spec, "selector")
    for volume in spec.get("volumes") or []:
        default_volumes.apply(volume)
    for variable in spec.get("env") or []:
        default_volumes.references(variable.get("valueFrom") or {})


def _role(obj: Manifest) -> None:
    obj["rules"] = obj.get("rules") or None  # no rules are written as null, however they came


def _role_binding(obj: Manifest) -> None:
    set_empty(_part(obj, "roleRef"), "apiGroup", RBAC)
    for subject in obj.get("subjects") or []:
        if subject.get("kind") in ("User", "Group"):
            set_empty(subject, "apiGroup", RBAC)


BY_KEY: Mapping[str, Callable[[Manifest], Any]] = {
    "podtemplates": _pod_template,
    "replicationcontrollers": _replication_controller,
    "services": _service,
    "endpoints": _endpoints,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "limitranges": _limit_range,
    "resourcequotas": _quota,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "poddisruptionbudgets.policy": _disruption_budget,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "leases.coordination.k8s.io": _with_spec,
    "podpresets.settings.k8s.io": _preset,
    "networkpolicies.networking.k8s.io": _network_policy,
    "ingresses.networking.k8s.io": _ingress,
    "ingressclasses.networking.k8s.io": _ingress_class,
    "storageclasses.storage.k8s.io": _storage_class,
    "clusterroles.rbac.authorization.k8s.io": _role,
    "clusterrolebindings.rbac.authorization.k8s.io": _role_binding,
    "roles.rbac.authorization.k8s.io": _role,
    "rolebindings.rbac.authorization.k8s.io": _role_binding,
}
