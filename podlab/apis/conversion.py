"""Objects of a kind that is served in more than one version: the stored form and the others.

`registry` converts what a request sends and what it gets; only one form is stored. Pure; both directions leave their
argument alone. Sources: pkg/apis/events/v1, pkg/apis/autoscaling/v1/conversion.go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from podlab.apis.scheme import Resource, stored
from podlab.apis.types import Manifest

# The core field on the left, the one of events.k8s.io on the right.
_EVENT_FIELDS = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_CORE_FIELDS = {new: old for old, new in _EVENT_FIELDS.items()}
# Written by Go even when empty: structs, and times without pointer.
_EVENT_ALWAYS: Manifest = {
    "eventTime": None,
    "regarding": {},
    "deprecatedSource": {},
    "deprecatedFirstTimestamp": None,
    "deprecatedLastTimestamp": None,
}
_METRICS = "autoscaling.alpha.kubernetes.io/metrics"
_CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics"
_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
_BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"


def to_stored(resource: Resource, obj: Manifest) -> Manifest:
    """`obj`, as `resource` has it, in the form that is stored."""
    return _TO_STORED[resource.handle](_typed(stored(resource), obj)) if resource.stored_as else obj


def from_stored(resource: Resource, obj: Manifest) -> Manifest:
    """A stored object in the form of `resource`. A Status stays what it is."""
    if not resource.stored_as or obj.get("kind") != resource.kind:
        return obj
    return _FROM_STORED[resource.handle](_typed(resource, obj))


def stored_field(resource: Resource, field: str) -> str:
    """The field selector's label `field` of `resource`, as the stored kind calls it."""
    if resource.handle != "events.events.k8s.io":
        return field
    if field.startswith("regarding."):
        return "involvedObject." + field.removeprefix("regarding.")
    return {"reportingController": "reportingComponent"}.get(field, field)


def _typed(resource: Resource, obj: Manifest) -> Manifest:
    return {**obj, "apiVersion": resource.api_version, "kind": resource.kind}


def _event_to_core(event: Manifest) -> Manifest:
    return {_CORE_FIELDS.get(name, name): value for name, value in event.items()}


def _event_from_core(event: Manifest) -> Manifest:
    out = {_EVENT_FIELDS.get(name, name): value for name, value in event.items()}
    for name in ("reportingController", "reportingInstance"):
        if not out.get(name):
            out.pop(name, None)
    return {**_EVENT_ALWAYS, **out}


def _autoscaler_to_v2(obj: Manifest) -> Manifest:
    """autoscaling/v1 knows the share of cpu; the rest travels in annotations."""
    spec = dict(obj.get("spec") or {})
    share = spec.pop("targetCPUUtilizationPercentage", None)
    annotations = dict((obj.get("metadata") or {}).get("annotations") or {})
    metrics = [_metric_to_v2(item) for item in _read(annotations.pop(_METRICS, ""), [])]
    if share is not None:
        target = {"type": "Utilization", "averageUtilization": share}
        metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        spec["metrics"] = metrics
    behaviour = _read(annotations.pop(_BEHAVIOR, ""), None)
    if behaviour is not None:
        spec["behavior"] = {name.lower()[0] + name[1:]: value for name, value in behaviour.items()}
    status = dict(obj.get("status") or {})
    current = status.pop("currentCPUUtilizationPercentage", None)
    measured = [_current_to_v2(item) for item in _read(annotations.pop(_CURRENT, ""), [])]
    if current is not None:
        value = {"averageUtilization": current, "averageValue": "0"}
        measured.insert(0, {"type": "Resource", "resource": {"name": "cpu", "current": value}})
    if measured:
        status["currentMetrics"] = measured
    conditions = _read(annotations.pop(_CONDITIONS, ""), None)
    if conditions:
        status["conditions"] = conditions
    meta = {**(obj.get("metadata") or {}), "annotations": annotations}
    if not annotations:
        del meta["annotations"]
    return {**obj, "metadata": meta, "spec": spec, "status": status}


def _autoscaler_to_v1(obj: Manifest) -> Manifest:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict((obj.get("metadata") or {}).get("annotations") or {})
    metrics, behaviour = spec.pop("metrics", None) or [], spec.pop("behavior", None)
    rest = []
    for item in metrics:
        share = _cpu_share(item, "target")
        if share is not None and "targetCPUUtilizationPercentage" not in spec:
            spec["targetCPUUtilizationPercentage"] = share
        else:
            rest.append(_metric_to_v1(item))
    left = []
    for item in status.pop("currentMetrics", None) or []:
        share = _cpu_share(item, "current")
        if share is not None and "currentCPUUtilizationPercentage" not in status:
            status["currentCPUUtilizationPercentage"] = share
        else:
            left.append(_current_to_v1(item))
    notes = {
        _METRICS: rest,
        _BEHAVIOR: {name[0].upper() + name[1:]: value for name, value in (behaviour or {}).items()},
        _CURRENT: left,
        _CONDITIONS: status.pop("conditions", None),
    }
    for name, value in notes.items():
        if value:
            annotations[name] = json.dumps(value, separators=(",", ":"))
    status.setdefault("currentReplicas", 0)
    status.setdefault("desiredReplicas", 0)
    meta = {**(obj.get("metadata") or {})}
    if annotations:
        meta["annotations"] = annotations
    return {**obj, "metadata": meta, "spec": spec, "status": status}


def _cpu_share(metric: Manifest, part: str) -> int | None:
    source = metric.get("resource") or {}
    if metric.get("type") != "Resource" or source.get("name") != "cpu":
        return None
    share: int | None = (source.get(part) or {}).get("averageUtilization")
    return share


def _read(text: str, otherwise: Any) -> Any:
    try:
        return json.loads(text) if text else otherwise
    except ValueError:
        return otherwise


# In v1 the amounts stand beside the name; which one is meant follows from the kind of source.
_AMOUNTS = {
    "Resource": ("targetAverageUtilization", "targetAverageValue"),
    "ContainerResource": ("targetAverageUtilization", "targetAverageValue"),
    "Pods": ("", "targetAverageValue"),
    "Object": ("targetValue", "averageValue"),
    "External": ("targetValue", "targetAverageValue"),
}


def _source_name(kind: str) -> str:
    return kind[:1].lower() + kind[1:]


def _metric_to_v1(metric: Manifest) -> Manifest:
    kind = metric.get("type") or ""
    source = dict(metric.get(_source_name(kind)) or {})
    target, named = source.pop("target", None) or {}, source.pop("metric", None)
    first, average = _AMOUNTS.get(kind, ("", ""))
    if named is not None:
        source["metricName"] = named.get("name", "")
        if named.get("selector") is not None:
            source["metricSelector" if kind == "External" else "selector"] = named["selector"]
    if "describedObject" in source:
        source["target"] = source.pop("describedObject")
    for name, value in (
        (first, target.get("averageUtilization", target.get("value"))),
        (average, target.get("averageValue")),
    ):
        if name and value is not None:
            source[name] = value
    return {"type": kind, _source_name(kind): source}


def _metric_to_v2(metric: Manifest) -> Manifest:
    kind = metric.get("type") or ""
    source = dict(metric.get(_source_name(kind)) or {})
    first, average = _AMOUNTS.get(kind, ("", ""))
    target: Manifest = {}
    if kind == "Object" and "target" in source:
        source["describedObject"] = source.pop("target")
    if first and source.get(first) is not None:
        share = first == "targetAverageUtilization"
        target = {"type": "Utilization" if share else "Value"}
        target["averageUtilization" if share else "value"] = source.pop(first)
    if average and source.get(average) is not None:
        target = {"type": "AverageValue", "averageValue": source.pop(average)}
    if "metricName" in source:
        named = {"name": source.pop("metricName")}
        selector = source.pop("metricSelector", None) or source.pop("selector", None)
        source["metric"] = {**named, "selector": selector} if selector else named
    source["target"] = target
    return {"type": kind, _source_name(kind): source}


def _current_to_v1(metric: Manifest) -> Manifest:
    kind = metric.get("type") or ""
    source = dict(metric.get(_source_name(kind)) or {})
    current, named = source.pop("current", None) or {}, source.pop("metric", None)
    if named is not None:
        source["metricName"] = named.get("name", "")
    shown = {"averageUtilization": "currentAverageUtilization", "averageValue": "currentAverageValue"}
    source.update({shown[name]: value for name, value in current.items() if name in shown})
    if "value" in current:
        source["currentValue"] = current["value"]
    return {"type": kind, _source_name(kind): source}


def _current_to_v2(metric: Manifest) -> Manifest:
    kind = metric.get("type") or ""
    source = dict(metric.get(_source_name(kind)) or {})
    read = {
        "currentAverageUtilization": "averageUtilization",
        "currentAverageValue": "averageValue",
        "currentValue": "value",
    }
    current = {read[name]: source.pop(name) for name in list(source) if name in read}
    if "metricName" in source:
        source["metric"] = {"name": source.pop("metricName")}
    return {"type": kind, _source_name(kind): {**source, "current": current}}


_TO_STORED: Mapping[str, Callable[[Manifest], Manifest]] = {
    "events.events.k8s.io": _event_to_core,
    "horizontalpodautoscalers.v1.autoscaling": _autoscaler_to_v2,
}
_FROM_STORED: Mapping[str, Callable[[Manifest], Manifest]] = {
    "events.events.k8s.io": _event_from_core,
    "horizontalpodautoscalers.v1.autoscaling": _autoscaler_to_v1,
}
