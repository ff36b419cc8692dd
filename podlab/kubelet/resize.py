"""In-place resize as decisions: what a pod's containers are allocated, whether a wish fits the node, what is still to do.

pkg/kubelet/allocation (allocation_manager.go, the resize part of lifecycle/predicate.go), events/resize.go for the texts.
Pure; `resizing` carries out. An allocation holds, by container name, the resources block that the node has granted: it
lags behind the spec while a resize is pending, and what a running container has lags behind it while one is in progress.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from podlab.apis import pods as pod_facts
from podlab.apis import quantity
from podlab.apis.types import Manifest
from podlab.kubelet import pods
from podlab.kubelet.plan import ToKill, ToResize
from podlab.runtime.interface import ContainerResources, ContainerStatus, MachineInfo

Allocation = Mapping[str, Manifest]
DEFERRED, INFEASIBLE, ERROR = "Deferred", "Infeasible", "Error"
RESOURCES = ("cpu", "memory")
_BLOCKS = ("limits", "requests")


@dataclass(frozen=True, slots=True)
class Pending:
    """A wish that does not fit: `reason` Deferred (not now) or Infeasible (never on this node)."""

    reason: str
    message: str
    generation: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A resize that was granted in `generation`; `error` is what keeps it from being done."""

    generation: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What one running container needs: `restart` when its resizePolicy says so for something that changes."""

    wanted: Manifest
    restart: bool
    why: str


def wanted(pod: Manifest) -> dict[str, Manifest]:
    """The resources of every container that can be resized, as the spec has them."""
    return {spec.name: _block(spec.manifest.get("resources")) for spec in _allocated(pod)}


def remembered(pod: Manifest) -> dict[str, Manifest]:
    """The allocation of a pod whose agent was replaced, from what the last one wrote into the status: requests as
    allocated, limits as the container has them. Without a resize under way that is the spec's."""
    status = pod.get("status") or {}
    seen = status.get("observedGeneration", pod["metadata"].get("generation"))
    settled = seen == pod["metadata"].get("generation") and pending_in(pod) is None
    found = wanted(pod)
    for spec in [] if settled else _allocated(pod):
        old = pods.old_status(pod, spec)
        if old is None or "resources" not in old:
            continue
        block = dict(old["resources"])
        if old.get("allocatedResources"):
            block["requests"] = dict(old["allocatedResources"])
        found[spec.name] = _block(block)
    return found


def pending_in(pod: Manifest) -> Pending | None:
    held = pod_facts.get_condition((pod.get("status") or {}).get("conditions"), "PodResizePending")
    if held is None:
        return None
    return Pending(held.get("reason", ""), held.get("message", ""), int(held.get("observedGeneration") or 0))


def progress_in(pod: Manifest) -> Progress | None:
    held = pod_facts.get_condition((pod.get("status") or {}).get("conditions"), "PodResizeInProgress")
    if held is None:
        return None
    return Progress(int(held.get("observedGeneration") or 0), held.get("message", ""))


def with_allocation(pod: Manifest, allocation: Allocation) -> Manifest:
    """The pod as the node runs it: its containers with the resources that were granted."""
    if not differs(wanted(pod), allocation):
        return pod
    spec = dict(pod["spec"])
    for field in ("initContainers", "containers"):
        if spec.get(field):
            spec[field] = [
                {**one, "resources": allocation[one["name"]]} if one["name"] in allocation else one
                for one in spec[field]
            ]
    return {**pod, "spec": spec}


def differs(one: Allocation, other: Allocation) -> bool:
    """Amounts are compared, not their notation."""
    return any(amounts(block) != amounts(other.get(name) or {}) for name, block in one.items())


def amounts(block: Manifest) -> dict[tuple[str, str], int]:
    """Nanos of cpu and memory by ("limits" | "requests", resource)."""
    return {
        (kind, name): quantity.parse(text).nano
        for kind in _BLOCKS
        for name, text in (block.get(kind) or {}).items()
        if name in RESOURCES
    }


def verdict(pod: Manifest, others: Iterable[Manifest], machine: MachineInfo) -> Pending | None:
    """Why the node does not grant what the spec asks for, or None. `others` are the other pods as they are allocated."""
    generation = int(pod["metadata"].get("generation") or 0)
    asked = pod_facts.effective_requests(pod)
    table = (
        ("memory", asked.memory_bytes, machine.memory_bytes),
        ("cpu", asked.cpu_milli, machine.cpu_milli),
    )
    for name, amount, capacity in table:
        if amount > capacity:
            text = f"Node didn't have enough capacity: {name}, requested: {amount}, capacity: {capacity}"
            return Pending(INFEASIBLE, text, generation)
    held = [pod_facts.effective_requests(other) for other in others]
    used = {"cpu": sum(one.cpu_milli for one in held), "memory": sum(one.memory_bytes for one in held)}
    for name, amount, capacity in reversed(table):
        if amount and amount > capacity - used[name]:
            text = f"Node didn't have enough resource: {name}, requested: {amount}, used: {used[name]}, capacity: {capacity}"
            return Pending(DEFERRED, text, generation)
    return None


def change(spec: pods.Spec, actual: Manifest) -> Change | None:
    """What is to be done to a running container that has `actual`; `spec` carries its allocation."""
    asked = _block(spec.manifest.get("resources"))
    before, after = amounts(actual), amounts(asked)
    changed = sorted({name for _, name in before.keys() | after.keys() if _of(before, name) != _of(after, name)})
    if not changed:
        return None
    policies = {one["resourceName"]: one["restartPolicy"] for one in spec.manifest.get("resizePolicy") or []}
    restart = [name for name in changed if policies.get(name) == "RestartContainer"]
    said = f"its {' and '.join(changed)} was resized"
    if restart:
        return Change(asked, True, f"{said}, and resizePolicy of {restart[0]} is RestartContainer")
    return Change(asked, False, f"{said}, and resizePolicy does not ask for a restart")


def look_at_resources(
    pod: Manifest,
    spec: pods.Spec,
    status: ContainerStatus,
    known: Mapping[str, Manifest],
    resizes: list[ToResize],
) -> ToKill | None:
    """The kill that a resize asks for, or None; what needs none is added to `resizes` (computePodResizeAction)."""
    found = change(spec, actual(status, known, pod, spec))
    if found is None:
        return None
    if not found.restart:
        resizes.append(ToResize(id=status.id, name=spec.name, wanted=found.wanted, why=found.why))
        return None
    message = f"Container {spec.name} resize requires restart"
    return ToKill(id=status.id, name=spec.name, cause="resized", message=message, why=found.why, restart=True)


def actual(status: ContainerStatus, known: Mapping[str, Manifest], pod: Manifest, spec: pods.Spec) -> Manifest:
    """What a running container has: as we gave it, or as the last agent said in the status, or as it is allocated."""
    if status.id in known:
        return known[status.id]
    old = pods.old_status(pod, spec)
    if old is not None and str(old.get("containerID") or "").endswith(f"://{status.id}") and "resources" in old:
        return _block(old["resources"])
    return _block(spec.manifest.get("resources"))


def engine_values(block: Manifest) -> ContainerResources:
    """The runtime's terms for a resources block."""
    limits, requests = block.get("limits") or {}, block.get("requests") or {}
    return ContainerResources(
        cpu_request_milli=quantity.milli(requests["cpu"]) if requests.get("cpu") else 0,
        cpu_limit_milli=quantity.milli(limits["cpu"]) if limits.get("cpu") else 0,
        memory_limit=quantity.value(limits["memory"]) if limits.get("memory") else 0,
    )


def conditions(pending: Pending | None, progress: Progress | None) -> list[Manifest]:
    """PodResizePending and PodResizeInProgress, without times; they stand before the other conditions."""
    made: list[Manifest] = []
    if pending is not None:
        made.append(_condition("PodResizePending", pending.generation, pending.reason, pending.message))
    if progress is not None:
        reason = ERROR if progress.error else ""
        made.append(_condition("PodResizeInProgress", progress.generation, reason, progress.error))
    return made


def pod_resources(pod: Manifest, statuses: Iterable[Manifest]) -> Manifest:
    """The pod's own allocatedResources and resources: what its containers add up to. A limit holds for the pod only when
    every container has one."""
    blocks = {entry["name"]: entry.get("resources") or {} for entry in statuses}
    shown: Manifest = {}
    if allocated := _written(pod_facts.total_quantities(pod)):
        shown["allocatedResources"] = allocated
    running = with_allocation(pod, {spec.name: blocks.get(spec.name, {}) for spec in _resizable(pod)})
    limited = [set((spec.manifest.get("resources") or {}).get("limits") or {}) for spec in _resizable(running)]
    everywhere = set.intersection(*limited) if limited else set()
    limits = _written(pod_facts.total_quantities(running, kind="limits"))
    parts = {
        "limits": {name: text for name, text in limits.items() if name in everywhere},
        "requests": _written(pod_facts.total_quantities(running)),
    }
    if any(parts.values()):
        shown["resources"] = {kind: values for kind, values in parts.items() if values}
    return shown


def _written(totals: Mapping[str, quantity.Quantity]) -> Manifest:
    return {name: str(amount) for name, amount in totals.items() if amount.nano}


def summary(prefix: str, pod: Manifest, generation: int, error: str = "") -> str:
    """The text of a resize event: `prefix` and the resources of the pod's containers as JSON."""
    told: dict[str, Any] = {}
    for field in ("initContainers", "containers"):
        entries = [_entry(spec) for spec in _resizable(pod) if spec.list_name == field]
        if entries:
            told[field] = entries
    told["generation"] = generation
    if error:
        told["error"] = error
    return f"{prefix}: {json.dumps(told, separators=(',', ':'), ensure_ascii=False)}"


def shrinks_below_usage(name: str, now: Manifest, wish: Manifest, used: int) -> str:
    """The complaint about a memory limit that is lowered below what the container uses (kuberuntime_manager.go), or ""."""
    before, limit = engine_values(now).memory_limit, engine_values(wish).memory_limit
    if not limit or (before and limit >= before) or used < limit:
        return ""
    return (
        "cannot decrease memory limits: attempting to set container "
        f'"{name}" memory limit ({limit}) below current usage ({used})'
    )


def _entry(spec: pods.Spec) -> Manifest:
    block = spec.manifest.get("resources") or {}
    shown = {kind: dict(sorted(block[kind].items())) for kind in _BLOCKS if block.get(kind)}
    return {"name": spec.name, "resources": shown}


def _of(held: Mapping[tuple[str, str], int], name: str) -> tuple[int, int]:
    return held.get(("limits", name), 0), held.get(("requests", name), 0)


def _condition(kind: str, generation: int, reason: str, message: str) -> Manifest:
    made: Manifest = {"type": kind, "status": "True", "observedGeneration": generation}
    return made | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})


def _allocated(pod: Manifest) -> list[pods.Spec]:
    """Also init containers that end can be resized (InPlacePodVerticalScalingInitContainers)."""
    return [*pods.init_specs(pod), *pods.app_specs(pod)]


def _resizable(pod: Manifest) -> list[pods.Spec]:
    return [*pods.sidecar_specs(pod), *pods.app_specs(pod)]


def _block(resources: Manifest | None) -> Manifest:
    return {kind: dict(values) for kind, values in (resources or {}).items() if values}
