"""HorizontalPodAutoscalers, in the form of autoscaling/v2 (pkg/apis/autoscaling/validation)."""

from __future__ import annotations

from podlab.apis import names, quantity
from podlab.apis.field_errors import forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import resources
from podlab.apis.validation.rules import NOT_NEGATIVE, Errors, by_rule, not_negative, one_of

# In the order in which Kubernetes looks for them.
SOURCES = {
    "Object": "object", "External": "external", "Pods": "pods", "Resource": "resource",
    "ContainerResource": "containerResource",
}  # fmt: skip
_MAX_PERIOD, _MAX_WINDOW = 1800, 3600
_TO_ZERO = "must specify at least one Object or External metric to support scaling to zero replicas"
_SOURCE = "must populate information for the given metric source"


def validate(obj: Manifest) -> Errors:
    yield from _spec(obj.get("spec") or {}, None)


def validate_update(new: Manifest, old: Manifest) -> Errors:
    """What was let in by older rules may stay as it is."""
    yield from _spec(new.get("spec") or {}, old.get("spec") or {})


def validate_status(new: Manifest, old: Manifest) -> Errors:
    status = new.get("status") or {}
    yield from not_negative("status", status, "currentReplicas")
    yield from not_negative("status", status, "desiredReplicas")


def _spec(spec: Manifest, old: Manifest | None) -> Errors:
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    metrics, before = spec.get("metrics") or [], old or {}
    lowest = 0 if before.get("minReplicas") == 0 else 1
    if low is not None and low < lowest:
        yield invalid("spec.minReplicas", low, f"must be greater than or equal to {lowest}")
    if high == 0:
        yield required("spec.maxReplicas", "must be set and greater than 0")
    elif high < 0:
        yield invalid("spec.maxReplicas", high, "must be greater than or equal to 1")
    if low is not None and high < low:
        yield invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`")
    target, had = spec.get("scaleTargetRef") or {}, before.get("scaleTargetRef") or {}
    yield from _reference("spec.scaleTargetRef", target)
    if old is None or any(target.get(part) != had.get(part) for part in ("apiVersion", "kind")):
        grouped = target.get("kind") != "ReplicationController"
        yield from _version("spec.scaleTargetRef", target, grouped=grouped)
    for index, metric in enumerate(metrics):
        yield from _metric(f"spec.metrics[{index}]", metric)
    if low == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        yield forbidden("spec.metrics", _TO_ZERO)
    for direction in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(direction)
        if rules is not None:
            yield from _rules(f"spec.behavior.{direction}", rules)


def _reference(path: str, target: Manifest) -> Errors:
    for field in ("kind", "name"):
        value = target.get(field) or ""
        if not value:
            yield required(f"{path}.{field}")
        else:
            yield from by_rule(f"{path}.{field}", value, names.path_segment)


def _version(path: str, target: Manifest, *, grouped: bool) -> Errors:
    """Kinds of the core group have metrics too, but cannot be scaled (but for the oldest controller)."""
    version = target.get("apiVersion") or ""
    if version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    elif grouped and not version.rpartition("/")[0]:
        yield invalid(f"{path}.apiVersion", version, "apiVersion must specify API group")


def _metric(path: str, metric: Manifest) -> Errors:
    """Of several sources only the first one is looked at."""
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
    known = tuple(sorted(SOURCES))
    yield from one_of(f"{path}.type", kind, known)
    given = [name for name, field in SOURCES.items() if metric.get(field) is not None]
    if given:
        first = SOURCES[given[0]]
        yield from _source(f"{path}.{first}", given[0], metric[first])
    if kind not in SOURCES:
        yield from one_of(f"{path}.type", kind, known)  # Kubernetes looks at it in two places
    elif kind not in given:
        yield required(f"{path}.{SOURCES[kind]}", _SOURCE)
    if len(given) != 1:
        for name in given:
            if name != kind:
                yield forbidden(f"{path}.{SOURCES[name]}", "must populate the given metric source only")


def _source(path: str, kind: str, source: Manifest) -> Errors:
    target = source.get("target") or {}
    if kind == "Object":
        described = source.get("describedObject") or {}
        yield from _reference(f"{path}.describedObject", described)
        yield from _version(f"{path}.describedObject", described, grouped=False)
    if kind in ("Object", "Pods", "External"):
        yield from _identifier(f"{path}.metric", source.get("metric") or {})
    elif not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    elif kind == "ContainerResource":
        yield from resources.container_resource_name(f"{path}.name", source["name"])
    if kind == "ContainerResource":
        if not source.get("container"):
            yield required(f"{path}.container", "must specify a container")
        else:
            yield from by_rule(f"{path}.container", source["container"], names.dns_label)
    yield from _target(f"{path}.target", target)
    yield from _which(f"{path}.target", kind, target)


def _identifier(path: str, metric: Manifest) -> Errors:
    if not metric.get("name"):
        yield required(f"{path}.name", "must specify a metric name")
    else:
        yield from by_rule(f"{path}.name", metric["name"], names.path_segment)


def _target(path: str, target: Manifest) -> Errors:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric target type")
    if kind not in ("Utilization", "Value", "AverageValue"):
        yield invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for field in ("value", "averageValue"):
        text = target.get(field)
        if text is not None and quantity.parse(text).nano <= 0:
            yield invalid(f"{path}.{field}", quantity.canonical(text), "must be positive")
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        yield invalid(f"{path}.averageUtilization", share, "must be greater than 0")


def _which(path: str, kind: str, target: Manifest) -> Errors:
    """Which of the three amounts a source must and must not have."""
    value, average, share = (target.get(field) is not None for field in ("value", "averageValue", "averageUtilization"))
    if kind in ("Resource", "ContainerResource"):
        if not share and not average:
            detail = "must set either a target raw value or a target utilization"
            yield required(f"{path}.averageUtilization", detail)
        if share and average:
            yield forbidden(f"{path}.averageValue", "may not set both a target raw value and a target utilization")
    elif kind == "Pods":
        if not average:
            yield required(f"{path}.averageValue", "must specify a positive target averageValue")
    elif not value and not average:
        detail = "must set either a target value or averageValue"
        if kind == "External":
            detail = "must set either a target value for metric or a per-pod target"
        yield required(f"{path}.averageValue", detail)
    elif value and average and kind == "External":
        detail = "may not set both a target value for metric and a per-pod target"
        yield forbidden(f"{path}.value", detail)


def _rules(path: str, rules: Manifest) -> Errors:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        yield invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > _MAX_WINDOW:
        detail = f"must be less than or equal to {_MAX_WINDOW}"
        yield invalid(f"{path}.stabilizationWindowSeconds", window, detail)
    if rules.get("selectPolicy") is not None:
        yield from one_of(f"{path}.selectPolicy", rules["selectPolicy"], ("Disabled", "Max", "Min"))
    policies = rules.get("policies") or []
    if not policies:
        yield required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(policies):
        yield from _policy(f"{path}.policies[{index}]", policy)
    if rules.get("tolerance") is not None and quantity.parse(rules["tolerance"]).nano < 0:
        text = quantity.canonical(rules["tolerance"])
        yield invalid(f"{path}.tolerance", text, NOT_NEGATIVE)


def _policy(path: str, policy: Manifest) -> Errors:
    yield from one_of(f"{path}.type", policy.get("type") or "", ("Percent", "Pods"))
    value, period = policy.get("value") or 0, policy.get("periodSeconds") or 0
    if value <= 0:
        yield invalid(f"{path}.value", value, "must be greater than zero")
    if period <= 0:
        yield invalid(f"{path}.periodSeconds", period, "must be greater than zero")
    if period > _MAX_PERIOD:
        yield invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {_MAX_PERIOD}")
