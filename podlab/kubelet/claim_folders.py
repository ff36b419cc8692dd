"""Claims as folders of this node: where a bound claim's files lie, whether a pod may have them here, and which folders
are left over.

pkg/kubelet/volumemanager/populator (getPVCExtractPV), pkg/volume/local and util/operationexecutor (NodeAffinity check). A
volume that the lab's own class made is a folder below `root`, made when it is first mounted. Volumes that people describe
(`local`, `hostPath`) must lie below `root` too, unless the node's owner allows more: the machine is shared.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from podlab.apis import volume_claims as facts
from podlab.apis.types import Manifest
from podlab.kubelet.environment import Lookup
from podlab.kubelet.mount_errors import MountError, NotProcessed

_OWN_FOLDER = re.compile(r"pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SIMULATED_ROOT = Path("/var/lib/podlab/volumes")


@dataclass(frozen=True, slots=True)
class Held:
    """What a claim gives a pod. `own`: made by the lab's class; `host`: a host path, whose files keep their groups."""

    volume: str
    path: Path
    read_only: bool = False
    own: bool = False
    host: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The node. `root` None: a simulated one, where paths are only names."""

    node: str
    labels: Callable[[], Mapping[str, str]]
    root: Path | None
    host_access: Set[str] = frozenset()


def is_claim(volume: Manifest) -> bool:
    return volume.get("persistentVolumeClaim") is not None or volume.get("ephemeral") is not None


def resolve(pod: Manifest, volume: Manifest, lookup: Lookup, place: Place) -> Held:
    """Raises NotProcessed while the claim is not ready, MountError when its volume cannot be had here."""
    name, namespace = volume["name"], pod["metadata"]["namespace"]
    use = next(one for one in facts.uses(pod) if one.volume == name)
    claim = lookup.claim(namespace, use.claim)
    if claim is None:
        text = f'failed to fetch PVC from API server: persistentvolumeclaims "{use.claim}" not found'
        raise NotProcessed(name, namespace, use.claim, text)
    if use.own and not facts.is_for_pod(claim, pod):
        raise NotProcessed(name, namespace, use.claim, "PVC was not created for this pod (pod is not owner)")
    if claim["metadata"].get("deletionTimestamp"):
        raise NotProcessed(name, namespace, use.claim, "PVC is being deleted")
    if facts.phase(claim) != "Bound" or not claim["spec"].get("volumeName"):
        raise NotProcessed(name, namespace, use.claim, "PVC is not bound")
    held = lookup.persistent_volume(claim["spec"]["volumeName"])
    if held is None or not facts.claimed_by(held, claim):
        text = f'failed to fetch PV "{claim["spec"]["volumeName"]}" from API server'
        raise NotProcessed(name, namespace, use.claim, text)
    read_only = bool((volume.get("persistentVolumeClaim") or {}).get("readOnly"))
    return _of_volume(held, place, read_only=read_only)


def _of_volume(volume: Manifest, place: Place, *, read_only: bool) -> Held:
    name, spec = volume["metadata"]["name"], volume["spec"]
    if spec.get("nodeAffinity") and not facts.fits_node(volume, place.node, place.labels()):
        raise MountError(name, "no matching NodeSelectorTerms", step="NodeAffinity check")
    kind = next((one for one in ("local", "hostPath") if spec.get(one)), "")
    if not kind:
        others = sorted(set(spec) - _NO_SOURCES)
        raise MountError(name, f"podlab cannot mount {', '.join(others) or 'such'} volumes yet")
    path = Path(spec[kind]["path"])
    own = facts.annotations_of(volume).get(facts.PROVISIONED_BY) == facts.NODE_FOLDER
    if place.root is not None:
        _check_path(name, path, place, own=own)
    return Held(name, path, read_only=read_only, own=own, host=kind == "hostPath")


def _check_path(name: str, path: Path, place: Place, *, own: bool) -> None:
    assert place.root is not None
    root, real = place.root.resolve(), path.resolve()
    if own:
        if path != place.root / name:
            raise MountError(name, f"{path} is not the folder that the lab makes for it")
        return
    if root not in real.parents and "hostPath" not in place.host_access:
        raise MountError(name, f"volumes of this node lie below {root}: the lab shares this machine with others")
    if not real.exists():
        raise MountError(name, f'path "{path}" does not exist', step="NewMounter initialization")


_NO_SOURCES = frozenset(
    {
        "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions",
        "volumeMode", "nodeAffinity", "volumeAttributesClassName",
    }
)  # fmt: skip


def set_up(held: Held) -> None:
    """Make the folder of a volume that the lab itself provides. Open to everybody, as local-path provisioners do."""
    if held.own and not held.path.exists():
        held.path.mkdir(parents=True)
        held.path.chmod(0o777)


def left_over(root: Path, names: Callable[[], Set[str]]) -> list[Path]:
    """Folders of volumes that are gone from the API. `names` is asked after looking: what was made meanwhile is known."""
    if not root.is_dir():
        return []
    there = [entry for entry in sorted(root.iterdir()) if entry.is_dir() and _OWN_FOLDER.fullmatch(entry.name)]
    if not there:
        return []
    known = names()
    return [entry for entry in there if entry.name not in known]


def remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
