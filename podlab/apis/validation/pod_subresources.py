"""What may change through pods/ephemeralcontainers and pods/resize.

Source: ValidatePodEphemeralContainersUpdate and ValidatePodResize in core validation. The registry's pod strategy calls
these after it has undone what the subresource is not for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from podlab.apis import pods, quantity
from podlab.apis.field_errors import forbidden, go_quote, invalid
from podlab.apis.types import Manifest
from podlab.apis.validation import differences, metadata, pod
from podlab.apis.validation.rules import Errors

_MIRROR = "kubernetes.io/config.mirror"
_RESIZABLE = ("cpu", "memory")
_ONLY = "only cpu and memory resources are mutable"
_ONLY_INIT = "only cpu and memory resources for init or sidecar containers are mutable"
_RESTARTING = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"
_ONLY_POD = "only cpu and memory resources are mutable at pod-level"
_UNSUPPORTED = "Pod running on node without support for resize"


def _common(new: Manifest, old: Manifest) -> Errors:
    yield from metadata.validate_update(new.get("metadata") or {}, old.get("metadata") or {})
    yield from pod.validate(new)


def _is_mirror(old: Manifest) -> bool:
    return _MIRROR in ((old.get("metadata") or {}).get("annotations") or {})


def ephemeral_containers(new: Manifest, old: Manifest) -> Errors:
    if _is_mirror(old):
        yield forbidden("", "static pods do not support ephemeral containers")
        return
    yield from _common(new, old)
    path = "spec.ephemeralContainers"
    given = {item.get("name"): item for item in (new.get("spec") or {}).get("ephemeralContainers") or []}
    for item in (old.get("spec") or {}).get("ephemeralContainers") or []:
        name = item.get("name") or ""
        if name not in given:
            yield forbidden(path, f"existing ephemeral containers {go_quote(name)} may not be removed\n")
        elif given[name] != item:
            changed = differences.of_structs("EphemeralContainer", item, given[name])
            yield forbidden(path, f"existing ephemeral containers {go_quote(name)} may not be changed\n{changed}")


def resize(new: Manifest, old: Manifest) -> Errors:
    if _is_mirror(old):
        yield forbidden("", "static pods cannot be resized")
        return
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if (before.get("os") or {}).get("name") == "windows":
        yield forbidden("", "windows pods cannot be resized")
        return
    yield from _common(new, old)
    quality = (old.get("status") or {}).get("qosClass") or pods.qos_class(old)
    if quality != pods.qos_class(new):
        yield invalid("spec", quality, "Pod QOS Class may not change as a result of resizing")
    if not _reports_resources(old):
        yield forbidden("spec", _UNSUPPORTED)
    yield from _of_pod(spec.get("resources"), before.get("resources"))
    moved = list(_order(spec, before))
    yield from moved
    if moved:
        return
    for field in ("initContainers", "containers"):
        yield from _removed(field, spec, before)
    yield from _beyond_resources(spec, before)


def _of_pod(new: Manifest | None, old: Manifest | None) -> Errors:
    """validatePodLevelResourcesResize."""
    if old is not None and new is None:
        yield forbidden("spec.resources", "pod-level resources cannot be removed")
        return
    for kind in ("requests", "limits"):
        if set((old or {}).get(kind) or {}) - set((new or {}).get(kind) or {}):
            yield forbidden(f"spec.resources.{kind}", f"pod-level resource {kind} cannot be removed")
    if new is not None and _fixed(new) != _fixed(old or {}):
        yield forbidden("spec", _ONLY_POD)


def _reports_resources(old: Manifest) -> bool:
    """A node that can resize tells of every running container what it has."""
    statuses = (old.get("status") or {}).get("containerStatuses") or []
    running = [item for item in statuses if (item.get("state") or {}).get("running") is not None]
    return all(item.get("resources") is not None for item in running)


def _order(spec: Manifest, before: Manifest) -> Errors:
    for field in ("containers", "initContainers"):
        new, old = spec.get(field) or [], before.get(field) or []
        if len(new) != len(old):
            yield forbidden(f"spec.{field}", f"{field} may not be added or removed on resize")
            continue
        for index, (item, other) in enumerate(zip(new, old, strict=True)):
            if item.get("name") != other.get("name"):
                yield forbidden(f"spec.{field}[{index}].name", f"{field} may not be renamed or reordered on resize")


def _removed(field: str, spec: Manifest, before: Manifest) -> Errors:
    for index, (item, other) in enumerate(zip(spec.get(field) or [], before.get(field) or [], strict=True)):
        new, old = item.get("resources") or {}, other.get("resources") or {}
        for kind in ("requests", "limits"):
            if set(old.get(kind) or {}) - set(new.get(kind) or {}):
                yield forbidden(f"spec.{field}[{index}].resources.{kind}", f"resource {kind} cannot be removed")


def _beyond_resources(spec: Manifest, before: Manifest) -> Errors:
    for item, other in zip(spec.get("containers") or [], before.get("containers") or [], strict=True):
        if _without_cpu_and_memory(item) != _without_cpu_and_memory(other):
            yield forbidden("spec", _ONLY)
    inits = zip(spec.get("initContainers") or [], before.get("initContainers") or [], strict=True)
    for index, (item, other) in enumerate(inits):
        if _without_cpu_and_memory(item) != _without_cpu_and_memory(other):
            yield forbidden(f"spec.initContainers[{index}]", _ONLY_INIT)
        if item != other and item.get("restartPolicy") != "Always":
            for policy in item.get("resizePolicy") or []:
                if policy.get("restartPolicy") == "RestartContainer":
                    yield forbidden(f"spec.initContainers[{index}]", _RESTARTING)


def _without_cpu_and_memory(container: Manifest) -> tuple[Manifest, Manifest]:
    """The container without its resources, and of these what no resize may touch, by value."""
    rest = {name: value for name, value in container.items() if name != "resources"}
    return rest, _fixed(container.get("resources") or {})


def _fixed(resources: Mapping[str, Any]) -> Manifest:
    found: Manifest = {}
    for kind in ("requests", "limits"):
        values = resources.get(kind) or {}
        found[kind] = {name: quantity.parse(text).nano for name, text in values.items() if name not in _RESIZABLE}
    return found


BY_SUBRESOURCE: Mapping[str, Callable[[Manifest, Manifest], Errors]] = {
    "ephemeralcontainers": ephemeral_containers,
    "resize": resize,
}
