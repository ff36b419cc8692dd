"""pods/binding: how a pod gets its node. Called by `client.Client.bind`.

Source: pkg/registry/core/pod/storage/storage.go (BindingREST).
"""

from __future__ import annotations

from collections.abc import Mapping

from podlab.apis import pods, status_errors
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.operations import Context, copy_of
from podlab.registry.updating import CONFLICT_ATTEMPTS, storage_conflict
from podlab.storage import store
from podlab.storage.errors import NotStored, StaleWrite
from podlab.storage.store import Stored

_SUBRESOURCE = "pods/binding"


def bind(ctx: Context, node: str, *, uid: str | None, annotations: Mapping[str, str]) -> Stored | None:
    """Assign the pod to `node`. None for a dry run."""
    if not node:
        raise status_errors.plain_failure("target.name: Required value")
    for _ in range(CONFLICT_ATTEMPTS):
        current = store.get(ctx.key)
        if current is None:
            raise status_errors.not_found(ctx.resource, ctx.name)
        if uid and uid != current.uid:
            raise storage_conflict(ctx, uid, current)
        pod = copy_of(current.obj)
        _assign(ctx, pod, node, annotations)
        if ctx.options.dry_run:
            return None
        try:
            tidy = metadata.tidy(pod)
            return store.update(ctx.key, tidy, expect=current.revision, at=ctx.now, actor=ctx.actor, why=ctx.why)
        except StaleWrite:
            continue
        except NotStored as error:
            raise status_errors.not_found(ctx.resource, ctx.name) from error
    raise status_errors.conflict(_SUBRESOURCE, ctx.name)


def _assign(ctx: Context, pod: Manifest, node: str, annotations: Mapping[str, str]) -> None:
    """setPodNodeAndMetadata: refused when the pod is going or has a node."""
    meta, spec = metadata.of(pod), pod["spec"]
    if meta.get("deletionTimestamp"):
        raise _refused(ctx, f"pod {ctx.name} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        raise _refused(ctx, f'pod {ctx.name} is already assigned to node "{spec["nodeName"]}"')
    if spec.get("schedulingGates"):
        raise _refused(ctx, f"pod {ctx.name} has non-empty .spec.schedulingGates")
    spec["nodeName"] = node
    if annotations:
        meta.setdefault("annotations", {}).update(annotations)
    conditions = pod.setdefault("status", {}).setdefault("conditions", [])
    pods.set_condition(conditions, "PodScheduled", "True", now=ctx.now, probed=True)


def _refused(ctx: Context, text: str) -> status_errors.ApiError:
    return status_errors.conflict(_SUBRESOURCE, ctx.name, text)
