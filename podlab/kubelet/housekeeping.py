"""Finds what has no owner: pods in the runtime that the lab does not know (kubelet_pods.go HandlePodCleanups).

`agent` turns each into a pod without an object, which `terminate` stops with the grace written on its containers and then
removes. Logs of pods that are gone stay: the lab keeps them. Dead containers of living pods are `remember.tidy`'s.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Container, Mapping
from pathlib import Path

from podlab.runtime.interface import PodRef, PodStatus


def orphans(listing: Mapping[str, PodStatus], known: Container[str]) -> list[PodRef]:
    """Pods that run or ran here although nobody knows them, in a fixed order."""
    return [listing[uid].pod for uid in sorted(listing) if uid not in known]


def remove_orphan_folders(pod_root: Path, known: Callable[[str], bool]) -> list[str]:
    """Volumes of pods that are neither known nor in the runtime; returns their uids."""
    if not pod_root.is_dir():
        return []
    stale = sorted(entry.name for entry in pod_root.iterdir() if entry.is_dir() and not known(entry.name))
    for uid in stale:
        shutil.rmtree(pod_root / uid, ignore_errors=True)
    return stale
