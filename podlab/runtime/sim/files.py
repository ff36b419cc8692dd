"""The files of a simulated container: those of its image, its own, and those on its volumes, in one tree with links and
permissions. Nothing here touches a real file.

Own files and those on volumes that can be written are kept by path; a folder that nobody made but that something lies in is
there as well. A volume is one store for all that mount it, or a part of it; what the kubelet placed there lies below.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from podlab.runtime.node_files import FILE, LINK, MAX_FILE, NodeFile, folder

Store = dict[str, NodeFile]  # by path below the root of a volume, "" for the root itself
MISSING = "No such file or directory"
DENIED = "Permission denied"
READ_ONLY = "Read-only file system"
IS_FOLDER = "Is a directory"
NO_FOLDER = "Not a directory"
FULL = "No space left on device"
BUSY = "Device or resource busy"
NOT_EMPTY = "Directory not empty"
EXISTS = "File exists"
TOO_MANY_LINKS = "Symbolic link loop"
# A container keeps no more than this in memory.
MAX_FILES = 5000
MAX_BYTES = 8 * 1024 * 1024
_MAX_LINKS = 20
_READ, _WRITE, _ENTER = 4, 2, 1


class FileError(Exception):
    """What the kernel would say."""


class Volume:
    """One mount. `part`: below the volume's root, as in "/a", as it is when the container first looks; `look`: what the
    kubelet placed in the volume; `wrote` hears of changes."""

    def __init__(
        self,
        store: Store,
        look: Callable[[], Mapping[str, NodeFile]],
        *,
        part: str = "",
        read_only: bool = False,
        wrote: Callable[[str, NodeFile | None], None] | None = None,
    ) -> None:
        self.store = store
        self.read_only = read_only
        self._look = look
        self._part = part
        self._wrote = wrote
        self._fixed: Mapping[str, NodeFile] | None = None

    def look(self) -> Mapping[str, NodeFile]:
        """A part is mounted as it was found: what comes later is not seen (subPath mounts do not update)."""
        if not self._part:
            return self._look()
        if self._fixed is None:
            self._fixed = self._look()
            self._part = _within(self._fixed, self._part)
        return self._fixed

    def get(self, inner: str) -> NodeFile | None:
        placed = self.look()
        path = self._part + inner
        found = self.store.get(path) or placed.get(path)
        if found is None and (not inner or any(_names((*self.store, *placed), path))):
            return folder(0o777 if not inner else 0o755)
        return found

    def names(self, inner: str) -> Iterable[str]:
        placed = self.look()
        return _names((*self.store, *placed), self._part + inner)

    def put(self, inner: str, file: NodeFile | None) -> None:
        self.look()
        path = self._part + inner
        if file is None:
            self.store.pop(path, None)
        else:
            self.store[path] = file
        if self._wrote is not None:
            self._wrote(path, file)

    def kind(self) -> tuple[str, bool]:
        """Its file system and whether it is read-only, as in /proc/mounts."""
        root = self._look().get("")
        return root.text if root is not None and root.is_folder else "", self.read_only

    def prepare(self) -> None:
        """A part of a volume that is not there becomes a folder like the volume's root."""
        if not self._part or self.read_only:
            return
        placed = self.look()
        if self.store.get(self._part) is None and placed.get(self._part) is None:
            root = placed.get("")
            self.put("", folder(root.mode if root is not None else 0o777, gid=root.gid if root is not None else 0))


@dataclass(slots=True)
class Owner:
    """Who works with the files."""

    uid: int = 0
    gid: int = 0
    groups: frozenset[int] = frozenset()


def _nothing(path: str) -> NodeFile | None:
    return folder() if path == "/" else None


def _no_names(path: str) -> Iterable[str]:
    return ()


@dataclass(slots=True)
class Files:
    """`image` and `image_names`: what the image has at a path, and in a folder. `strict`: all its folders are known, so that
    nothing can be made in one that is not there."""

    volumes: Mapping[str, Volume] = field(default_factory=dict)
    image: Callable[[str], NodeFile | None] = _nothing
    image_names: Callable[[str], Iterable[str]] = _no_names
    owner: Owner = field(default_factory=Owner)
    now: Callable[[], float] = lambda: 0.0
    strict: bool = False
    read_only: bool = False  # the container's own part
    own: Store = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)  # of the image

    # Looking

    def find(self, path: str, *, follow: bool = True) -> NodeFile | None:
        """The file, or None. `follow`: of a link, what it leads to."""
        try:
            return self._at(self.real(path, follow=follow))
        except FileError:
            return None

    def real(self, path: str, *, follow: bool = True) -> str:
        """The path without links on the way; `follow`: and at its end."""
        done, rest, links = "/", [part for part in path.split("/") if part], 0
        while rest:
            part = rest.pop(0)
            here = posixpath.normpath(posixpath.join(done, part))
            found = self._at(here)
            if found is not None and found.kind == LINK and (rest or follow):
                links += 1
                if links > _MAX_LINKS:
                    raise FileError(TOO_MANY_LINKS)
                target = posixpath.join(done, found.text)
                done, rest = "/", [*(part for part in target.split("/") if part), *rest]
            else:
                done = here
        return done

    def _at(self, path: str) -> NodeFile | None:
        mount = self.mount_of(path)
        if mount is not None:
            return self.volumes[mount].get(path[len(mount) :])
        found = self.own.get(path)
        if found is None and path not in self.removed:
            found = self.image(path)
        if found is None and any(self.under(path)):
            return folder()
        return found

    def mount_of(self, path: str) -> str | None:
        mounts = [mount for mount in self.volumes if path == mount or path.startswith(mount.rstrip("/") + "/")]
        return max(mounts, key=len, default=None)

    def under(self, path: str) -> list[str]:
        """Names directly inside a folder, sorted, with those that begin with a dot."""
        mount = self.mount_of(path)
        if mount is not None:
            found = set(self.volumes[mount].names(path[len(mount) :]))
        else:
            found = set(_names(self.own, path))
            prefix = path.rstrip("/") + "/"
            found |= {name for name in self.image_names(path) if prefix + name not in self.removed}
        return sorted(found | set(_names(self.volumes, path)))

    def read(self, path: str) -> str | None:
        """The text of a file that can be read, or None."""
        try:
            return self.open(path)
        except FileError:
            return None

    def open(self, path: str) -> str:
        """The text of a file. FileError says why not."""
        real = self.real(path)
        self._way(real)
        found = self._at(real)
        if found is None:
            raise FileError(MISSING)
        if found.is_folder:
            raise FileError(IS_FOLDER)
        if not self._may(found, _READ):
            raise FileError(DENIED)
        return found.text

    def may(self, path: str, letter: str) -> bool:
        """test -r, -w, -x."""
        found = self.find(path)
        return found is not None and self._may(found, {"r": _READ, "w": _WRITE, "x": _ENTER}[letter])

    def _way(self, path: str) -> None:
        """All folders on the way can be entered."""
        if self.owner.uid == 0:
            return
        above = posixpath.dirname(path)
        while above != "/":
            found = self._at(above)
            if found is not None and not self._may(found, _ENTER):
                raise FileError(DENIED)
            above = posixpath.dirname(above)

    def _may(self, file: NodeFile, bits: int) -> bool:
        if self.owner.uid == 0:
            return bits != _ENTER or file.is_folder or bool(file.mode & 0o111)
        if file.uid == self.owner.uid:
            return bool(file.mode >> 6 & bits)
        if file.gid == self.owner.gid or file.gid in self.owner.groups:
            return bool(file.mode >> 3 & bits)
        return bool(file.mode & bits)

    # Changing

    def write(self, path: str, text: str | None) -> bool:
        """None removes. False if that is not allowed."""
        try:
            if text is None:
                self.remove(path)
            else:
                self.save(path, text)
        except FileError:
            return False
        return True

    def save(self, path: str, text: str, *, size: int = -1) -> None:
        """Make or replace the text of a file. FileError says why not."""
        real = self.real(path)
        before = self._at(real)
        if before is not None and before.is_folder:
            raise FileError(IS_FOLDER)
        if before is None:
            self._room_in(real)
            before = self._new(real, FILE, 0o644)
        elif not self._may(before, _WRITE):
            raise FileError(DENIED)
        if size < 0 and len(text) > MAX_FILE:
            size = len(text.encode())
        self._put(real, replace(before, text=text[:MAX_FILE], size=size, at=self.now()))

    def append(self, path: str, text: str) -> None:
        """At the end of a file, which is made if need be."""
        before = self.find(path)
        if before is None or before.is_folder:
            self.save(path, text)
            return
        size = before.bytes + len(text.encode())
        whole = before.text + text if before.size < 0 else before.text
        self.save(path, whole, size=size if before.size >= 0 or size > MAX_FILE else -1)

    def make_folder(self, path: str, mode: int = 0o755) -> None:
        real = self.real(path)
        if self._at(real) is not None:
            raise FileError(EXISTS)
        self._room_in(real)
        self._put(real, self._new(real, "folder", mode))

    def make_link(self, path: str, target: str) -> None:
        real = self.real(path, follow=False)
        if self._at(real) is not None:
            raise FileError(EXISTS)
        self._room_in(real)
        self._put(real, replace(self._new(real, LINK, 0o777), text=target))

    def change(self, path: str, *, mode: int | None = None, uid: int | None = None, gid: int | None = None) -> None:
        """chmod, chown."""
        real = self.real(path)
        found = self._at(real)
        if found is None:
            raise FileError(MISSING)
        if self.owner.uid not in (0, found.uid) or (uid is not None and self.owner.uid != 0):
            raise FileError("Operation not permitted")
        found = replace(found, mode=found.mode if mode is None else mode)
        found = replace(found, uid=found.uid if uid is None else uid, gid=found.gid if gid is None else gid)
        self._put(real, found)

    def remove(self, path: str) -> None:
        """A file, a link, or a folder with everything in it."""
        real = self.real(path, follow=False)
        if self._at(real) is None:
            raise FileError(MISSING)
        if real in self.volumes:
            raise FileError(BUSY)
        self._may_change_folder(real)
        for name in self.under(real):
            self.remove(f"{real}/{name}")
        self._put(real, None)

    def restore(self, path: str, file: NodeFile | None) -> None:
        """What the journal says that somebody did: without asking."""
        self._put(path, file, asked=False)

    def _new(self, path: str, kind: str, mode: int) -> NodeFile:
        """Belongs to who makes it, or to the group of a folder that says so."""
        above = self._at(posixpath.dirname(path))
        given = above is not None and bool(above.mode & 0o2000)
        gid = above.gid if above is not None and given else self.owner.gid
        bits = 0o2000 if given and kind == "folder" else 0
        return NodeFile("", kind, mode | bits, self.owner.uid, gid, at=self.now())

    def _room_in(self, path: str) -> None:
        """Whether something new may be made at the path."""
        above = self._at(posixpath.dirname(path))
        if above is None and self.strict:
            raise FileError(MISSING)
        if above is not None and not above.is_folder:
            raise FileError(NO_FOLDER)
        self._may_change_folder(path)
        if len(self.own) >= MAX_FILES or sum(len(file.text) for file in self.own.values()) > MAX_BYTES:
            raise FileError(FULL)

    def _may_change_folder(self, path: str) -> None:
        self._writable(path)
        above = self._at(posixpath.dirname(path))
        if above is not None and not self._may(above, _WRITE):
            raise FileError(DENIED)

    def _writable(self, path: str) -> None:
        mount = self.mount_of(path)
        closed = self.volumes[mount].read_only if mount is not None else self.read_only
        if closed and not path.startswith(("/dev/", "/proc/")):
            raise FileError(READ_ONLY)

    def _put(self, path: str, file: NodeFile | None, *, asked: bool = True) -> None:
        if asked:
            self._writable(path)
        mount = self.mount_of(path)
        if mount is not None:
            self.volumes[mount].put(path[len(mount) :], file)
        elif file is None:
            self.own.pop(path, None)
            self.removed.add(path)
        else:
            self.own[path] = file
            self.removed.discard(path)


def _names(paths: Iterable[str], path: str) -> Iterable[str]:
    prefix = path.rstrip("/") + "/"
    return {one[len(prefix) :].split("/")[0] for one in paths if one.startswith(prefix) and one != prefix}


def _within(placed: Mapping[str, NodeFile], part: str) -> str:
    """A path inside of a volume without the links on it."""
    done, rest = "", [one for one in part.split("/") if one]
    for _ in range(_MAX_LINKS * 5):
        if not rest:
            break
        here = posixpath.normpath(f"{done}/{rest.pop(0)}")
        found = placed.get(here)
        if found is not None and found.kind == LINK:
            rest = [*(one for one in found.text.split("/") if one), *rest]
        else:
            done = here
    return done
