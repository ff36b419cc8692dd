"""Static pods: the annotations, names and uids by which a file on a node and its mirror in the API know each other.

pkg/kubelet/config/common.go, pkg/kubelet/types/pod_update.go, pkg/kubelet/pod/mirror_client.go. The kubelet makes them;
whoever looks for the containers, logs or runs of a pod asks `runtime_uid`. Pure.
"""

from __future__ import annotations

import hashlib
import json

from podlab.apis.types import Manifest

SOURCE = "kubernetes.io/config.source"
HASH = "kubernetes.io/config.hash"
SEEN = "kubernetes.io/config.seen"
MIRROR = "kubernetes.io/config.mirror"
FILE = "file"
_HALF = 16


def uid(pod: Manifest, node: str, file: str) -> str:
    """32 hex digits that change with everything in the file. The first half belongs to namespace and name, so that an
    annotation cannot lead to another pod's containers."""
    meta = pod["metadata"]
    text = json.dumps([pod, node, file], sort_keys=True, default=str)
    return _own_half(meta["namespace"], meta["name"]) + hashlib.sha256(text.encode()).hexdigest()[:_HALF]


def mirrored_uid(pod: Manifest) -> str:
    """The uid of the static pod that this pod says it mirrors, "" if it mirrors none that could be."""
    meta = pod.get("metadata") or {}
    found = str((meta.get("annotations") or {}).get(MIRROR) or "")
    own = _own_half(str(meta.get("namespace") or ""), str(meta.get("name") or ""))
    plausible = len(found) == 2 * _HALF and found.startswith(own) and all(one in "0123456789abcdef" for one in found)
    return found if plausible else ""


def runtime_uid(pod: Manifest) -> str:
    """The uid under which the node runs a pod of the API, keeps its logs and tells its history (TranslatePodUID)."""
    return mirrored_uid(pod) or str((pod.get("metadata") or {}).get("uid") or "")


def _own_half(namespace: str, name: str) -> str:
    return hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:_HALF]
