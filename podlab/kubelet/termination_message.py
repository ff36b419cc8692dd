"""The last words of a container: the file at its terminationMessagePath, kept outside of it per run, or the end of its
output where the container asks for that.

pkg/kubelet/kuberuntime: makeMounts, getTerminationMessage and readLastStringFromContainerLogs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from podlab.apis.types import Manifest
from podlab.runtime.interface import ContainerState, ContainerStatus, Mount, PodStatus

MAX_BYTES = 4096
MAX_LOG_BYTES, MAX_LOG_LINES = 2048, 80
DEFAULT_PATH = "/dev/termination-log"

ReadLog = Callable[[str, int], str]


def mount(pod_folder: Path, container: Manifest, attempt: int) -> Mount:
    """Make the empty file of one run, writable by whatever user the container has."""
    file = _file(pod_folder, container["name"], attempt)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    file.chmod(0o666)
    if container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        _marker(file).touch()
    return Mount(host_path=str(file), container_path=container.get("terminationMessagePath") or DEFAULT_PATH)


def with_messages(pod_folder: Path, observed: PodStatus, read_log: ReadLog) -> PodStatus:
    """What the runtime shows, completed with what ended containers have left behind."""
    found = tuple(_with_message(pod_folder, status, read_log) for status in observed.containers)
    return replace(observed, containers=found)


def _with_message(pod_folder: Path, status: ContainerStatus, read_log: ReadLog) -> ContainerStatus:
    if status.state is not ContainerState.EXITED or status.message:
        return status
    file = _file(pod_folder, status.name, status.attempt)
    text = _tail(file)
    if not text and status.exit_code and _marker(file).exists():
        text = from_log(read_log(status.id, MAX_LOG_LINES))
        file.write_text(text)  # later it is read from there, also when the engine has lost the log
    return replace(status, message=text) if text else status


def from_log(output: str) -> str:
    """The end of a container's output, cut to what a message may hold."""
    return output.encode()[-MAX_LOG_BYTES:].decode("utf-8", "replace")


def _marker(file: Path) -> Path:
    """Exists beside the file of a run that falls back to its log."""
    return file.with_suffix(".log-counts")


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
