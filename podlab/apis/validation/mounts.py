"""volumeMounts and volumeDevices of a container (ValidateVolumeMounts, ValidateVolumeDevices in core validation)."""

from __future__ import annotations

from podlab.apis import names
from podlab.apis.field_errors import forbidden, invalid, not_found, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, descending_path, one_of
from podlab.apis.validation.volumes import Volumes

PROPAGATION = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def number(path: str, port: int) -> Errors:
    for problem in names.port_number(port):
        yield invalid(path, port, problem)


def mounts(path: str, container: Manifest, volumes: Volumes) -> Errors:
    """Some paths name no index: Kubernetes forgets it there too."""
    seen: set[str] = set()
    devices = container.get("volumeDevices") or []
    for index, item in enumerate(container.get("volumeMounts") or []):
        here = f"{path}[{index}]"
        name, target = item.get("name") or "", item.get("mountPath") or ""
        if not name:
            yield required(f"{here}.name")
        if name not in volumes:
            yield not_found(f"{here}.name", name)
        if not target:
            yield required(f"{here}.mountPath")
        if target in seen:
            yield invalid(f"{here}.mountPath", target, "must be unique")
        seen.add(target)
        if any(device.get("name") == name for device in devices):
            yield invalid(f"{here}.name", name, "must not already exist in volumeDevices")
        if any(device.get("devicePath") == target for device in devices):
            yield invalid(f"{here}.mountPath", target, "must not already exist as a path in volumeDevices")
        yield from _sub_paths(path, here, item)
        if item.get("mountPropagation") is not None:
            yield from _propagation(f"{path}.mountPropagation", item["mountPropagation"], container)
        yield from _recursive(f"{path}.recursiveReadOnly", item)


def _sub_paths(path: str, here: str, item: Manifest) -> Errors:
    if item.get("subPath"):
        yield from descending_path(f"{path}.subPath", item["subPath"])
    expression = item.get("subPathExpr") or ""
    if expression:
        if item.get("subPath"):
            yield invalid(f"{here}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive")
        yield from descending_path(f"{path}.subPathExpr", expression)


def _propagation(path: str, value: str, container: Manifest) -> Errors:
    yield from one_of(path, value, PROPAGATION)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if value == "Bidirectional" and not privileged:
        yield forbidden(path, "Bidirectional mount propagation is available only to privileged containers")


def _recursive(path: str, item: Manifest) -> Errors:
    value = item.get("recursiveReadOnly")
    if value in (None, "Disabled"):
        return
    if value not in _RECURSIVE:
        yield not_supported(path, value, _RECURSIVE)
        return
    if not item.get("readOnly"):
        yield forbidden(path, "may only be specified when readOnly is true")
    if item.get("mountPropagation") not in (None, "None"):
        yield forbidden(path, "may only be specified when mountPropagation is None or not specified")


def devices(path: str, container: Manifest, volumes: Volumes) -> Errors:
    names_seen: set[str] = set()
    paths_seen: set[str] = set()
    mounted = container.get("volumeMounts") or []
    for index, item in enumerate(container.get("volumeDevices") or []):
        here = f"{path}[{index}]"
        name, target = item.get("name") or "", item.get("devicePath") or ""
        if not name:
            yield required(f"{here}.name")
        if name in names_seen:
            yield invalid(f"{here}.name", name, "must be unique")
        names_seen.add(name)
        volume = volumes.get(name)
        if volume is None:
            yield not_found(f"{here}.name", name)
        elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
            detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            yield invalid(f"{here}.name", name, detail)
        if not target:
            yield required(f"{here}.devicePath")
        if target in paths_seen:
            yield invalid(f"{here}.devicePath", target, "must be unique")
        if target and ".." in target.split("/"):
            yield invalid(f"{here}.devicePath", target, "can not contain backsteps ('..')")
        paths_seen.add(target)
        if any(mount.get("name") == name for mount in mounted):
            yield invalid(f"{here}.name", name, "must not already exist in volumeMounts")
        if any(mount.get("mountPath") == target for mount in mounted):
            yield invalid(f"{here}.devicePath", target, "must not already exist as a path in volumeMounts")
