"""The small kinds around pods: PodDisruptionBudget, PriorityClass, RuntimeClass, Lease.

Sources: pkg/apis/{policy,scheduling,node,coordination}/validation.
"""

from __future__ import annotations

import re
from typing import Any

from podlab.apis import names
from podlab.apis.field_errors import duplicate, forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata, placement, resources
from podlab.apis.validation.conditions import conditions
from podlab.apis.validation.rules import NOT_NEGATIVE, Errors, by_rule, label_selector, labels, one_of
from podlab.apis.validation.workloads import shown_selector

HIGHEST_PRIORITY = 1_000_000_000
SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_RESERVED = "priority class names with 'system-' prefix are reserved for system use only. error: "
_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)
_PREEMPTION = ("PreemptLowerPriority", "Never")


def disruption_budget(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    low, high = spec.get("minAvailable"), spec.get("maxUnavailable")
    if low is not None and high is not None:
        shown = {
            "MinAvailable": low, "Selector": shown_selector(spec.get("selector")), "MaxUnavailable": high,
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }  # fmt: skip
        yield invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for field, value in (("minAvailable", low), ("maxUnavailable", high)):
        if value is not None:
            yield from amount_or_share(f"spec.{field}", value)
            yield from at_most_all(f"spec.{field}", value)
    yield from label_selector("spec.selector", spec.get("selector"))
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None:
        yield from one_of("spec.unhealthyPodEvictionPolicy", policy, ("AlwaysAllow", "IfHealthyBudget"))


def amount_or_share(path: str, value: Any) -> Errors:
    """A number of pods, or a part of them as "25%"."""
    if isinstance(value, str):
        if not re.fullmatch("[0-9]+%", value):
            yield invalid(path, value, _PERCENT)
    elif value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def at_most_all(path: str, value: Any) -> Errors:
    if isinstance(value, str) and re.fullmatch("[0-9]+%", value) and int(value[:-1]) > 100:
        yield invalid(path, value, "must not be greater than 100%")


def disruption_budget_status(new: Manifest, old: Manifest) -> Errors:
    status = new.get("status") or {}
    yield from conditions("status.conditions", status.get("conditions") or [])
    for field in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
        if (status.get(field) or 0) < 0:
            yield invalid(f"status.{field}", status[field], NOT_NEGATIVE)


def priority_class(obj: Manifest) -> Errors:
    name, value = (obj.get("metadata") or {}).get("name") or "", obj.get("value") or 0
    if name.startswith("system-"):
        if SYSTEM_PRIORITIES.get(name) != value or obj.get("globalDefault"):
            detail = f"{_RESERVED}{_why_not_system(obj)}"
            yield forbidden("metadata.name", detail)
    elif value > HIGHEST_PRIORITY:
        yield forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST_PRIORITY}")
    if obj.get("preemptionPolicy") == "":
        yield required("preemptionPolicy")
    elif obj.get("preemptionPolicy") is not None:
        yield from one_of("preemptionPolicy", obj["preemptionPolicy"], _PREEMPTION)


def _why_not_system(obj: Manifest) -> str:
    """IsKnownSystemPriorityClass."""
    name = obj["metadata"]["name"]
    if name not in SYSTEM_PRIORITIES:
        return f"{name} is not a known system priority class"
    if obj.get("value") != SYSTEM_PRIORITIES[name]:
        return f"value of {name} PriorityClass must be {SYSTEM_PRIORITIES[name]}"
    return f"globalDefault of {name} PriorityClass must be false"


def priority_class_update(new: Manifest, old: Manifest) -> Errors:
    if (new.get("value") or 0) != (old.get("value") or 0):
        yield forbidden("value", "may not be changed in an update.")
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        yield invalid("preemptionPolicy", new.get("preemptionPolicy"), metadata.IMMUTABLE)


def runtime_class(obj: Manifest) -> Errors:
    handler = obj.get("handler") or ""
    if not handler:
        yield required("handler")
    else:
        yield from by_rule("handler", handler, names.dns_label)
    fixed = (obj.get("overhead") or {}).get("podFixed") or {}
    yield from resources.overhead("overhead", fixed)
    scheduling = obj.get("scheduling") or {}
    yield from labels("scheduling.nodeSelector", scheduling.get("nodeSelector"))
    given = scheduling.get("tolerations") or []
    yield from placement.tolerations("scheduling.tolerations", given)
    seen: set[tuple[str, ...]] = set()
    for index, item in enumerate(given):
        parts = {part.capitalize(): item.get(part) or "" for part in ("key", "operator", "value", "effect")}
        if tuple(parts.values()) in seen:
            shown = {**parts, "TolerationSeconds": item.get("tolerationSeconds")}
            yield duplicate(f"scheduling.tolerations[{index}]", shown)
        seen.add(tuple(parts.values()))


def runtime_class_update(new: Manifest, old: Manifest) -> Errors:
    yield from runtime_class(new)
    if (new.get("handler") or "") != (old.get("handler") or ""):
        yield invalid("handler", new.get("handler") or "", metadata.IMMUTABLE)


def lease(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        yield invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    if transitions is not None and transitions < 0:
        yield invalid("spec.leaseTransitions", transitions, NOT_NEGATIVE)
