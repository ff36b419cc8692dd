"""The folder of a node's static pods: one pod a file, YAML or JSON, read again when it changes. A file that is no pod is a
problem with a line; the others are not touched by it.

pkg/kubelet/config/file.go and common.go. `agent` asks every second; hidden files and folders are left alone.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from podlab.apis import decode, defaults, feature_gates, schema_check, scheme, static_pods, times, validation
from podlab.apis.decode import Document
from podlab.apis.decode_errors import DecodeError, Position
from podlab.apis.types import Manifest
from podlab.clock import Clock

MAX_BYTES = 10 * 2**20  # file.go: what is longer is not read
_TOLERATES_ALL = {"operator": "Exists", "effect": "NoExecute"}
# inode, modified (nanoseconds), size
_Stamp = tuple[int, int, int]


class BadFile(ValueError):
    """The text says what is wrong with the file, and where."""


@dataclass(slots=True)
class _Held:
    stamp: _Stamp
    pod: Manifest | None


@dataclass(slots=True)
class StaticFiles:
    """`look` reads what has changed; `pods` are the present ones by uid."""

    folder: Path
    node: str
    clock: Clock
    pods: dict[str, Manifest] = field(default_factory=dict)
    _held: dict[str, _Held] = field(default_factory=dict)

    def look(self) -> dict[str, str]:
        """Problems of files that are new or have changed, by file name."""
        present = stamps(self.folder)
        if present == {name: held.stamp for name, held in self._held.items()}:
            return {}
        problems: dict[str, str] = {}
        before, self._held = self._held, {}
        for name in sorted(present):
            held = before.get(name)
            if held is None or held.stamp != present[name]:
                held = _Held(present[name], None)
                try:
                    held.pod = self._read(name)
                except BadFile as bad:
                    problems[name] = str(bad)
            self._held[name] = held
        self.pods = {}
        owners: dict[tuple[str, str], str] = {}
        # A file that was here before keeps its pod's name against one that comes with the same.
        for name, held in sorted(self._held.items(), key=lambda item: item[0] not in before):
            if held.pod is None:
                continue
            meta = held.pod["metadata"]
            owner = owners.setdefault((meta["namespace"], meta["name"]), name)
            if owner == name:
                self.pods[meta["uid"]] = held.pod
            elif name not in before or before[name].stamp != held.stamp:
                problems[name] = f'pod "{meta["name"]}" is in file {owner} already, ignoring this one'
        return problems

    def _read(self, name: str) -> Manifest:
        try:
            with (self.folder / name).open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise BadFile(f"cannot be read: {error.strerror}") from None
        return pod_of(raw, name, self.node, seen=times.rfc3339_nano(self.clock.now()))


def stamps(folder: Path) -> dict[str, _Stamp]:
    """What tells that a file has changed, by name; a folder that is not there holds none."""
    found: dict[str, _Stamp] = {}
    try:
        for path in folder.iterdir():
            if path.name.startswith(".") or not path.is_file():
                continue
            stat = path.stat()
            found[path.name] = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
    except OSError:
        return found
    return found


def by_cluster(root: Path) -> dict[str, dict[str, object]]:
    """Stamps of all files of static pods below `root`/CLUSTER/NODE, by cluster."""
    return {
        cluster.name: {
            f"{node.name}/{name}": stamp for node in _folders(cluster) for name, stamp in stamps(node).items()
        }
        for cluster in _folders(root)
    }


def _folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def pod_of(raw: bytes, file: str, node: str, *, seen: str) -> Manifest:
    """The static pod in a file, with defaults, uid and annotations. Raises BadFile."""
    if len(raw) > MAX_BYTES:
        raise BadFile(f"is longer than {MAX_BYTES} bytes")
    document = _decode(raw)
    obj = document.obj
    if not isinstance(obj, dict) or (obj.get("apiVersion"), obj.get("kind")) != ("v1", "Pod"):
        raise BadFile(f"line {_line(document, 'kind')}: a static pod must be a Pod of apiVersion v1")
    resource = scheme.by_key("pods")
    assert resource is not None
    if wrong := schema_check.type_error(resource, obj):
        raise BadFile(f"line 1: {wrong}")
    pod = schema_check.drop_unknown(resource, obj)
    feature_gates.drop_disabled(pod)
    _complete(pod, file, node, seen)
    defaults.apply(resource, pod)
    errors = validation.validate_create(resource, pod)
    if errors:
        first = errors[0]
        raise BadFile(
            "; ".join([f"line {_line(document, first.field)}: {first.text()}", *(e.text() for e in errors[1:])])
        )
    if pod["spec"].get("resourceClaims"):
        raise BadFile(f"line {_line(document, 'spec.resourceClaims')}: static pods may not reference resourceclaims")
    return pod


def _decode(raw: bytes) -> Document:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(f"line {line}: this is not UTF-8 text") from None
    try:
        documents = [one for one in decode.decode_yaml(text) if one.obj is not None]  # JSON is YAML too
    except DecodeError as error:
        raise BadFile(str(error)) from None
    if len(documents) != 1:
        raise BadFile(f"line 1: one pod is expected in a file, and {len(documents)} documents are here")
    return documents[0]


def _complete(pod: Manifest, file: str, node: str, seen: str) -> None:
    """applyDefaults of config/common.go: name, namespace, node, toleration; then uid and annotations."""
    given = copy.deepcopy(pod)
    meta: dict[str, Any] = pod.setdefault("metadata", {})
    meta["name"] = f"{meta.get('name', '')}-{node.lower()}"
    meta.setdefault("namespace", "default")
    for name in ("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "ownerReferences"):
        meta.pop(name, None)
    pod.pop("status", None)
    spec = pod.setdefault("spec", {})
    spec["nodeName"] = node
    spec["tolerations"] = [*(spec.get("tolerations") or []), dict(_TOLERATES_ALL)]
    meta["uid"] = static_pods.uid(
        {**given, "metadata": {**given.get("metadata", {}), "name": meta["name"], "namespace": meta["namespace"]}},
        node,
        file,
    )
    meta["annotations"] = {
        **(meta.get("annotations") or {}),
        static_pods.HASH: meta["uid"],
        static_pods.SEEN: seen,
        static_pods.SOURCE: static_pods.FILE,
    }
    meta["annotations"].pop(static_pods.MIRROR, None)


def _line(document: Document, path: str) -> int:
    position: Position | None = decode.position_of(document, path)
    return position.line if position is not None else 1
