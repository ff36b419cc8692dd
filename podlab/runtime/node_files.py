"""A file as a simulated container sees it: what the kubelet places for a volume, what scripts write, what an image has.

Values, and their form in journals. The kubelet makes those of volumes (`kubelet.simulated_volumes`), `runtime.sim.files` puts
everything together.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE, FOLDER, LINK = "file", "folder", "link"
FOLDER_MODE, FILE_MODE = 0o755, 0o644
MAX_FILE = 256 * 1024  # of a text that is kept
_MAX_FILES = 500  # of a folder of the node that is looked through


@dataclass(frozen=True, slots=True)
class NodeFile:
    """`text` of a link is where it leads, of a volume's root the kind of its file system ("" = a disk). `size` in bytes when
    it is more than there is text: only the beginning is kept. `at`: seconds since 1970, 0 = as old as the image."""

    text: str = ""
    kind: str = FILE
    mode: int = FILE_MODE
    uid: int = 0
    gid: int = 0
    size: int = -1
    at: float = 0.0

    @property
    def bytes(self) -> int:
        return self.size if self.size >= 0 else len(self.text.encode())

    @property
    def is_folder(self) -> bool:
        return self.kind == FOLDER


def folder(mode: int = FOLDER_MODE, *, gid: int = 0, at: float = 0.0, system: str = "") -> NodeFile:
    return NodeFile(system, FOLDER, mode, gid=gid, at=at)


def link(target: str, *, at: float = 0.0) -> NodeFile:
    return NodeFile(target, LINK, 0o777, at=at)


def to_json(file: NodeFile | None) -> Any:
    """A plain file is its text; None stands for none."""
    if file is None:
        return None
    if file == NodeFile(file.text, at=file.at):
        return file.text
    return [file.text, file.kind, file.mode, file.uid, file.gid, file.size, file.at]


def from_json(data: Any) -> NodeFile | None:
    if data is None:
        return None
    return NodeFile(data) if isinstance(data, str) else NodeFile(*data)


def on_disk(root: Path) -> Mapping[str, NodeFile] | None:
    """What lies at a place of the node, by path below it ("" = itself); None if there is nothing."""
    first = _read(root)
    if first is None:
        return None
    found = {"": first}
    if first.is_folder:
        for place in sorted(root.rglob("*"))[:_MAX_FILES]:
            file = _read(place)
            if file is not None:
                found[f"/{place.relative_to(root)}"] = file
    return found


def _read(place: Path) -> NodeFile | None:
    try:
        known = place.lstat()
        mode, owner = stat.S_IMODE(known.st_mode), (known.st_uid, known.st_gid)
        if stat.S_ISLNK(known.st_mode):
            return NodeFile(str(place.readlink()), LINK, mode, *owner, at=known.st_mtime)
        if stat.S_ISDIR(known.st_mode):
            return NodeFile("", FOLDER, mode, *owner, at=known.st_mtime)
        with place.open("rb") as file:
            text = file.read(MAX_FILE).decode(errors="replace")
        size = known.st_size if known.st_size > MAX_FILE else -1
        return NodeFile(text, FILE, mode, *owner, size, known.st_mtime)
    except OSError:
        return None
