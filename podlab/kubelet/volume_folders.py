"""The folders of a pod's volumes on its node: where they lie, how they are filled, updated in one step, and taken away.

Files are laid out as pkg/volume/util/atomic_writer.go does: `..data` points to a folder with a time stamp, every top name
points into `..data`, and an update swaps that one link. Ownership by fsGroup: pkg/volume/volume_linux.go. What Kubernetes
keeps in memory (secrets, tokens, emptyDir of medium Memory) lies in `memory` if the node has such a place.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from podlab.apis import quantity
from podlab.apis.types import Manifest
from podlab.kubelet import pods, tmpfs

IN_MEMORY = ("secret", "downwardAPI", "projected")
READ_ONLY = ("configMap", *IN_MEMORY)


@dataclass(frozen=True, slots=True)
class File:
    """`owner`: the user to whom it belongs, where that is not the node's."""

    path: str
    data: bytes
    mode: int
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Folders:
    """The places of one pod. `memory` None: everything lies on disk."""

    disk: Path
    memory: Path | None = None

    def of(self, volume: Manifest) -> Path:
        which = kind(volume)
        medium = (volume.get("emptyDir") or {}).get("medium")
        root = self.memory if self.memory is not None and (which in IN_MEMORY or medium == "Memory") else self.disk
        return root / "volumes" / f"kubernetes.io~{which.lower()}" / str(volume["name"])

    def tear_down(self) -> None:
        for root in (self.disk, self.memory):
            if root is not None:
                remove_pod(root)


def remove_pod(root: Path) -> None:
    """A pod's folder with everything in it."""
    if root.exists():
        tmpfs.unmount_below(root)
        shutil.rmtree(root, ignore_errors=True)


def kind(volume: Manifest) -> str:
    return next((name for name in volume if name != "name"), "emptyDir")


def set_up(volume: Manifest, content: list[File], folders: Folders, *, now: datetime, pod: Manifest) -> None:
    """Make the folder of one volume; doing it again with the same content changes nothing."""
    if kind(volume) in ("hostPath", "image"):
        return
    target = folders.of(volume)
    fresh = not target.exists()
    target.mkdir(parents=True, exist_ok=True)
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    if kind(volume) == "emptyDir":
        if fresh:
            size = memory_size(volume, pod)
            if folders.memory is not None and size is not None:
                tmpfs.mount(target, size)
            # As tmpfs has it, which the kubelet mounts without a mode (emptydir setupTmpfs).
            target.chmod(0o1777 if in_memory(volume) else 0o777)
            _give(target, group, read_only=False)
        return
    if _swap(target, content, now):
        _give(target, group, read_only=True)


def in_memory(volume: Manifest) -> bool:
    return (volume.get("emptyDir") or {}).get("medium") == "Memory"


def memory_size(volume: Manifest, pod: Manifest) -> int | None:
    """The size of an emptyDir in memory that has a limit: no more than the pod may use (emptydir
    calculateEmptyDirMemorySize); None for others."""
    source = volume.get("emptyDir") or {}
    if not in_memory(volume) or not source.get("sizeLimit"):
        return None
    wanted = quantity.value(str(source["sizeLimit"]))
    limits = [((c.manifest.get("resources") or {}).get("limits") or {}).get("memory") for c in pods.app_specs(pod)]
    whole = sum(quantity.value(str(limit)) for limit in limits if limit)
    return min(wanted, whole) if limits and all(limits) else wanted


def give_to_group(root: Path, pod: Manifest, *, read_only: bool) -> None:
    """Ownership of a volume that outlives its pods, by fsGroup and fsGroupChangePolicy (volume_linux.go
    SetVolumeOwnership): OnRootMismatch leaves everything as it is when the root is right already."""
    context = pod["spec"].get("securityContext") or {}
    group = context.get("fsGroup")
    if group is None or read_only:
        return
    if context.get("fsGroupChangePolicy") == "OnRootMismatch" and _is_given(root, int(group)):
        return
    _give(root, group, read_only=False)


def _is_given(root: Path, group: int) -> bool:
    found = root.stat()
    wanted = 0o770 | stat.S_ISGID
    return found.st_gid == group and stat.S_IMODE(found.st_mode) & wanted == wanted


def _swap(target: Path, content: list[File], now: datetime) -> bool:
    data = target / "..data"
    if data.is_symlink() and _same(data, content):
        return False
    fresh = _new_folder(target, now)
    for file in content:
        place = fresh / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.data)
        place.chmod(file.mode)
        if file.owner is not None:
            try:
                os.chown(place, file.owner, -1)
            except PermissionError:  # an agent that is not root: nobody in the container could read it
                place.chmod(0o644)
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
    return True


def _new_folder(target: Path, now: datetime) -> Path:
    stamp = now.strftime("..%Y_%m_%d_%H_%M_%S")
    number = now.microsecond * 1000
    while (target / f"{stamp}.{number}").exists():
        number += 1
    fresh = target / f"{stamp}.{number}"
    fresh.mkdir()
    fresh.chmod(0o755)
    return fresh


def _same(data: Path, content: list[File]) -> bool:
    have = {str(p.relative_to(data)): p.read_bytes() for p in data.rglob("*") if p.is_file()}
    return have == {file.path: file.data for file in content}


def _give(root: Path, group: object, *, read_only: bool) -> None:
    """To a group: it may read (and write) everything, and what is made later belongs to it too."""
    if group is None:
        return
    for place in (root, *root.rglob("*")):
        os.chown(place, -1, int(str(group)), follow_symlinks=False)
        if place.is_symlink():
            continue
        mode = stat.S_IMODE(place.stat().st_mode) | (0o440 if read_only else 0o660)
        if place.is_dir():
            mode |= stat.S_ISGID | (0o110)
        place.chmod(mode)


def used_bytes(folder: Path) -> int:
    """What the files of a volume take on its disk, as du counts."""
    return sum(_blocks(place) for place in folder.rglob("*"))


def _blocks(place: Path) -> int:
    try:
        return place.lstat().st_blocks * 512
    except OSError:
        return 0  # gone while we looked


def limited(pod: Manifest) -> Iterator[Manifest]:
    """The emptyDir volumes of a pod that may not grow for ever."""
    for volume in pod["spec"].get("volumes") or []:
        if (volume.get("emptyDir") or {}).get("sizeLimit"):
            yield volume


def names_in_use(pod: Manifest) -> frozenset[str]:
    return frozenset(m["name"] for spec in pods.all_specs(pod) for m in spec.manifest.get("volumeMounts") or [])
