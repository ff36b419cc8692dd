"""File systems in memory with a size of their own, for emptyDir volumes of medium Memory with a sizeLimit. `volume_folders` uses it.

An agent that may not mount leaves such a volume in the shared memory of the machine, where only the eviction by size holds it.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from pathlib import Path

logger = logging.getLogger(__name__)

_OCTAL = re.compile(r"\\([0-7]{3})")


def mount(target: Path, size: int) -> bool:
    """Put a file system of `size` bytes on a folder; False if we may not. Mounted already counts as done."""
    if os.path.ismount(target):
        return True
    program = shutil.which("mount")
    if program is None or os.geteuid() != 0:
        return False
    command = [program, "-t", "tmpfs", "-o", f"size={size},mode=1777,nosuid,nodev", "tmpfs", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if done.returncode != 0:
        logger.info("%s has no size of its own: %s", target, done.stderr.strip())
    return done.returncode == 0


def unmount_below(root: Path) -> None:
    """What `mount` has put there, also by an earlier agent. A busy one goes as soon as nobody uses it."""
    program = shutil.which("umount")
    if program is None or os.geteuid() != 0:
        return
    for place in _mounted_below(root):
        subprocess.run([program, "--lazy", str(place)], capture_output=True, timeout=30)


def _mounted_below(root: Path) -> list[Path]:
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return []
    points = (_OCTAL.sub(lambda match: chr(int(match[1], 8)), line.split(" ")[4]) for line in lines)
    found = [Path(point) for point in points]
    return sorted((point for point in found if root in point.parents), reverse=True)
