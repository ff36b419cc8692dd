"""The last words of a container: the file at its terminationMessagePath, kept outside of it per run.

pkg/kubelet/kuberuntime: makeMounts and getTerminationMessage. Policy File; falling back to the log is not done yet, such a
container simply has no message when it wrote no file.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from podlab.apis.types import Manifest
from podlab.runtime.interface import ContainerState, ContainerStatus, Mount, PodStatus

MAX_BYTES = 4096
DEFAULT_PATH = "/dev/termination-log"


def mount(pod_folder: Path, container: Manifest, attempt: int) -> Mount:
    """Make the empty file of one run, writable by whatever user the container has."""
    file = _file(pod_folder, container["name"], attempt)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    file.chmod(0o666)
    return Mount(host_path=str(file), container_path=container.get("terminationMessagePath") or DEFAULT_PATH)


def with_messages(pod_folder: Path, observed: PodStatus) -> PodStatus:
    """What the runtime shows, completed with what ended containers have left behind."""
    return replace(observed, containers=tuple(_with_message(pod_folder, status) for status in observed.containers))


def _with_message(pod_folder: Path, status: ContainerStatus) -> ContainerStatus:
    if status.state is not ContainerState.EXITED or status.message:
        return status
    text = _tail(_file(pod_folder, status.name, status.attempt))
    return replace(status, message=text) if text else status


def _tail(file: Path) -> str:
    """The end of the file: a container may have written gigabytes."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(size - MAX_BYTES, 0))
            return stream.read(MAX_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _file(pod_folder: Path, container: str, attempt: int) -> Path:
    return pod_folder / "containers" / container / f"{attempt}.message"
