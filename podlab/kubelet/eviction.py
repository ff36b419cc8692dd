"""Pods that use more local storage than they may: emptyDir volumes above their sizeLimit. `agent` asks every ten seconds.

pkg/kubelet/eviction/eviction_manager.go localStorageEviction. Node pressure is not watched: a lab shares its machine.
"""

from __future__ import annotations

from podlab.apis import quantity, reasons
from podlab.apis.types import Manifest
from podlab.kubelet import pods
from podlab.kubelet.context import Context, PodState, Stage
from podlab.kubelet.status import Forced
from podlab.kubelet.volume_folders import Folders, limited, used_bytes

CHECK_SECONDS = 10.0
GRACE = 1  # immediateEvictionGracePeriodSeconds


def complaint(pod: Manifest, folders: Folders) -> str:
    """The text of the eviction, or "" while every volume is within its limit."""
    for volume in limited(pod):
        limit = str(volume["emptyDir"]["sizeLimit"])
        if used_bytes(folders.of(volume)) > quantity.value(limit):
            shown = quantity.canonical(limit)
            return f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{shown}". '
    return ""


def look_at(ctx: Context, state: PodState) -> bool:
    """Begin the eviction of a pod if it is due; True asks for a sync."""
    pod = state.pod
    if pod is None or state.stage is not Stage.SYNC or not state.mounted or pods.deletion_time(pod) is not None:
        return False
    text = complaint(pod, ctx.folders(state.ref.uid))
    if not text or state.forced is not None:
        return False
    ctx.recorder.event(pod, reasons.WARNING, reasons.EVICTED, text, why="it was looked at, as every ten seconds")
    state.forced, state.grace = Forced(reasons.EVICTED, text, unless_succeeded=True), GRACE
    return True
