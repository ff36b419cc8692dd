"""How a workload replaces its pods: strategy and updateStrategy (pkg/apis/apps/validation/validation.go).

Called by workloads.py with defaulted values.
"""

from __future__ import annotations

import re
from typing import Any

from podlab.apis.field_errors import forbidden, invalid, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import NOT_NEGATIVE, Errors

_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)
_OVER = "must not be greater than 100%"


def int_or_percent(path: str, value: Any) -> Errors:
    if isinstance(value, str):
        if not re.fullmatch("[0-9]+%", value):
            yield invalid(path, value, _PERCENT)
    elif value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def not_over_all(path: str, value: Any) -> Errors:
    if isinstance(value, str) and re.fullmatch("[0-9]+%", value) and int(value[:-1]) > 100:
        yield invalid(path, value, _OVER)


def _amount(value: Any) -> int:
    """The number in front of the percent sign, or the number; what is neither counts as nothing."""
    if isinstance(value, int):
        return value
    return int(value.removesuffix("%")) if re.fullmatch("[0-9]+%?", value) else 0


def _go(strategy: Manifest, *fields: tuple[str, str]) -> Manifest:
    """The strategy as Go's internal struct prints it."""
    rolling = strategy.get("rollingUpdate")
    shown = None if rolling is None else {name: rolling.get(field, 0) for name, field in fields}
    return {"Type": strategy.get("type") or "", "RollingUpdate": shown}


_BOTH = (("MaxUnavailable", "maxUnavailable"), ("MaxSurge", "maxSurge"))


def deployment(path: str, strategy: Manifest) -> Errors:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    here = f"{path}.rollingUpdate"
    if kind == "Recreate":
        if rolling is not None:
            yield forbidden(here, "may not be specified when strategy `type` is 'Recreate'")
    elif kind != "RollingUpdate":
        yield not_supported(path, _go(strategy, *_BOTH), ("Recreate", "RollingUpdate"))
    elif rolling is None:
        yield required(here, "this should be defaulted and never be nil")
    else:
        unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
        yield from int_or_percent(f"{here}.maxUnavailable", unavailable)
        yield from int_or_percent(f"{here}.maxSurge", surge)
        if _amount(unavailable) == 0 and _amount(surge) == 0:
            yield invalid(f"{here}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
        yield from not_over_all(f"{here}.maxUnavailable", unavailable)


def daemon_set(path: str, strategy: Manifest) -> Errors:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    here = f"{path}.rollingUpdate"
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        yield not_supported(path, _go(strategy, *_BOTH), ("RollingUpdate", "OnDelete"))
        return
    if rolling is None:
        yield required(here)
        return
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    for check in (int_or_percent, not_over_all):
        yield from check(f"{here}.maxUnavailable", unavailable)
        yield from check(f"{here}.maxSurge", surge)
    if _amount(unavailable) and _amount(surge):
        yield invalid(f"{here}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    elif not _amount(unavailable) and not _amount(surge):
        yield required(f"{here}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def stateful_set(path: str, strategy: Manifest) -> Errors:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "OnDelete":
        if rolling is not None:
            shown = {"Partition": rolling.get("partition", 0), "MaxUnavailable": None}
            yield invalid(f"{path}.rollingUpdate", shown, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind == "RollingUpdate":
        partition = (rolling or {}).get("partition") or 0
        if partition < 0:
            yield invalid(f"{path}.rollingUpdate.partition", partition, NOT_NEGATIVE)
    else:
        shown = _go(strategy, ("Partition", "partition"))
        if shown["RollingUpdate"] is not None:
            shown["RollingUpdate"]["MaxUnavailable"] = None
        yield invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")
