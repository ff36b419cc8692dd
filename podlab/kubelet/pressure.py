"""Node pressure as decisions: thresholds, which are met, which pod goes first, and the words of an eviction. Pure.

pkg/kubelet/eviction/helpers.go, defaults_linux.go and eviction_manager.go. `eviction_manager` measures and acts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from podlab.apis import pods as pod_facts
from podlab.apis import quantity
from podlab.apis.quantity import NANO, Quantity, QuantityError
from podlab.apis.types import Manifest
from podlab.kubelet import pods

MEMORY, DISK, PIDS = "memory.available", "nodefs.available", "pid.available"
# signal → condition, resource
SIGNALS = {
    MEMORY: ("MemoryPressure", "memory"),
    DISK: ("DiskPressure", "ephemeral-storage"),
    PIDS: ("PIDPressure", "pids"),
}
KUBERNETES_DEFAULT = "memory.available<100Mi,nodefs.available<10%"
HOLD = timedelta(minutes=5)  # evictionPressureTransitionPeriod
CRITICAL_PRIORITY = 2_000_000_000
_STATEMENT = re.compile(r"\s*([a-z.A-Z]+)\s*<\s*([^\s<]+)\s*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """Met while less than `amount` is available; `percent` is of the capacity."""

    signal: str
    amount: str = ""
    percent: float | None = None

    def of(self, capacity: int) -> Quantity:
        if self.percent is not None:
            return Quantity(int(capacity * self.percent / 100) * NANO, _format(self.signal))
        return quantity.parse(self.amount)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a node has now: bytes, or processes."""

    available: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a pod uses: by resource in all, and by container for the words."""

    memory: int = 0
    storage: int = 0
    pids: int = 0
    memory_by_container: Mapping[str, int] | None = None
    storage_by_container: Mapping[str, int] | None = None

    def of(self, resource: str) -> int:
        return {"memory": self.memory, "ephemeral-storage": self.storage}.get(resource, self.pids)


@dataclass(frozen=True, slots=True)
class Victim:
    """`why` names the order that put this pod first."""

    pod: Manifest
    message: str
    why: str


def parse_thresholds(text: str) -> tuple[Threshold, ...]:
    """`memory.available<100Mi,nodefs.available<10%`. Raises ValueError with what is wrong."""
    found: list[Threshold] = []
    for part in filter(str.strip, text.split(",")):
        match = _STATEMENT.fullmatch(part)
        if match is None:
            raise ValueError(f"{part.strip()!r} is not of the form SIGNAL<AMOUNT")
        signal, amount = match.groups()
        if signal not in SIGNALS:
            raise ValueError(f"{signal!r} is not a signal; there are {', '.join(SIGNALS)}")
        if any(one.signal == signal for one in found):
            raise ValueError(f"{signal} is given twice")
        found.append(_threshold(signal, amount))
    return tuple(found)


def _threshold(signal: str, amount: str) -> Threshold:
    if amount.endswith("%"):
        try:
            percent = float(amount[:-1])
        except ValueError:
            percent = -1
        if not 0 < percent < 100:
            raise ValueError(f"{amount!r} of {signal} is not between 0% and 100%")
        return Threshold(signal, percent=percent)
    try:
        parsed = quantity.parse(amount)
    except QuantityError:
        raise ValueError(f"{amount!r} of {signal} is neither an amount nor a percentage") from None
    if parsed.nano <= 0:
        raise ValueError(f"{amount!r} of {signal} must be more than nothing")
    return Threshold(signal, amount=amount)


def met(thresholds: Iterable[Threshold], readings: Mapping[str, Reading]) -> list[Threshold]:
    """Those that ask for an eviction now, memory first (byEvictionPriority)."""
    found = [
        one
        for one in thresholds
        if (reading := readings.get(one.signal)) is not None
        and one.of(reading.capacity).nano > reading.available * NANO
    ]
    return sorted(found, key=lambda one: one.signal != MEMORY)


def held(last_seen: Mapping[str, datetime], now: datetime) -> frozenset[str]:
    """The node conditions that are shown: a pressure stays for a while after it was seen last."""
    return frozenset(condition for condition, at in last_seen.items() if now - at < HOLD)


def is_critical(pod: Manifest) -> bool:
    """Never evicted; static pods are (pkg/kubelet/types/pod_update.go IsCriticalPod)."""
    return pod_facts.is_static(pod) or pod_facts.priority(pod) >= CRITICAL_PRIORITY


def victim(
    threshold: Threshold, reading: Reading, candidates: Sequence[Manifest], usage: Mapping[str, Usage]
) -> Victim | None:
    """The pod that goes first, or None when none may go. `usage` by uid."""
    resource = SIGNALS[threshold.signal][1]
    mortal = [pod for pod in candidates if not is_critical(pod)]
    if not mortal:
        return None
    first = min(mortal, key=lambda pod: (*_rank(resource, pod, usage.get(pods.uid(pod))), pods.title(pod)))
    used = usage.get(pods.uid(first))
    return Victim(first, _message(threshold, reading, first, used), _why(resource, first, used, len(mortal)))


def _rank(resource: str, pod: Manifest, used: Usage | None) -> tuple[int, int, int]:
    """Without a measurement a pod goes first; then what is above its request, the less important, the larger excess."""
    priority = int(pod["spec"].get("priority") or 0)
    if used is None:
        return (-1, priority, 0)
    above = used.of(resource) - _request(pod, resource)
    if resource == "pids":
        return (0, priority, -used.pids)
    return (0 if above > 0 else 1, priority, -above)


def _request(pod: Manifest, resource: str) -> int:
    if resource == "pids":
        return 0
    return Quantity(pod_facts.total_requests(pod).get(resource, 0)).value


def _message(threshold: Threshold, reading: Reading, pod: Manifest, used: Usage | None) -> str:
    resource, form = SIGNALS[threshold.signal][1], _format(threshold.signal)
    available = Quantity(reading.available * NANO, form)
    text = (
        f"The node was low on resource: {resource}. "
        f"Threshold quantity: {threshold.of(reading.capacity)}, available: {available}. "
    )
    by_container = {
        "memory": used.memory_by_container if used is not None else None,
        "ephemeral-storage": used.storage_by_container if used is not None else None,
    }.get(resource)
    for spec in (*pods.init_specs(pod), *pods.app_specs(pod)):
        amount = (by_container or {}).get(spec.name, 0)
        asked = quantity.parse(((spec.manifest.get("resources") or {}).get("requests") or {}).get(resource, "0"))
        if amount * NANO > asked.nano:
            shown = Quantity(amount * NANO, "BinarySI")
            text += (
                f"Container {spec.name} was using {shown}, request is {asked}, has larger consumption of {resource}. "
            )
    return text


def _why(resource: str, pod: Manifest, used: Usage | None, count: int) -> str:
    priority = int(pod["spec"].get("priority") or 0)
    if used is None:
        return f"of {count} pods it is the one that could not be measured"
    if resource == "pids":
        return (
            f"of {count} pods it has the lowest priority ({priority}), and the most processes among those ({used.pids})"
        )
    above = used.of(resource) - _request(pod, resource)
    over = f"{above} bytes above its request" if above > 0 else "within its request, as all the others are"
    return f"of {count} pods it goes first: {over}, priority {priority}"


def limit_complaint(pod: Manifest, used: Usage) -> str:
    """Local storage above what the pod or one container may use (podEphemeralStorageLimitEviction and the next), or ""."""
    limits = pod_facts.total_requests(pod, kind="limits")
    every = all(_limit(spec) is not None for spec in pods.app_specs(pod))
    whole = limits.get("ephemeral-storage")
    if whole is not None and every and used.storage * NANO > whole:
        shown = pod_facts.total_quantities(pod, kind="limits")["ephemeral-storage"]
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {shown}. "
    for spec in (*pods.init_specs(pod), *pods.app_specs(pod)):
        limit = _limit(spec)
        if limit is not None and (used.storage_by_container or {}).get(spec.name, 0) > quantity.value(limit):
            shown_limit = quantity.canonical(limit)
            return f'Container {spec.name} exceeded its local ephemeral storage limit "{shown_limit}". '
    return ""


def has_storage_limit(pod: Manifest) -> bool:
    return any(_limit(spec) is not None for spec in pods.all_specs(pod))


def _limit(spec: pods.Spec) -> str | None:
    found = ((spec.manifest.get("resources") or {}).get("limits") or {}).get("ephemeral-storage")
    return None if found is None else str(found)


def refusal(pod: Manifest, conditions: frozenset[str]) -> str:
    """Why a node under pressure does not let a pod in (Admit of the eviction manager), or ""."""
    if not conditions or is_critical(pod):
        return ""
    if conditions == {"MemoryPressure"}:
        tolerated = any(_tolerates_memory_pressure(one) for one in pod["spec"].get("tolerations") or [])
        if pod_facts.qos_class(pod) != "BestEffort" or tolerated:
            return ""
    return f"The node had condition: [{' '.join(sorted(conditions))}]. "


def _tolerates_memory_pressure(toleration: Manifest) -> bool:
    key = toleration.get("key")
    known = key == "node.kubernetes.io/memory-pressure" or (not key and toleration.get("operator") == "Exists")
    return known and toleration.get("effect") in (None, "", "NoSchedule")


def _format(signal: str) -> quantity.Format:
    return "DecimalSI" if signal == PIDS else "BinarySI"
