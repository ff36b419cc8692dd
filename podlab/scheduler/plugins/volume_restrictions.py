"""A claim that only one pod may use (framework/plugins/volumerestrictions, ReadWriteOncePod)."""

from __future__ import annotations

from podlab.apis import volume_claims as facts
from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins.interface import Rejection
from podlab.scheduler.plugins.volume_binding import Storage

REASON = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"


def check(pod: Manifest, node: NodeInfo, storage: Storage) -> Rejection | None:
    for use in facts.uses(pod):
        modes = (storage.claims[use.claim].get("spec") or {}).get("accessModes") or []
        if "ReadWriteOncePod" in modes and storage.in_use.get(use.claim):
            return Rejection((REASON,), resolvable=True)
    return None
