"""Volumes of a pod: which files each one holds (pure) and the folders on the node that containers mount.

emptyDir, configMap, secret, downwardAPI and projected. hostPath is refused: a lab shares its machine. Other kinds are
refused until they exist. pkg/volume/{configmap,secret,downwardapi,projected}; files are laid out as
pkg/volume/util/atomic_writer.go does, so that a later update can swap them in one step. A service account has no
token of its own yet: that file is left out of the projected volume.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from podlab.apis.types import Manifest
from podlab.kubelet import environment, pods
from podlab.kubelet.environment import ConfigError, Facts, Lookup
from podlab.runtime.interface import Mount

READ_ONLY = ("configMap", "secret", "downwardAPI", "projected")
FIRST_RETRY = 0.5
LAST_RETRY = 122.0


class MountError(Exception):
    """One volume cannot be set up; the text is that of the FailedMount event."""

    def __init__(self, volume: str, detail: str) -> None:
        super().__init__(f'MountVolume.SetUp failed for volume "{volume}" : {detail}')


class _Detail(Exception):
    """What is wrong inside a volume."""


@dataclass(frozen=True, slots=True)
class File:
    path: str
    data: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Sources:
    pod: Manifest
    lookup: Lookup
    facts: Facts


def used(pod: Manifest) -> list[Manifest]:
    """The volumes that a container mounts: only those are set up."""
    wanted = {mount["name"] for spec in pods.all_specs(pod) for mount in spec.manifest.get("volumeMounts") or []}
    return [volume for volume in pod["spec"].get("volumes") or [] if volume["name"] in wanted]


def kind(volume: Manifest) -> str:
    return next((name for name in volume if name != "name"), "emptyDir")


def retry_seconds(failures: int) -> float:
    """The wait after the n-th failed try (goroutinemap/exponentialbackoff)."""
    return float(min(FIRST_RETRY * 2 ** min(failures - 1, 16), LAST_RETRY))


def files(volume: Manifest, sources: Sources) -> list[File]:
    """What the volume holds; empty for emptyDir. MountError when it cannot be had."""
    which = kind(volume)
    if which == "emptyDir":
        return []
    try:
        if which == "hostPath":
            raise _Detail("hostPath volumes are refused: the lab shares this machine with others")
        maker = _MAKERS.get(which)
        if maker is None:
            raise _Detail(f"podlab cannot mount {which} volumes yet")
        source = volume[which]
        mode = int(source.get("defaultMode") or 0o644)
        return sorted(maker(source, sources, mode), key=lambda file: file.path)
    except (_Detail, ConfigError) as error:
        raise MountError(volume["name"], str(error)) from None


def mounts(pod: Manifest, container: Manifest, folder: Path) -> tuple[Mount, ...]:
    """How a container sees the volumes that were set up under `folder`."""
    kinds = {volume["name"]: kind(volume) for volume in pod["spec"].get("volumes") or []}
    made: list[Mount] = []
    for mount in container.get("volumeMounts") or []:
        if mount.get("subPath") or mount.get("subPathExpr"):
            raise ConfigError(f"podlab cannot mount a subPath yet (volume {mount['name']})")
        which = kinds[mount["name"]]
        read_only = bool(mount.get("readOnly")) or which in READ_ONLY
        place = str(path_of(folder, which, mount["name"]))
        made.append(Mount(host_path=place, container_path=mount["mountPath"], read_only=read_only))
    return tuple(made)


def path_of(folder: Path, which: str, name: str) -> Path:
    return folder / "volumes" / f"kubernetes.io~{which.lower()}" / name


def set_up(volume: Manifest, content: list[File], folder: Path) -> None:
    """Make the folder of one volume; doing it again with the same content changes nothing."""
    target = path_of(folder, kind(volume), volume["name"])
    target.mkdir(parents=True, exist_ok=True)
    if kind(volume) == "emptyDir":
        target.chmod(0o777)
        return
    _swap(target, content)


def tear_down(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _swap(target: Path, content: list[File]) -> None:
    data = target / "..data"
    if data.is_symlink() and _same(data, content):
        return
    number = max((int(p.name[2:]) for p in target.glob("..[0-9]*")), default=0) + 1
    fresh = target / f"..{number}"
    for file in content:
        place = fresh / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.data)
        place.chmod(file.mode)
    fresh.mkdir(parents=True, exist_ok=True)
    link = target / "..data_tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(fresh.name)
    link.replace(data)
    tops = {PurePosixPath(file.path).parts[0] for file in content}
    for top in sorted(tops):
        if not (target / top).is_symlink():
            (target / top).symlink_to(f"..data/{top}")
    for stale in target.iterdir():
        if stale.is_symlink() and not stale.name.startswith("..") and stale.name not in tops:
            stale.unlink()
        elif stale.name.startswith("..") and stale.is_dir() and not stale.is_symlink() and stale != fresh:
            shutil.rmtree(stale, ignore_errors=True)


def _same(data: Path, content: list[File]) -> bool:
    have = {str(p.relative_to(data)): p.read_bytes() for p in data.rglob("*") if p.is_file()}
    return have == {file.path: file.data for file in content}


def _config_map(source: Manifest, sources: Sources, mode: int) -> Iterator[File]:
    name = source["name"]
    found = sources.lookup.config_map(sources.pod["metadata"]["namespace"], name)
    if found is None:
        if source.get("optional"):
            return
        raise _Detail(f'configmap "{name}" not found')
    data = {key: text.encode() for key, text in (found.get("data") or {}).items()}
    data |= {key: base64.b64decode(text) for key, text in (found.get("binaryData") or {}).items()}
    yield from _chosen(data, source, mode, "configmap references non-existent config key")


def _secret(source: Manifest, sources: Sources, mode: int) -> Iterator[File]:
    name = source.get("secretName") or source.get("name") or ""
    found = sources.lookup.secret(sources.pod["metadata"]["namespace"], name)
    if found is None:
        if source.get("optional"):
            return
        raise _Detail(f'secret "{name}" not found')
    yield from _chosen(environment.secret_data(found), source, mode, "references non-existent secret key")


def _chosen(data: dict[str, bytes], source: Manifest, mode: int, complaint: str) -> Iterator[File]:
    if not source.get("items"):
        yield from (File(_safe(key), value, mode) for key, value in data.items())
        return
    for item in source["items"]:
        if item["key"] in data:
            yield File(_safe(item["path"]), data[item["key"]], int(item.get("mode") or mode))
        elif not source.get("optional"):
            raise _Detail(f"{complaint}: {item['key']}")


def _downward(source: Manifest, sources: Sources, mode: int) -> Iterator[File]:
    for item in source.get("items") or []:
        if item.get("fieldRef"):
            text = environment.field_value(sources.pod, item["fieldRef"]["fieldPath"], sources.facts)
        else:
            selector = item["resourceFieldRef"]
            spec = pods.find_spec(sources.pod, selector.get("containerName") or "")
            if spec is None:
                raise _Detail(f"container {selector.get('containerName')} not found")
            text = environment.resource_value(spec.manifest, selector, sources.facts)
        yield File(_safe(item["path"]), text.encode(), int(item.get("mode") or mode))


def _projected(source: Manifest, sources: Sources, mode: int) -> Iterator[File]:
    for part in source.get("sources") or []:
        for which, body in part.items():
            if which == "serviceAccountToken":
                continue
            maker = _MAKERS.get(which)
            if maker is None:
                raise _Detail(f"podlab cannot project {which} yet")
            yield from maker(body, sources, mode)


def _safe(path: str) -> str:
    """Validation keeps such paths out; a folder on the node must not depend on it."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or parts[0].startswith(".."):
        raise _Detail(f"invalid path: {path}")
    return path


_MAKERS: dict[str, Callable[[Manifest, Sources, int], Iterator[File]]] = {
    "configMap": _config_map,
    "secret": _secret,
    "downwardAPI": _downward,
    "projected": _projected,
}
