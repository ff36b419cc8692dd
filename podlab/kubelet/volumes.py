"""Volumes of a pod: which files each one holds and how containers mount them. Pure but for hostPath and subPath, which
look at the node; the folders themselves are `volume_folders`.

emptyDir, configMap, secret, downwardAPI, projected, and hostPath where the node's owner allows it; claims are
`claim_folders`. Other kinds are refused until they exist. pkg/volume/{configmap,secret,downwardapi,projected,hostpath}.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Key, Manifest
from podlab.kubelet import environment, pods, security, subpaths
from podlab.kubelet.claim_folders import Held
from podlab.kubelet.environment import ConfigError, Facts, Lookup
from podlab.kubelet.mount_errors import MountError
from podlab.kubelet.volume_folders import READ_ONLY, File, Folders, kind, names_in_use
from podlab.runtime.interface import Mount

FIRST_RETRY = 0.5
LAST_RETRY = 122.0


class _Detail(Exception):
    """What is wrong inside a volume."""


@dataclass(frozen=True, slots=True)
class Sources:
    pod: Manifest
    lookup: Lookup
    facts: Facts
    host_access: Set[str] = frozenset()


def used(pod: Manifest) -> list[Manifest]:
    """The volumes that a container mounts: only those are set up."""
    wanted = names_in_use(pod)
    return [volume for volume in pod["spec"].get("volumes") or [] if volume["name"] in wanted]


def retry_seconds(failures: int) -> float:
    """The wait after the n-th failed try (goroutinemap/exponentialbackoff)."""
    return float(min(FIRST_RETRY * 2 ** min(failures - 1, 16), LAST_RETRY))


def files(volume: Manifest, sources: Sources) -> list[File]:
    """What the volume holds; empty for emptyDir. MountError when it cannot be had."""
    which = kind(volume)
    if which in ("emptyDir", "image"):  # an image is unpacked when a container that mounts it starts
        return []
    try:
        if which == "hostPath":
            _check_host_path(volume["hostPath"], sources.host_access)
            return []
        maker = _MAKERS.get(which)
        if maker is None:
            raise _Detail(f"podlab cannot mount {which} volumes yet")
        source = volume[which]
        mode = int(source.get("defaultMode") or 0o644)
        return sorted(maker(source, sources, mode), key=lambda file: file.path)
    except (_Detail, ConfigError) as error:
        raise MountError(volume["name"], str(error)) from None


def mounts(
    pod: Manifest,
    container: Manifest,
    folders: Folders,
    env: Mapping[str, str],
    *,
    held: Mapping[str, Held] | None = None,
    real: bool,
) -> tuple[Mount, ...]:
    """How a container sees the volumes that were set up in `folders`, and those of claims. `real`: parts of volumes must
    exist on the node."""
    all_volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
    claimed = held or {}
    made: list[Mount] = []
    for mount in container.get("volumeMounts") or []:
        volume = all_volumes[mount["name"]]
        if mount.get("recursiveReadOnly") == "Enabled":  # kubelet_pods.go resolveRecursiveReadOnly
            text = "requested recursive read-only mode, but it is not supported by the runtime"
            raise ConfigError(f'volume "{mount["name"]}" {text}')
        behind = claimed.get(mount["name"])
        place = behind.path if behind is not None else _place(volume, folders)
        part = subpaths.wanted(mount, env)
        if part:
            place = (
                subpaths.prepare(
                    place, part, mount=mount["name"], container=container["name"], make=kind(volume) != "image"
                )
                if real
                else place / part
            )
        read_only = bool(
            mount.get("readOnly") or kind(volume) in (*READ_ONLY, "image") or (behind is not None and behind.read_only)
        )
        root = "" if real or not part else str(place)[: -len(part) - 1]
        made.append(Mount(host_path=str(place), container_path=mount["mountPath"], read_only=read_only, root=root))
    return tuple(made)


def _place(volume: Manifest, folders: Folders) -> Path:
    return Path(volume["hostPath"]["path"]) if kind(volume) == "hostPath" else folders.of(volume)


def changeable(pod: Manifest) -> list[Manifest]:
    """The volumes in use whose content follows objects of the API."""
    return [volume for volume in used(pod) if kind(volume) in READ_ONLY]


def refers(pod: Manifest, key: Key) -> bool:
    """Whether a volume in use shows this ConfigMap or Secret."""
    if key.namespace != pod["metadata"].get("namespace"):
        return False
    which = "configMap" if key.resource == "configmaps" else "secret"
    sources = [*changeable(pod)]
    sources += [part for volume in changeable(pod) for part in (volume.get("projected") or {}).get("sources") or ()]
    named = (source.get(which) or {} for source in sources)
    return any(key.name in (one.get("name"), one.get("secretName")) for one in named)


_HOST_PATH_TYPES: dict[str, tuple[Callable[[Path], bool], str]] = {
    "Directory": (Path.is_dir, "a directory"),
    "File": (Path.is_file, "a file"),
    "Socket": (Path.is_socket, "a socket file"),
    "CharDevice": (Path.is_char_device, "a character device"),
    "BlockDevice": (Path.is_block_device, "a block device"),
}


def _check_host_path(source: Manifest, host_access: Set[str]) -> None:
    """pkg/volume/hostpath checkType."""
    if "hostPath" not in host_access:
        raise _Detail("hostPath volumes are refused: the lab shares this machine with others")
    place, which = Path(source["path"]), str(source.get("type") or "")
    if which == "DirectoryOrCreate":
        place.mkdir(parents=True, exist_ok=True)
        which = "Directory"
    elif which == "FileOrCreate":
        place.touch()
        which = "File"
    if which in _HOST_PATH_TYPES and not _HOST_PATH_TYPES[which][0](place):
        raise _Detail(f"hostPath type check failed: {place} is not {_HOST_PATH_TYPES[which][1]}")
    if not place.exists():
        raise _Detail(f"hostPath {place} does not exist")


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
                yield _token(body, sources, mode)
                continue
            maker = _MAKERS.get(which)
            if maker is None:
                raise _Detail(f"podlab cannot project {which} yet")
            yield from maker(body, sources, mode)


def _token(body: Manifest, sources: Sources, mode: int) -> File:
    """pkg/volume/projected collectData; a token that could not be had is tried again. It belongs to the user of the pod, and
    fsGroup gives it to a group: nobody else need read it then."""
    audience, seconds = str(body.get("audience") or ""), int(body.get("expirationSeconds") or 3600)
    try:
        token = sources.lookup.token(sources.pod, audience, seconds)
    except ApiError as error:
        raise _Detail(f"failed to fetch token: {error}") from None
    owner = security.volume_owner(sources.pod)
    if owner is not None or (sources.pod["spec"].get("securityContext") or {}).get("fsGroup") is not None:
        mode = 0o600
    return File(_safe(body["path"]), token.encode(), mode, owner)


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
