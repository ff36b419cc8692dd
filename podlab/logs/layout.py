"""Where the log of a container run lives: `<root>/pods/<namespace>_<name>_<uid>/<container>/<attempt>.log`.

The layout and the names of rotated files are the kubelet's (kuberuntime/helpers.go BuildContainerLogsDirectory,
logs/container_log_manager.go), so that whoever knows a node finds his way. The kubelet writes here; API and pages read.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol


class Pod(Protocol):
    """What names a pod's folder; `runtime.interface.PodRef` fits."""

    @property
    def namespace(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def uid(self) -> str: ...


def pod_folder(root: Path, pod: Pod) -> Path:
    return root / "pods" / _part(f"{pod.namespace}_{pod.name}_{pod.uid}")


def container_log(root: Path, pod: Pod, container: str, attempt: int) -> Path:
    """The live file of one run; its rotated parts lie beside it."""
    return pod_folder(root, pod) / _part(container) / f"{attempt}.log"


def attempts(root: Path, pod: Pod, container: str) -> list[int]:
    """The runs whose live file exists, oldest first."""
    folder = pod_folder(root, pod) / _part(container)
    return sorted(int(file.stem) for file in folder.glob("*.log") if file.stem.isdecimal())


def rotated(path: Path) -> list[Path]:
    """The rotated parts of a log, oldest first: their names end in a time, so they sort by age."""
    prefix = f"{path.name}."
    try:
        return sorted(file for file in path.parent.iterdir() if file.name.startswith(prefix))
    except FileNotFoundError:
        return []


def remove_log(path: Path) -> None:
    """Forget one run: the live file and its rotated parts."""
    for file in (*rotated(path), path):
        file.unlink(missing_ok=True)


def remove_pod(root: Path, pod: Pod) -> None:
    """Forget every run of a pod."""
    shutil.rmtree(pod_folder(root, pod), ignore_errors=True)


def _part(text: str) -> str:
    """One component of a path. Names were validated long before; a slash here would be somebody's way out of the root."""
    if not text or "/" in text or "\0" in text or text in {".", ".."}:
        raise ValueError(f"not a name for a log folder: {text!r}")
    return text
