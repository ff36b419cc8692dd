"""What a node has left now: the machine's memory, the disk of its pods and process numbers; for a simulated node what its
annotations say. `eviction_manager` asks."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from podlab.apis import quantity
from podlab.apis.quantity import QuantityError
from podlab.kubelet.pressure import DISK, MEMORY, PIDS, Reading
from podlab.runtime.interface import MachineInfo

SIMULATED_PREFIX = "sim.podlab.dev/"
_SIMULATED_PIDS = 32768


def of_machine(disk: Path, proc: Path = Path("/proc")) -> dict[str, Reading]:
    """This machine; what cannot be read is left out."""
    found = {MEMORY: _memory(proc), DISK: _disk(disk), PIDS: _pids(proc)}
    return {signal: reading for signal, reading in found.items() if reading is not None}


def of_annotations(annotations: Mapping[str, str], machine: MachineInfo) -> tuple[dict[str, Reading], list[str]]:
    """A simulated node's `sim.podlab.dev/memory.available: 80Mi` and so on, and what is wrong with them."""
    capacity = {MEMORY: machine.memory_bytes, DISK: machine.storage_bytes, PIDS: _SIMULATED_PIDS}
    found: dict[str, Reading] = {}
    problems: list[str] = []
    for signal, whole in capacity.items():
        text = annotations.get(SIMULATED_PREFIX + signal)
        if text is None:
            continue
        try:
            found[signal] = Reading(quantity.value(text), whole)
        except QuantityError:
            problems.append(f"annotation {SIMULATED_PREFIX}{signal}: {text!r} is not an amount")
    return found, problems


def storage(folder: Path) -> int:
    """The size in bytes of the disk below a folder that need not be there yet; 0 = it cannot be told."""
    try:
        return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).total
    except (OSError, StopIteration):
        return 0


def _memory(proc: Path) -> Reading | None:
    try:
        lines = (line.split() for line in (proc / "meminfo").read_text().splitlines())
        values = {words[0]: int(words[1]) * 1024 for words in lines if len(words) > 1}
        return Reading(values["MemAvailable:"], values["MemTotal:"])
    except (OSError, ValueError, KeyError):
        return None


def _disk(folder: Path) -> Reading | None:
    try:
        found = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists()))
        return Reading(found.free, found.total)
    except (OSError, StopIteration):
        return None


def _pids(proc: Path) -> Reading | None:
    try:
        most = int((proc / "sys" / "kernel" / "pid_max").read_text())
        running = int((proc / "loadavg").read_text().split()[3].partition("/")[2])
        return Reading(most - running, most)
    except (OSError, ValueError, IndexError):
        return None
