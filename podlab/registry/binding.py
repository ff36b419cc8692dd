"""pods/binding: how a pod gets its node. Called by `client.Client.bind`.

Source: pkg/registry/core/pod/storage/storage.go (BindingREST).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as with_changes

from podlab.apis import field_errors, pods, status_errors
from podlab.apis.kinds_core import BINDINGS
from podlab.apis.types import Manifest
from podlab.registry import decoding, metadata
from podlab.registry.operations import Context, copy_of
from podlab.registry.updating import CONFLICT_ATTEMPTS, revision_conflict, storage_conflict
from podlab.storage import store
from podlab.storage.errors import NotStored, StaleWrite
from podlab.storage.store import Stored

_SUBRESOURCE = "pods/binding"
_TARGETS = ("Node", "<empty>")


def bind_as_told(ctx: Context, given: Manifest) -> tuple[str, ...]:
    """What a client's Binding says. Its mistakes are bare Go errors in Kubernetes, and so answered with 500. Returns
    warnings about the request."""
    as_binding = with_changes(ctx, resource=BINDINGS)
    body, warnings = decoding.check_body(as_binding, given)
    metadata.check_namespace(as_binding, body)
    meta, target = metadata.of(body), body.get("target") or {}
    if metadata.name_of(body) != ctx.name:
        raise status_errors.bad_request("name in URL does not match name in Binding object")
    errors = []
    if target.get("kind") and target["kind"] != "Node":
        errors.append(field_errors.not_supported("target.kind", target["kind"], _TARGETS))
    if not target.get("name"):
        errors.append(field_errors.required("target.name"))
    if errors:
        raise status_errors.plain_failure(field_errors.aggregate(errors))
    bind(
        ctx,
        target["name"],
        uid=meta.get("uid"),
        revision=meta.get("resourceVersion"),
        annotations=meta.get("annotations") or {},
        labels=meta.get("labels") or {},
    )
    return warnings


def bind(
    ctx: Context,
    node: str,
    *,
    uid: str | None,
    annotations: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
    revision: str | None = None,
) -> Stored | None:
    """Assign the pod to `node`. None for a dry run."""
    if not node:
        raise status_errors.plain_failure("target.name: Required value")
    for _ in range(CONFLICT_ATTEMPTS):
        current = store.get(ctx.key)
        if current is None:
            raise status_errors.not_found(ctx.resource, ctx.name)
        if uid and uid != current.uid:
            raise storage_conflict(ctx, uid, current)
        if revision and revision != str(current.revision):
            raise revision_conflict(ctx, revision, current)
        pod = copy_of(current.obj)
        _assign(ctx, pod, node, annotations)
        if labels:  # PodTopologyLabelsAdmission
            metadata.of(pod)["labels"] = {**(metadata.of(pod).get("labels") or {}), **labels}
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
    status = pod.setdefault("status", {})
    status.pop("nominatedNodeName", None)  # ClearingNominatedNodeNameAfterBinding, on since 1.35
    conditions = status.setdefault("conditions", [])
    pods.set_condition(conditions, "PodScheduled", "True", now=ctx.now, probed=True)


def _refused(ctx: Context, text: str) -> status_errors.ApiError:
    return status_errors.conflict(_SUBRESOURCE, ctx.name, text)
