"""Warnings about volumes of pods and about claims (pkg/api/pod/warnings.go, pkg/api/persistentvolumeclaim/util.go)."""

from __future__ import annotations

from collections.abc import Iterator

from podlab.apis import quantity
from podlab.apis.field_errors import go_quote
from podlab.apis.types import Manifest

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
# Drivers that are gone, in the order in which Kubernetes names them, under the name by which it does.
_GONE = {
    "photonPersistentDisk": ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    "gitRepo": ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "flocker": ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}
_RECYCLE = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."
_Placed = tuple[str, str]  # path, and what puts it there ("" inside a volume of one source)


def of_volumes(path: str, volumes: list[Manifest]) -> Iterator[str]:
    for index, volume in enumerate(volumes):
        here = f"{path}[{index}]"
        for name, (shown, text) in _GONE.items():
            if name == "cephfs":  # between the others: the template of an ephemeral volume
                template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
                if template:
                    yield from of_claim_spec(f"{here}.ephemeral.volumeClaimTemplate.spec", template.get("spec") or {})
            if volume.get(name) is not None:
                yield f"{here}.{shown}: {text}"
    for volume in volumes:
        yield from _overlapping(volume)


def of_claim(claim: Manifest) -> list[str]:
    annotations = (claim.get("metadata") or {}).get("annotations") or {}
    found = []
    if _CLASS_ANNOTATION in annotations:
        text = 'deprecated since v1.8; use "storageClassName" attribute instead'
        found.append(f"metadata.annotations[{_CLASS_ANNOTATION}]: {text}")
    return [*found, *of_claim_spec("spec", claim.get("spec") or {})]


def of_volume(volume: Manifest) -> list[str]:
    """A PersistentVolume (pkg/api/persistentvolume/util.go)."""
    spec = volume.get("spec") or {}
    annotations = (volume.get("metadata") or {}).get("annotations") or {}
    found = []
    if _CLASS_ANNOTATION in annotations:
        text = 'deprecated since v1.8; use "storageClassName" attribute instead'
        found.append(f"metadata.annotations[{_CLASS_ANNOTATION}]: {text}")
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        found.append(f"spec.persistentVolumeReclaimPolicy: {_RECYCLE}")
    for name in ("photonPersistentDisk", "scaleIO", "storageos", "glusterfs", "cephfs", "rbd"):
        if spec.get(name) is not None:
            shown, text = _GONE[name]
            found.append(f"spec.{shown}: {text}")
    return found


def of_claim_spec(path: str, spec: Manifest) -> Iterator[str]:
    for kind in ("requests", "limits"):
        storage = ((spec.get("resources") or {}).get(kind) or {}).get("storage")
        parsed = quantity.parse(storage) if storage is not None else quantity.Quantity(0)
        if parsed.milli % 1000:
            yield (f'{path}.resources.{kind}[storage]: fractional byte value "{parsed}" is invalid, must be an integer')


def _overlapping(volume: Manifest) -> Iterator[str]:
    name = go_quote(volume.get("name") or "")
    for field, kind, key in (
        ("configMap", "ConfigMap", "name"),
        ("secret", "Secret", "secretName"),
        ("downwardAPI", "DownwardAPI", ""),
    ):
        source = volume.get(field)
        if source:
            shown = f"{kind} {go_quote(source.get(key) or '')}" if key else kind
            placed = [(item.get("path") or "", "") for item in source.get("items") or []]
            for text in _overlaps([placed]):
                yield f"volume {name} ({shown}): overlapping paths: {text}"
    if volume.get("projected") is None:
        return
    groups: list[list[_Placed]] = []
    for source in volume["projected"].get("sources") or []:
        if not any(value is not None for value in source.values()):
            yield f"volume {name} (Projected) has no sources provided"
        groups.append(_projected_paths(source))
    for text in _overlaps(groups):
        yield f"volume {name} (Projected): overlapping paths: {text}"


def _projected_paths(source: Manifest) -> list[_Placed]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if source.get(field) is not None:
            shown = f"{kind} {go_quote(source[field].get('name') or '')}"
            return [(item.get("path") or "", shown) for item in source[field].get("items") or []]
    if source.get("downwardAPI") is not None:
        return [(item.get("path") or "", "DownwardAPI") for item in source["downwardAPI"].get("items") or []]
    if source.get("serviceAccountToken") is not None:
        return [(source["serviceAccountToken"].get("path") or "", "ServiceAccountToken")]
    return []


def _overlaps(groups: list[list[_Placed]]) -> Iterator[str]:
    """Paths that are equal, or of which one lies inside the other."""
    before: list[_Placed] = []
    for group in groups:
        for given, source in group:
            path = given.rstrip("/")
            for other, origin in before:
                inside = f"{other}/".startswith(f"{path}/") or f"{path}/".startswith(f"{other}/")
                if path and other and inside:
                    yield f"{_shown(path, source)} with {_shown(other, origin)}"
            before.append((path, source))


def _shown(path: str, source: str) -> str:
    return f"{go_quote(path)} ({source})" if source else go_quote(path)
