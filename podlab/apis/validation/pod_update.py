"""What may change on a pod (ValidatePodUpdate in core validation); its status is in pod_status.py."""

from __future__ import annotations

import copy

from podlab.apis import names
from podlab.apis.field_errors import forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import differences, metadata, pod, pod_annotations
from podlab.apis.validation.rules import MAX_INT32, Errors

ADD_OR_REMOVE = "pod updates may not add or remove containers"
ONLY = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate(new: Manifest, old: Manifest) -> Errors:
    meta, old_meta = new.get("metadata") or {}, old.get("metadata") or {}
    yield from pod.validate(new)
    yield from metadata.validate_update(meta, old_meta)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    annotations, former = meta.get("annotations") or {}, old_meta.get("annotations") or {}
    yield from pod_annotations.update("metadata.annotations", annotations, former, spec)
    for field in ("containers", "initContainers"):
        if len(spec.get(field) or []) != len(before.get(field) or []):
            yield forbidden(f"spec.{field}", ADD_OR_REMOVE)
            return
        yield from _images(f"spec.{field}", spec.get(field) or [])
    late = list(_deadline(spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")))
    yield from late
    if late:
        return
    yield from _tolerations(spec, before, gone=bool(old_meta.get("deletionTimestamp")))
    gate_errors = list(_gates(spec.get("schedulingGates") or [], before.get("schedulingGates") or []))
    yield from gate_errors
    if not gate_errors and (munged := _munged(spec, before)) != before:
        yield forbidden("spec", f"{ONLY}\n{differences.of_pods(before, munged)}")


def _images(path: str, containers: list[Manifest]) -> Errors:
    """Looked at a second time for an update (ValidateContainerUpdates)."""
    for index, item in enumerate(containers):
        image = item.get("image") or ""
        if not image:
            yield required(f"{path}[{index}].image")
        if image != image.strip():
            yield invalid(f"{path}[{index}].image", image, "must not have leading or trailing whitespace")


def _deadline(new: int | None, old: int | None) -> Errors:
    path = "spec.activeDeadlineSeconds"
    if new is not None:
        if not 0 <= new <= MAX_INT32:
            yield invalid(path, new, names.between(0, MAX_INT32))
        elif old is not None and new > old:
            yield invalid(path, new, "must be less than or equal to previous value")
    elif old is not None:
        yield invalid(path, None, "must not update from a positive integer to nil value")


def _tolerations(new: Manifest, old: Manifest, *, gone: bool) -> Errors:
    def same(left: Manifest, right: Manifest) -> bool:
        return {**left, "tolerationSeconds": 0} == {**right, "tolerationSeconds": 0}

    given = new.get("tolerations") or []
    if gone:
        return
    for item in old.get("tolerations") or []:
        if not any(same(item, other) for other in given):
            detail = "existing toleration can not be modified except its tolerationSeconds"
            yield forbidden("spec.tolerations", detail)
            return


def _gates(new: list[Manifest], old: list[Manifest]) -> Errors:
    known = {gate.get("name") or "" for gate in old}
    for index, gate in enumerate(new):
        name = gate.get("name") or ""
        if name not in known:
            here = f"spec.schedulingGates[{index}].name"
            yield forbidden(here, f"only deletion is allowed, but found new scheduling gate '{name}'")


def _munged(new: Manifest, old: Manifest) -> Manifest:
    """The new spec with everything that may change put back; what still differs may not."""
    munged = copy.deepcopy(new)
    for field in ("containers", "initContainers"):
        for item, before in zip(munged.get(field) or [], old.get(field) or [], strict=True):
            if "image" in before:
                item["image"] = before["image"]
    for field in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        _restore(munged, old, field)
    if (old.get("terminationGracePeriodSeconds") or 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        _restore(munged, old, "terminationGracePeriodSeconds")
    if old.get("schedulingGates"):
        _tighten(munged, old)
    return munged


def _restore(munged: Manifest, old: Manifest, field: str) -> None:
    if field in old:
        munged[field] = old[field]
    else:
        munged.pop(field, None)


def _tighten(munged: Manifest, old: Manifest) -> None:
    """A gated pod may narrow its node selector, and be given a node affinity where it had none."""
    have, before = munged.get("nodeSelector") or {}, old.get("nodeSelector") or {}
    if all(have.get(key) == value for key, value in before.items()):
        _restore(munged, old, "nodeSelector")
    affinity, earlier = munged.get("affinity") or {}, old.get("affinity") or {}
    if affinity.get("nodeAffinity") and not earlier.get("nodeAffinity"):
        rest = {key: value for key, value in affinity.items() if key != "nodeAffinity"}
        if rest == earlier:
            _restore(munged, old, "affinity")
