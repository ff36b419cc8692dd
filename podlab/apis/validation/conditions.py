"""Conditions of the common form, metav1.Condition (apimachinery/pkg/apis/meta/v1/validation, ValidateConditions)."""

from __future__ import annotations

import re

from podlab.apis import names
from podlab.apis.field_errors import duplicate, invalid, required, too_long
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, by_rule, one_of

_STATUSES = ("False", "True", "Unknown")
_REASON_MAX, _MESSAGE_MAX = 1024, 32 * 1024
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"


def conditions(path: str, given: list[Manifest]) -> Errors:
    """Types are unique, and each condition is whole."""
    seen: set[str] = set()
    for index, item in enumerate(given):
        kind = item.get("type") or ""
        if kind in seen:
            yield duplicate(f"{path}[{index}].type", kind)
        seen.add(kind)
        yield from _condition(f"{path}[{index}]", item)


def _condition(path: str, item: Manifest) -> Errors:
    yield from by_rule(f"{path}.type", item.get("type") or "", names.qualified_name)
    yield from one_of(f"{path}.status", item.get("status") or "", _STATUSES)
    seen = item.get("observedGeneration") or 0
    if seen < 0:
        yield invalid(f"{path}.observedGeneration", seen, "must be greater than or equal to zero")
    if not item.get("lastTransitionTime"):
        yield required(f"{path}.lastTransitionTime")
    reason = item.get("reason") or ""
    if not reason:
        yield required(f"{path}.reason")
    else:
        if not re.fullmatch(_REASON, reason):
            text = (
                "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
                "characters or '_,:', and must end with an alphanumeric character or '_'"
            )
            examples = "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB'"
            yield invalid(
                f"{path}.reason", reason, f"{text} (e.g. {examples}, regex used for validation is '{_REASON}')"
            )
        if len(reason.encode()) > _REASON_MAX:
            yield too_long(f"{path}.reason", _REASON_MAX)
    if len((item.get("message") or "").encode()) > _MESSAGE_MAX:
        yield too_long(f"{path}.message", _MESSAGE_MAX)
