"""podFailurePolicy and successPolicy of a Job (pkg/apis/batch/validation/validation.go). Called by job.py."""

from __future__ import annotations

import re
from typing import Any

from podlab.apis import names
from podlab.apis.field_errors import (
    OMITTED,
    duplicate,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
)
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, by_rule, not_negative

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_MAX_RULES, _MAX_CODES, _MAX_PATTERNS = 20, 255, 20
_MAX_INDEXES = 64 * 1024


def _valid(values: tuple[str, ...]) -> str:
    return "valid values: [" + " ".join(f'"{value}"' for value in values) + "]"


def _choice(path: str, value: str, supported: tuple[str, ...]) -> Errors:
    if not value:
        yield required(path, _valid(supported))
    elif value not in supported:
        yield not_supported(path, value, supported)


def failure(path: str, spec: Manifest) -> Errors:
    policy = spec.get("podFailurePolicy")
    if policy is None:
        return
    rules = policy.get("rules") or []
    if len(rules) > _MAX_RULES:
        yield too_many(f"{path}.rules", len(rules), _MAX_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = {item.get("name") for field in ("containers", "initContainers") for item in pod.get(field) or []}
    for index, rule in enumerate(rules):
        yield from _failure_rule(f"{path}.rules[{index}]", rule, spec, containers)


def _failure_rule(path: str, rule: Manifest, spec: Manifest, containers: set[str]) -> Errors:
    if rule.get("action") == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            yield invalid(f"{path}.action", "FailIndex", "requires the backoffLimitPerIndex to be set")
    else:
        yield from _choice(f"{path}.action", rule.get("action") or "", _ACTIONS)
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if codes is not None:
        yield from _exit_codes(f"{path}.onExitCodes", codes, containers)
    if len(patterns) > _MAX_PATTERNS:
        yield too_many(f"{path}.onPodConditions", len(patterns), _MAX_PATTERNS)
    for index, pattern in enumerate(patterns):
        here = f"{path}.onPodConditions[{index}]"
        yield from by_rule(f"{here}.type", pattern.get("type") or "", names.qualified_name)
        yield from _choice(f"{here}.status", pattern.get("status") or "", _STATUSES)
    if codes is not None and patterns:
        yield invalid(path, OMITTED, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not patterns:
        yield invalid(path, OMITTED, "specifying one of OnExitCodes and OnPodConditions is required")


def _exit_codes(path: str, codes: Manifest, containers: set[str]) -> Errors:
    operator, values = codes.get("operator") or "", codes.get("values") or []
    yield from _choice(f"{path}.operator", operator, _OPERATORS)
    container = codes.get("containerName")
    if container is not None and container not in containers:
        detail = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{path}.containerName", container, detail)
    if not values:
        yield invalid(f"{path}.values", codes.get("values"), "at least one value is required")
    elif len(values) > _MAX_CODES:
        yield too_many(f"{path}.values", len(values), _MAX_CODES)
    for index, value in enumerate(values):
        here = f"{path}.values[{index}]"
        if operator == "In" and value == 0:
            yield invalid(here, value, "must not be 0 for the In operator")
        if value in values[:index]:
            yield duplicate(here, value)
    if values != sorted(values):
        yield invalid(f"{path}.values", values, "must be ordered")


def shown(field: str, value: Any) -> Any:
    """A policy as Go prints the internal struct; everything else as it is."""
    if value is None or field not in ("podFailurePolicy", "successPolicy"):
        return value
    one = _failure_values if field == "podFailurePolicy" else _success_values
    return {"Rules": [one(rule) for rule in value.get("rules") or []]}


def _failure_values(rule: Manifest) -> Manifest:
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions")
    return {
        "Action": rule.get("action") or "",
        "OnExitCodes": None
        if codes is None
        else {
            "ContainerName": codes.get("containerName"),
            "Operator": codes.get("operator") or "",
            "Values": codes.get("values"),
        },
        "OnPodConditions": None
        if patterns is None
        else [{"Type": item.get("type") or "", "Status": item.get("status") or ""} for item in patterns],
    }


def _success_values(rule: Manifest) -> Manifest:
    return {"SucceededIndexes": rule.get("succeededIndexes"), "SucceededCount": rule.get("succeededCount")}


def success(path: str, spec: Manifest) -> Errors:
    policy = spec.get("successPolicy")
    if policy is None:
        return
    rules = policy.get("rules") or []
    if spec.get("completionMode") != "Indexed":
        told = [_success_values(rule) for rule in rules] if policy.get("rules") is not None else None
        yield invalid(path, {"Rules": told}, "requires indexed completion mode")
        return
    if not rules:
        yield required(f"{path}.rules", "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > _MAX_RULES:
        yield too_many(f"{path}.rules", len(rules), _MAX_RULES)
    for index, rule in enumerate(rules):
        yield from _success_rule(f"{path}.rules[{index}]", rule, spec.get("completions") or 0)


def _success_rule(path: str, rule: Manifest, completions: int) -> Errors:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        yield required(path, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if indexes is not None:
        if len(indexes) > _MAX_INDEXES:
            yield too_long(f"{path}.succeededIndexes", _MAX_INDEXES)
        try:
            total = count_indexes(indexes, completions)
        except IndexesError as problem:
            yield invalid(f"{path}.succeededIndexes", indexes, f"error parsing succeededIndexes: {problem}")
    if count is None:
        return
    here = f"{path}.succeededCount"
    yield from not_negative(path, rule, "succeededCount")
    if count > completions:
        yield invalid(here, count, f"must be less than or equal to {completions} (the number of specified completions)")
    if indexes is not None and count > total:
        what = "the number of indexes in the specified succeededIndexes field"
        yield invalid(here, count, f"must be less than or equal to {total} ({what})")


class IndexesError(ValueError):
    """Text that is no list of index intervals such as "1,3-5"."""


def count_indexes(text: str, completions: int) -> int:
    """How many indexes the intervals hold (validateIndexesFormat)."""
    total, last = 0, -1
    for interval in text.split(",") if text else []:
        first, final = _interval(interval, completions)
        if last >= first:
            raise IndexesError(f"non-increasing order, previous: {last}, current: {first}")
        total, last = total + final - first + 1, final
    return total


def overlap(left: str, right: str, completions: int) -> int | None:
    """The first index that both lists hold; intervals that cannot be read hold none."""
    one, other = _intervals(left, completions), _intervals(right, completions)
    at, beside = 0, 0
    while at < len(one) and beside < len(other):
        (first, final), (begin, end) = one[at], other[beside]
        if first <= end and begin <= final:
            return max(first, begin)
        if first <= begin:
            at += 1
        else:
            beside += 1
    return None


def _intervals(text: str, completions: int) -> list[tuple[int, int]]:
    found = []
    for interval in text.split(",") if text else []:
        try:
            found.append(_interval(interval, completions))
        except IndexesError:
            continue
    return found


def _interval(text: str, completions: int) -> tuple[int, int]:
    parts = text.split("-")
    if len(parts) > 2:
        rule = "violates the requirement that an index interval can have at most two parts separated by '-'"
        raise IndexesError(f'the fragment "{text}" {rule}')
    ends = [_index(part, completions) for part in parts]
    if len(ends) == 2 and ends[0] >= ends[1]:
        raise IndexesError(f"non-increasing order, previous: {ends[0]}, current: {ends[1]}")
    return ends[0], ends[-1]


def _index(text: str, completions: int) -> int:
    if not re.fullmatch("[0-9]+", text):
        raise IndexesError(f'cannot convert string to integer for index: "{text}"')
    if int(text) >= completions:
        raise IndexesError(f'too large index: "{text}"')
    return int(text)
