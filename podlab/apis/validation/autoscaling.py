"""HorizontalPodAutoscalers, in the form of autoscaling/v2 (pkg/apis/autoscaling/validation)."""

from __future__ import annotations

from podlab.apis import names, quantity
from podlab.apis.field_errors import forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import resources
from podlab.apis.validation.rules import NOT_NEGATIVE, Errors, by_rule, one_of

SOURCES = {
    "Object": "object", "Pods": "pods", "Resource": "resource", "External": "external",
    "ContainerResource": "containerResource",
}  # fmt: skip
_MAX_PERIOD, _MAX_WINDOW = 1800, 3600
_TO_ZERO = "must specify at least one Object or External metric to support scaling to zero replicas"
_SOURCE = "must populate information for the given metric source"


def validate(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    metrics = spec.get("metrics") or []
    if low is not None and low < 1:
        yield invalid("spec.minReplicas", low, "must be greater than or equal to 1")
    if high < 1:
        yield required("spec.maxReplicas", "must be set and greater than 0")
    if low is not None and high < low:
        yield invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`")
    yield from _target_reference("spec.scaleTargetRef", spec.get("scaleTargetRef") or {}, core=False)
    for index, metric in enumerate(metrics):
        yield from _metric(f"spec.metrics[{index}]", metric)
    if low == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        yield forbidden("spec.metrics", _TO_ZERO)
    for direction in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(direction)
        if rules is not None:
            yield from _rules(f"spec.behavior.{direction}", rules)


def _target_reference(path: str, target: Manifest, *, core: bool) -> Errors:
    """`core`: kinds of the core group have metrics too, but cannot be scaled (but for the oldest controller)."""
    kind, name, version = (target.get(field) or "" for field in ("kind", "name", "apiVersion"))
    for field, value in (("kind", kind), ("name", name)):
        if not value:
            yield required(f"{path}.{field}")
        else:
            yield from by_rule(f"{path}.{field}", value, names.path_segment)
    group = version.rpartition("/")[0]
    if not group and not core and (kind, version) != ("ReplicationController", "v1"):
        yield invalid(f"{path}.apiVersion", version, "apiVersion must specify API group")
    elif version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")


def _metric(path: str, metric: Manifest) -> Errors:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
    if kind not in SOURCES:
        for _ in range(2):  # Kubernetes looks at it in two places
            yield from one_of(f"{path}.type", kind, tuple(sorted(SOURCES)))
        return
    given = [field for field in SOURCES.values() if metric.get(field) is not None]
    wanted = SOURCES[kind]
    for field in given:
        if field != wanted:
            yield forbidden(f"{path}.{field}", "must populate the given metric source only")
    if wanted not in given:
        yield required(f"{path}.{wanted}", _SOURCE)
    else:
        yield from _source(f"{path}.{wanted}", kind, metric[wanted])


def _source(path: str, kind: str, source: Manifest) -> Errors:
    target = source.get("target") or {}
    if kind == "Object":
        yield from _target_reference(f"{path}.describedObject", source.get("describedObject") or {}, core=True)
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
