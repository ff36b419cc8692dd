"""Columns and cells of services, claims, quotas, budgets, classes and autoscalers. printers.py joins them to its own.

Source: pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from podlab.apis.printer_columns import (
    AGE,
    CONTAINERS,
    CORE,
    IMAGES,
    NAME,
    NONE,
    UNKNOWN,
    Cell,
    Told,
    age,
    containers,
    labels,
    metadata,
    name,
)
from podlab.apis.types import Manifest

_UNSET = "<unset>"
_SHOWN = 3  # addresses in a cell
_SHOWN_METRICS = 2
_MODES = (("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP"))
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_HPA = "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler"
_SLICE = "io.k8s.api.discovery.v1.EndpointSlice"
_PRIORITY = "io.k8s.api.scheduling.v1.PriorityClass"
_RC = f"{CORE}ReplicationController"
_CLAIM, _VOLUME = f"{CORE}PersistentVolumeClaim", f"{CORE}PersistentVolume"

COLUMNS: Mapping[str, tuple[Told, ...]] = {
    "services": (
        NAME,
        Told("Type", f"{CORE}ServiceSpec/type"),
        Told("Cluster-IP", f"{CORE}ServiceSpec/clusterIP"),
        Told("External-IP", f"{CORE}ServiceSpec/externalIPs"),
        Told("Port(s)", f"{CORE}ServiceSpec/ports"),
        AGE,
        Told("Selector", f"{CORE}ServiceSpec/selector", wide=True),
    ),
    "endpoints": (NAME, Told("Endpoints", f"{CORE}Endpoints/subsets"), AGE),
    "endpointslices.discovery.k8s.io": (
        NAME,
        Told("AddressType", f"{_SLICE}/addressType"),
        Told("Ports", f"{_SLICE}/ports"),
        Told("Endpoints", f"{_SLICE}/endpoints"),
        AGE,
    ),
    "replicationcontrollers": (
        NAME,
        Told("Desired", f"{_RC}Spec/replicas", type="integer"),
        Told("Current", f"{_RC}Status/replicas", type="integer"),
        Told("Ready", f"{_RC}Status/readyReplicas", type="integer"),
        AGE,
        CONTAINERS,
        IMAGES,
        Told("Selector", f"{_RC}Spec/selector", wide=True),
    ),
    "podtemplates": (
        NAME,
        Told("Containers", CONTAINERS.about),
        Told("Images", IMAGES.about),
        Told("Pod Labels", "The labels for the pod template."),
    ),
    "persistentvolumeclaims": (
        NAME,
        Told("Status", f"{_CLAIM}Status/phase"),
        Told("Volume", f"{_CLAIM}Spec/volumeName"),
        Told("Capacity", f"{_CLAIM}Status/capacity"),
        Told("Access Modes", f"{_CLAIM}Status/accessModes"),
        Told("StorageClass", "StorageClass of the pvc"),
        Told("VolumeAttributesClass", "VolumeAttributesClass of the pvc"),
        AGE,
        Told("VolumeMode", f"{_CLAIM}Spec/volumeMode", wide=True),
    ),
    "persistentvolumes": (
        NAME,
        Told("Capacity", f"{_VOLUME}Spec/capacity"),
        Told("Access Modes", f"{_VOLUME}Spec/accessModes"),
        Told("Reclaim Policy", f"{_VOLUME}Spec/persistentVolumeReclaimPolicy"),
        Told("Status", f"{_VOLUME}Status/phase"),
        Told("Claim", f"{_VOLUME}Spec/claimRef"),
        Told("StorageClass", "StorageClass of the pv"),
        Told("VolumeAttributesClass", "VolumeAttributesClass of the pv"),
        Told("Reason", f"{_VOLUME}Status/reason"),
        AGE,
        Told("VolumeMode", f"{_VOLUME}Spec/volumeMode", wide=True),
    ),
    "resourcequotas": (
        NAME,
        Told("Request", "Request represents a minimum amount of cpu/memory that a container may consume."),
        Told(
            "Limit",
            "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the "
            "node.",
        ),
        AGE,
    ),
    "poddisruptionbudgets.policy": (
        NAME,
        Told("Min Available", "The minimum number of pods that must be available."),
        Told("Max Unavailable", "The maximum number of pods that may be unavailable."),
        Told("Allowed Disruptions", "Calculated number of pods that may be disrupted at this time.", type="integer"),
        AGE,
    ),
    "horizontalpodautoscalers.autoscaling": (
        NAME,
        Told("Reference", f"{_HPA}Spec/scaleTargetRef"),
        Told("Targets", f"{_HPA}Spec/metrics"),
        Told("MinPods", f"{_HPA}Spec/minReplicas"),
        Told("MaxPods", f"{_HPA}Spec/maxReplicas"),
        Told("Replicas", f"{_HPA}Status/currentReplicas"),
        AGE,
    ),
    "priorityclasses.scheduling.k8s.io": (
        NAME,
        Told("Value", f"{_PRIORITY}/value", type="integer"),
        Told("Global-Default", f"{_PRIORITY}/globalDefault", type="boolean"),
        AGE,
        Told("PreemptionPolicy", f"{_PRIORITY}/preemptionPolicy"),
    ),
    "runtimeclasses.node.k8s.io": (NAME, Told("Handler", "io.k8s.api.node.v1.RuntimeClass/handler"), AGE),
    "leases.coordination.k8s.io": (
        NAME,
        Told("Holder", "io.k8s.api.coordination.v1.LeaseSpec/holderIdentity"),
        AGE,
    ),
}


def spec_of(obj: Manifest) -> Manifest:
    return obj.get("spec") or {}


def status_of(obj: Manifest) -> Manifest:
    return obj.get("status") or {}


def _service(obj: Manifest, now: datetime) -> list[Cell]:
    spec = spec_of(obj)
    ports = ",".join(map(_port, spec.get("ports") or [])) or NONE
    inside = (spec.get("clusterIPs") or [NONE])[0]
    return [
        name(obj),
        spec.get("type", ""),
        inside,
        external_ip(obj),
        ports,
        age(obj, now),
        labels(spec.get("selector")),
    ]


def _port(port: Manifest) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', 0)}{node}/{port.get('protocol', '')}"


def external_ip(service: Manifest) -> str:
    spec, given = spec_of(service), list(spec_of(service).get("externalIPs") or [])
    kind = spec.get("type")
    if kind == "ExternalName":
        return str(spec.get("externalName", ""))
    if kind == "LoadBalancer":
        ingress = (status_of(service).get("loadBalancer") or {}).get("ingress") or []
        found = sorted({item.get("ip") or item.get("hostname") or "" for item in ingress} - {""})
        return ",".join([*found, *given]) or "<pending>"
    return ",".join(given) or NONE


def some(items: Sequence[str], shown: int, empty: str = NONE, separator: str = ",") -> str:
    more = f" + {len(items) - shown} more..." if len(items) > shown else ""
    return separator.join(items[:shown]) + more or empty


def _endpoints(obj: Manifest, now: datetime) -> list[Cell]:
    found: list[str] = []
    for subset in obj.get("subsets") or []:
        addresses = [item.get("ip", "") for item in subset.get("addresses") or []]
        ports = subset.get("ports") or []
        found += [_joined(address, port.get("port")) for port in ports for address in addresses] if ports else addresses
    return [name(obj), some(found, _SHOWN), age(obj, now)]


def _joined(address: str, port: int | None) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _slice(obj: Manifest, now: datetime) -> list[Cell]:
    ports = [str(item.get("port") or item.get("name") or "*") for item in obj.get("ports") or []]
    addresses = [address for item in obj.get("endpoints") or [] for address in item.get("addresses") or []]
    shown = (some(items, _SHOWN, _UNSET) for items in (ports, addresses))
    return [name(obj), obj.get("addressType", ""), *shown, age(obj, now)]


def _replication_controller(obj: Manifest, now: datetime) -> list[Cell]:
    spec, status = spec_of(obj), status_of(obj)
    counts = [spec.get("replicas") or 0, status.get("replicas") or 0, status.get("readyReplicas") or 0]
    return [name(obj), *counts, age(obj, now), *containers(spec.get("template")), labels(spec.get("selector"))]


def _pod_template(obj: Manifest, now: datetime) -> list[Cell]:
    template = obj.get("template") or {}
    return [name(obj), *containers(template), labels(metadata(template).get("labels"))]


def _access_modes(modes: Sequence[str] | None) -> str:
    return ",".join(short for mode, short in _MODES if mode in (modes or ()))


def _phase(obj: Manifest) -> str:
    return "Terminating" if metadata(obj).get("deletionTimestamp") else str(status_of(obj).get("phase", ""))


def _class_of(obj: Manifest) -> str:
    annotated = (metadata(obj).get("annotations") or {}).get(_CLASS_ANNOTATION)
    return str(annotated if annotated is not None else spec_of(obj).get("storageClassName") or "")


def _claim(obj: Manifest, now: datetime) -> list[Cell]:
    spec, status = spec_of(obj), status_of(obj)
    bound = bool(spec.get("volumeName"))
    return [
        name(obj),
        _phase(obj),
        spec.get("volumeName") or "",
        (status.get("capacity") or {}).get("storage", "0") if bound else "",
        _access_modes(status.get("accessModes")) if bound else "",
        _class_of(obj),
        spec.get("volumeAttributesClassName") or _UNSET,
        age(obj, now),
        spec.get("volumeMode") or _UNSET,
    ]


def _volume(obj: Manifest, now: datetime) -> list[Cell]:
    spec, claim = spec_of(obj), spec_of(obj).get("claimRef")
    return [
        name(obj),
        (spec.get("capacity") or {}).get("storage", "0"),
        _access_modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class_of(obj),
        spec.get("volumeAttributesClassName") or _UNSET,
        status_of(obj).get("reason", ""),
        age(obj, now),
        spec.get("volumeMode") or _UNSET,
    ]


def _quota(obj: Manifest, now: datetime) -> list[Cell]:
    hard, used = status_of(obj).get("hard") or {}, status_of(obj).get("used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for resource in sorted(hard):
        told = f"{resource}: {used.get(resource, '0')}/{hard[resource]}"
        (limits if resource.startswith("limits") else requests).append(told)
    return [name(obj), ", ".join(requests), ", ".join(limits), age(obj, now)]


def _budget(obj: Manifest, now: datetime) -> list[Cell]:
    spec = spec_of(obj)
    bounds = ["N/A" if spec.get(field) is None else str(spec[field]) for field in ("minAvailable", "maxUnavailable")]
    return [name(obj), *bounds, status_of(obj).get("disruptionsAllowed") or 0, age(obj, now)]


def _autoscaler(obj: Manifest, now: datetime) -> list[Cell]:
    spec, status = spec_of(obj), status_of(obj)
    target = spec.get("scaleTargetRef") or {}
    current = status.get("currentMetrics") or []
    wanted = spec.get("metrics") or []
    told = [_metric(item, current[index] if index < len(current) else {}) for index, item in enumerate(wanted)]
    return [
        name(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        some(told, _SHOWN_METRICS, separator=", "),
        _UNSET if spec.get("minReplicas") is None else str(spec["minReplicas"]),
        spec.get("maxReplicas") or 0,
        status.get("currentReplicas") or 0,
        age(obj, now),
    ]


def _metric(wanted: Manifest, measured: Manifest) -> str:
    """What one metric has and should have (formatHPAMetrics)."""
    kind = str(wanted.get("type", ""))
    field = kind[:1].lower() + kind[1:]
    source = wanted.get(field) or {}
    target, current = source.get("target") or {}, (measured.get(field) or {}).get("current") or {}
    average = target.get("averageValue")
    if kind in ("Resource", "ContainerResource"):
        if average is not None:
            told = f"{current.get('averageValue', UNKNOWN)}/{average}"
        else:
            have, want = current.get("averageUtilization"), target.get("averageUtilization")
            told = f"{UNKNOWN if have is None else f'{have}%'}/{'<auto>' if want is None else f'{want}%'}"
        return f"{source.get('name', '')}: {told}"
    if average is not None:
        suffix = "" if kind == "Pods" else " (avg)"
        return f"{current.get('averageValue', UNKNOWN)}/{average}{suffix}"
    return f"{current.get('value', UNKNOWN)}/{target.get('value', '0')}"


def _priority_class(obj: Manifest, now: datetime) -> list[Cell]:
    policy = obj.get("preemptionPolicy") or ""
    return [name(obj), obj.get("value") or 0, bool(obj.get("globalDefault")), age(obj, now), policy]


def _runtime_class(obj: Manifest, now: datetime) -> list[Cell]:
    return [name(obj), obj.get("handler", ""), age(obj, now)]


def _lease(obj: Manifest, now: datetime) -> list[Cell]:
    return [name(obj), spec_of(obj).get("holderIdentity") or "", age(obj, now)]


ROWS: Mapping[str, Callable[[Manifest, datetime], list[Cell]]] = {
    "services": _service,
    "endpoints": _endpoints,
    "endpointslices.discovery.k8s.io": _slice,
    "replicationcontrollers": _replication_controller,
    "podtemplates": _pod_template,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "resourcequotas": _quota,
    "poddisruptionbudgets.policy": _budget,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "runtimeclasses.node.k8s.io": _runtime_class,
    "leases.coordination.k8s.io": _lease,
}
