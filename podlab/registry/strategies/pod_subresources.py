"""pods/ephemeralcontainers and pods/resize: the two doors through which a running pod's containers change.

`PodStrategy` comes here for them. Source: pkg/registry/core/pod/strategy.go (podEphemeralContainersStrategy,
podResizeStrategy).
"""

from __future__ import annotations

from podlab.apis import feature_gates
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.operations import copy_of
from podlab.registry.strategy import keep

EPHEMERAL, RESIZE = "ephemeralcontainers", "resize"
_RESIZED = ("resources", "resizePolicy")
# What a request at these doors says of metadata is compared with the pod, everything else of it is ignored.
_OWN_METADATA = ("name", "namespace", "uid", "resourceVersion", "managedFields")


def prepare(subresource: str, new: Manifest, old: Manifest) -> None:
    """Undo whatever this door is not for. The generation counts changes of spec."""
    given = new.get("spec") or {}
    _forget_changes(new, old)
    spec = new["spec"]
    if subresource == EPHEMERAL:
        keep(spec, given, "ephemeralContainers")
    else:
        for field in ("containers", "initContainers"):
            _resize(spec, given, field)
        keep(spec, given, "resources")
    feature_gates.drop_disabled(new)
    if spec != old.get("spec"):
        metadata.of(new)["generation"] = int(metadata.of(old).get("generation") or 0) + 1


def _forget_changes(new: Manifest, old: Manifest) -> None:
    """The old pod with the name and the locks of the new one (dropPodUpdates)."""
    meta = metadata.of(new)
    kept = copy_of(old)
    for field in _OWN_METADATA:
        keep(kept["metadata"], meta, field)
    new.clear()
    new.update(kept)


def _resize(spec: Manifest, given: Manifest, field: str) -> None:
    """Containers as the request lists them, which validation compares; of those that there are, only resources change."""
    before = {item.get("name"): item for item in spec.get(field) or []}
    if field not in given:
        spec.pop(field, None)
        return
    resized = []
    for item in given[field]:
        known = before.get(item.get("name"))
        if known is None:
            resized.append(item)
            continue
        merged = dict(known)
        for name in _RESIZED:
            keep(merged, item, name)
        resized.append(merged)
    spec[field] = resized
