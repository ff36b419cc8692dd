"""Pods that use more local storage than they may: emptyDir volumes above their sizeLimit, pods and containers above their
limit of ephemeral storage. `agent` asks every ten seconds.

pkg/kubelet/eviction/eviction_manager.go localStorageEviction. What a whole node lacks is `eviction_manager`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from podlab.apis import quantity, reasons
from podlab.apis.types import Manifest
from podlab.kubelet import pods, pressure
from podlab.kubelet.context import Context, PodState, Stage
from podlab.kubelet.pressure import Usage
from podlab.kubelet.status import Forced
from podlab.kubelet.volume_folders import Folders, limited, used_bytes
from podlab.logs import layout
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import ContainerState

CHECK_SECONDS = 10.0
GRACE = 1  # immediateEvictionGracePeriodSeconds
_WHY = f"local storage is measured every {CHECK_SECONDS:g} s; a pod above its limit fails, and its containers have {GRACE} s to end"


def complaint(pod: Manifest, folders: Folders, used: Callable[[Path], int] = used_bytes) -> str:
    """The text of the eviction, or "" while every volume is within its limit. `used`: bytes below a folder."""
    for volume in limited(pod):
        limit = str(volume["emptyDir"]["sizeLimit"])
        if used(folders.of(volume)) > quantity.value(limit):
            shown = quantity.canonical(limit)
            return f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{shown}". '
    return ""


def has_limit(state: PodState) -> bool:
    """The pod is alive and may be evicted for what it writes."""
    if state.pod is None or state.stage is not Stage.SYNC:
        return False
    return pressure.has_storage_limit(state.pod) or next(limited(state.pod), None) is not None


def look_at(ctx: Context, state: PodState) -> bool:
    """Begin the eviction of a pod if it is due; True asks for a sync."""
    pod = state.pod
    if pod is None or state.stage is not Stage.SYNC or not state.mounted or pods.deletion_time(pod) is not None:
        return False
    text = complaint(pod, ctx.folders(state.ref.uid), _measure(ctx))
    if not text and pressure.has_storage_limit(pod):
        used = usage_of(ctx, state)
        text = pressure.limit_complaint(pod, used) if used is not None else ""
    if not text or state.forced is not None:
        return False
    ctx.recorder.event(pod, reasons.WARNING, reasons.EVICTED, text, why=_WHY)
    state.forced, state.grace = Forced(reasons.EVICTED, text, unless_succeeded=True), GRACE
    return True


def usage_of(ctx: Context, state: PodState) -> Usage | None:
    """What a pod uses now; None when it cannot be measured."""
    pod = state.pod
    if pod is None:
        return None
    memory: dict[str, int] = {}
    storage: dict[str, int] = {}
    pids = 0
    try:
        for one in ctx.observe(state.ref).containers:
            written = ctx.runtime.written_bytes(one.id)
            logs = layout.pod_folder(ctx.log_root, state.ref) / one.name
            storage[one.name] = storage.get(one.name, 0) + written
            if one.state is not ContainerState.RUNNING:
                continue
            storage[one.name] += used_bytes(logs)
            stats = ctx.runtime.stats(one.id)
            if stats is not None:
                memory[one.name] = stats.memory_bytes
                pids += stats.pids
    except RuntimeFailure:
        return None
    volumes = _volumes(pod, ctx.folders(state.ref.uid), _measure(ctx))
    return Usage(
        memory=sum(memory.values()),
        storage=sum(storage.values()) + volumes,
        pids=pids,
        memory_by_container=memory,
        storage_by_container=storage,
    )


def _measure(ctx: Context) -> Callable[[Path], int]:
    places = ctx.places
    if places is not None:
        return lambda folder: places.volume_bytes(str(folder))
    return (lambda folder: 0) if ctx.machine.simulated else used_bytes


def _volumes(pod: Manifest, folders: Folders, used: Callable[[Path], int]) -> int:
    """The pod's own volumes on disk; those in memory count as memory."""
    mine = [v for v in pod["spec"].get("volumes") or [] if "emptyDir" in v or "configMap" in v]
    return sum(used(folders.of(v)) for v in mine if (v.get("emptyDir") or {}).get("medium") != "Memory")
