"""The mirror of a static pod in the API: made when it is missing, made anew when somebody deletes it, gone with the file.

pkg/kubelet/pod/mirror_client.go and SyncPod in kubelet.go. A static pod lives without its mirror: what the API refuses or
cannot take now is tried again later and keeps nothing from running.
"""

from __future__ import annotations

import copy
import logging
from datetime import timedelta

from podlab.apis import static_pods
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.kubelet.context import Context, PodState
from podlab.storage.errors import StorageError

logger = logging.getLogger(__name__)

_RETRY = timedelta(seconds=10)
# Between the end of a mirror and the next one, so that who watches sees that it was gone.
_BETWEEN = timedelta(milliseconds=50)


def reconcile(ctx: Context, state: PodState) -> None:
    """Have one mirror that nobody deletes."""
    if state.pod is None or state.removed:
        return
    try:
        if state.mirror is not None and state.mirror["metadata"].get("deletionTimestamp"):
            _remove(ctx, state, "its mirror was deleted: the kubelet lets it go and makes another one")
            state.wake_at(ctx.clock.now() + _BETWEEN)
        elif state.mirror is None:
            _create(ctx, state)
    except (ApiError, StorageError) as error:
        logger.warning("mirror of static pod %s/%s: %s", state.ref.namespace, state.ref.name, error)
        state.wake_at(ctx.clock.now() + _RETRY)


def drop(ctx: Context, state: PodState) -> None:
    """The static pod is over; raises when the API does not answer."""
    if state.mirror is not None:
        _remove(ctx, state, "the file of this static pod was removed or changed")


def remove_orphan(ctx: Context, mirror: Manifest) -> None:
    """A mirror whose static pod is not here (DeleteOrphanedMirrorPods)."""
    meta = mirror["metadata"]
    try:
        why = "no file of this node has the static pod that it mirrors"
        ctx.client.delete("pods", meta["namespace"], meta["name"], grace=0, uid=meta["uid"], why=why)
    except (ApiError, StorageError) as error:
        logger.info("orphaned mirror %s/%s: %s", meta["namespace"], meta["name"], error)


def _create(ctx: Context, state: PodState) -> None:
    assert state.pod is not None
    node = ctx.client.get("nodes", "", ctx.node).obj
    made = {name: copy.deepcopy(state.pod[name]) for name in ("apiVersion", "kind", "metadata", "spec")}
    meta = made["metadata"]
    meta["annotations"][static_pods.MIRROR] = meta.pop("uid")
    meta["ownerReferences"] = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "name": ctx.node,
            "uid": node["metadata"]["uid"],
            "controller": True,
        }
    ]
    why = "the mirror of a static pod, for everybody to see it"
    written = ctx.client.create("pods", made, namespace=state.ref.namespace, why=why)
    state.mirror = written.obj


def _remove(ctx: Context, state: PodState, why: str) -> None:
    assert state.mirror is not None
    meta = state.mirror["metadata"]
    try:
        ctx.client.delete("pods", meta["namespace"], meta["name"], grace=0, uid=meta["uid"], why=why)
    except ApiError as error:
        if error.code not in (404, 409):
            raise
    state.mirror = None
