"""What is in a container before anything is written: the folders of a small image, its users, and the kernel's files below
/proc and /dev, as far as scripts ask for them. Pure.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from podlab.runtime.node_files import FOLDER, NodeFile, folder, link

_FOLDERS = (
    "/bin", "/dev", "/dev/pts", "/dev/shm", "/etc", "/home", "/lib", "/lib64", "/mnt", "/opt", "/proc", "/run",
    "/sbin", "/srv", "/sys", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/sbin", "/usr/share", "/var",
    "/var/cache", "/var/lib", "/var/log", "/var/run", "/var/spool", "/var/spool/mail", "/var/www",
)  # fmt: skip
_OPEN_FOLDERS = {"/tmp": 0o1777, "/var/tmp": 0o1777, "/dev/shm": 0o1777, "/root": 0o700}
_PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
_GROUP = "root:x:0:\ndaemon:x:1:\nbin:x:2:\nwheel:x:10:root\nwww-data:x:33:\nnogroup:x:65534:\n"
USERS = {int(line.split(":")[2]): line.split(":")[0] for line in _PASSWD.splitlines()}
GROUPS = {int(line.split(":")[2]): line.split(":")[0] for line in _GROUP.splitlines()}
_DEVICES = {"/dev/null": "", "/dev/zero": "", "/dev/random": "", "/dev/urandom": "", "/dev/tty": "", "/dev/console": ""}
_STATIC: Mapping[str, NodeFile] = {
    "/": folder(),
    **{path: folder() for path in _FOLDERS},
    **{path: folder(mode) for path, mode in _OPEN_FOLDERS.items()},
    "/etc/passwd": NodeFile(_PASSWD),
    "/etc/group": NodeFile(_GROUP),
    "/etc/nsswitch.conf": NodeFile("passwd:\tfiles\ngroup:\tfiles\nshadow:\tfiles\n"),
    **{path: NodeFile(text, mode=0o666) for path, text in _DEVICES.items()},
    "/dev/stdout": link("/proc/self/fd/1"),
    "/dev/stderr": link("/proc/self/fd/2"),
    "/proc/self": link("1"),
}
# linux/capability.h, in the order of its numbers.
_CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip
# What a runtime gives a container that asks for nothing else.
_USUAL = (
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
    "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
)  # fmt: skip
_IMAGE_NAMES: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """As in a ContainerConfig."""

    user: int = 0
    group: int = 0
    groups: tuple[int, ...] = ()
    privileged: bool = False
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    no_new_privileges: bool = False

    def bounding(self) -> int:
        """The capabilities as a bit set."""
        names = set(_CAPABILITIES) if self.privileged or "ALL" in self.add else set(_USUAL)
        if "ALL" in self.drop:
            names = set() if "ALL" not in self.add else names
        names -= {name.removeprefix("CAP_") for name in self.drop}
        names |= {name.removeprefix("CAP_") for name in self.add} & set(_CAPABILITIES)
        return sum(1 << _CAPABILITIES.index(name) for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFiles:
    """The files of one container's image and kernel. `mounts`: path → (file system, read-only)."""

    hostname: str = "localhost"
    rights: Rights = field(default_factory=Rights)
    env: Callable[[], Mapping[str, str]] = dict
    processes: Callable[[], Mapping[int, Sequence[str]]] = lambda: {1: ()}
    mounts: Callable[[], Mapping[str, tuple[str, bool]]] = dict

    def at(self, path: str) -> NodeFile | None:
        found = _STATIC.get(path)
        if found is not None:
            return found
        if path.startswith("/proc/"):
            return self._process(path)
        make = self._made().get(path)
        return NodeFile(make()) if make is not None else None

    def names(self, path: str) -> Iterable[str]:
        if path not in _IMAGE_NAMES:
            _IMAGE_NAMES[path] = tuple(posixpath.basename(one) for one in _known() if posixpath.dirname(one) == path)
        if path == "/proc":
            return (*_IMAGE_NAMES[path], "mounts", *(str(pid) for pid in self.processes()))
        return ("cmdline", "environ", "mounts", "status") if re.fullmatch(r"/proc/\d+", path) else _IMAGE_NAMES[path]

    def _process(self, path: str) -> NodeFile | None:
        """/proc/mounts, /proc/PID and what is in there."""
        if path == "/proc/mounts":
            return NodeFile(self._mount_table(), mode=0o444)
        match = re.fullmatch(r"/proc/(\d+)(?:/(\w+))?", path)
        argv = self.processes().get(int(match[1])) if match is not None else None
        if match is None or argv is None:
            return None
        if match[2] is None:
            return folder(0o555)
        known: dict[str, Callable[[], str]] = {
            "cmdline": lambda: "".join(f"{word}\0" for word in argv),
            "environ": lambda: "".join(f"{name}={value}\0" for name, value in self.env().items()),
            "mounts": self._mount_table,
            "status": lambda: self._status(int(match[1]), argv),
        }
        return NodeFile(known[match[2]](), mode=0o444) if match[2] in known else None

    def _made(self) -> dict[str, Callable[[], str]]:
        return {
            "/etc/hostname": lambda: f"{self.hostname}\n",
        }

    def _status(self, pid: int, argv: Sequence[str]) -> str:
        name = posixpath.basename(argv[0] if argv else "pause")[:15]
        rights, bounding = self.rights, self.rights.bounding()
        effective = bounding if rights.user == 0 else 0
        users, groups = (f"{one}\t{one}\t{one}\t{one}" for one in (rights.user, rights.group))
        rows = {
            "Name": name,
            "State": "S (sleeping)",
            "Pid": str(pid),
            "PPid": "0",
            "Uid": users,
            "Gid": groups,
            "Groups": " ".join(map(str, rights.groups)) + " ",
            "Threads": "1",
            "CapInh": f"{0:016x}",
            "CapPrm": f"{effective:016x}",
            "CapEff": f"{effective:016x}",
            "CapBnd": f"{bounding:016x}",
            "CapAmb": f"{0:016x}",
            "NoNewPrivs": str(int(rights.no_new_privileges)),
            "Seccomp": "0" if rights.privileged else "2",
        }
        return "".join(f"{key}:\t{value}\n" for key, value in rows.items())

    def _mount_table(self) -> str:
        lines = ["overlay / overlay rw,relatime 0 0", "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0"]
        lines += [
            "tmpfs /dev tmpfs rw,nosuid,size=65536k,mode=755 0 0",
            "sysfs /sys sysfs ro,nosuid,nodev,noexec,relatime 0 0",
        ]
        for path, (system, read_only) in self.mounts().items():
            source = "tmpfs" if system == "tmpfs" else "/dev/vda1"
            lines.append(f"{source} {path} {system or 'ext4'} {'ro' if read_only else 'rw'},relatime 0 0")
        return "".join(line + "\n" for line in lines)


def _known() -> Iterable[str]:
    return (*_STATIC, *ImageFiles()._made())


__all__ = ["FOLDER", "GROUPS", "USERS", "ImageFiles", "Rights"]
