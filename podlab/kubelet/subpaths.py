"""A part of a volume as a mount: subPath and subPathExpr. `volumes.mounts` calls it.

pkg/kubelet/kubelet_pods.go makeMounts and pkg/volume/util/subpath. A part that is missing is made as a folder; one that
leads out of its volume (through a link that a container has placed there) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from podlab.apis.types import Manifest
from podlab.kubelet.environment import ConfigError, expand

_MISSING = re.compile(r"\$\(([^()]*)\)")


def wanted(mount: Manifest, env: Mapping[str, str]) -> str:
    """The part as a relative path; "" for the whole volume."""
    if not mount.get("subPathExpr"):
        return str(mount.get("subPath") or "")
    text = expand(str(mount["subPathExpr"]), env)
    missing = next((name for name in _MISSING.findall(str(mount["subPathExpr"])) if name not in env), None)
    if missing is not None:
        raise ConfigError(f'missing value for "{missing}"')
    return text


def prepare(root: Path, part: str, *, mount: str, container: str, make: bool = True) -> Path:
    """The place of `part` in the volume at `root`, made if need be and if `make` allows it."""
    complaint = f'failed to prepare subPath for volumeMount "{mount}" of container "{container}"'
    if part.startswith("/") or ".." in Path(part).parts:
        raise ConfigError(complaint)
    real = root.resolve()
    place = (real / part).resolve()
    if place != real and real not in place.parents:
        raise ConfigError(complaint)
    try:
        if not place.exists() and not make:
            raise ConfigError(complaint)
        if not place.exists():
            place.mkdir(parents=True)
            place.chmod(real.stat().st_mode & 0o7777)
    except OSError:
        raise ConfigError(complaint) from None
    return place
