"""Finds what has no owner: pods in the runtime that the lab does not know (kubelet_pods.go HandlePodCleanups).

`agent` turns each into a pod without an object, which `terminate` stops with the grace written on its containers and then
removes. Logs of pods that are gone stay: the lab keeps them. Dead containers of living pods are `remember.tidy`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path

from podlab.apis.status_errors import ApiError
from podlab.apis.volume_claims import VOLUMES
from podlab.kubelet import claim_folders, volume_folders
from podlab.registry.client import Client
from podlab.runtime.interface import PodRef, PodStatus
from podlab.storage.errors import StorageError

logger = logging.getLogger(__name__)


def orphans(listing: Mapping[str, PodStatus], known: Container[str]) -> list[PodRef]:
    """Pods that run or ran here although nobody knows them, in a fixed order."""
    return [listing[uid].pod for uid in sorted(listing) if uid not in known]


def remove_orphan_folders(pod_root: Path, known: Callable[[str], bool]) -> list[str]:
    """Volumes of pods that are neither known nor in the runtime; returns their uids."""
    if not pod_root.is_dir():
        return []
    stale = sorted(entry.name for entry in pod_root.iterdir() if entry.is_dir() and not known(entry.name))
    for uid in stale:
        volume_folders.remove_pod(pod_root / uid)
    return stale


def sweep_pods(roots: Iterable[Path | None], known: Container[str]) -> None:
    """Volumes of pods that went away while no agent was here. None: a place that this node does not have."""
    for root in roots:
        if root is not None:
            remove_orphan_folders(root, lambda uid: uid in known)


def sweep_claims(root: Path, client: Client) -> None:
    """Folders of claims' volumes that were deleted: the controllers take the objects away, the node its files."""

    def names() -> frozenset[str]:
        return frozenset(item.key.name for item in client.list(VOLUMES, None).items)

    try:
        claim_folders.remove(claim_folders.left_over(root, names))
    except (ApiError, StorageError) as error:
        logger.warning("%s is not tidied now: %s", root, error)
