"""Commands that look at users, processes, memory and disks: id, ps, df and their like, worded as in busybox."""

from __future__ import annotations

from collections.abc import Callable

from podlab.runtime.sim.image_files import GROUPS, USERS
from podlab.runtime.sim.inputs import options
from podlab.runtime.sim.look_commands import group, human, kib, user, walk
from podlab.runtime.sim.shell import Shell

_DISK_KIB = 100 * 1024 * 1024  # of a simulated node
_MEMORY_KIB = 4 * 1024 * 1024


def _df(shell: Shell, argv: list[str]) -> int:
    given = options("df", argv[1:], flags="hkmPTi")
    files = shell.machine.files
    rows = [("overlay", "/", _DISK_KIB, _used(shell, ""))]
    for mount, volume in sorted(files.volumes.items()):
        root = volume.get("")
        memory = root is not None and root.text == "tmpfs"
        rows.append(
            ("tmpfs" if memory else "/dev/vda1", mount, _MEMORY_KIB if memory else _DISK_KIB, _used(shell, mount))
        )
    if given.words:
        wanted = {files.mount_of(shell.path(word)) or "/" for word in given.words}
        rows = [row for row in rows if row[1] in wanted]
    short = "h" in given.flags
    shell.io.out(
        f"{'Filesystem':<20} {'Size' if short else '1K-blocks':>10} {'Used':>9} {'Available':>9} Use% Mounted on\n"
    )
    for source, mount, whole, used in rows:
        shown = [human(number * 1024) if short else str(number) for number in (whole, used, whole - used)]
        shell.io.out(f"{source:<20} {shown[0]:>10} {shown[1]:>9} {shown[2]:>9} {-(-used * 100 // whole):3d}% {mount}\n")
    return 0


def _used(shell: Shell, mount: str) -> int:
    files = shell.machine.files
    held = files.volumes[mount].store if mount else files.own
    return sum(kib(file) for file in held.values())


def _du(shell: Shell, argv: list[str]) -> int:
    given = options("du", argv[1:], flags="shkmacx", values="d")
    code = 0
    for word in given.words or ["."]:
        found = list(walk(shell, word, False, 0, 100))
        if not found:
            shell.io.err(f"du: {word}: No such file or directory\n")
            code = 1
            continue
        size = sum(kib(file) for _, file in found)
        shell.io.out(f"{human(size * 1024) if 'h' in given.flags else size}\t{word}\n")
    return code


def _mount(shell: Shell, argv: list[str]) -> int:
    if len(argv) > 1:
        shell.io.err(f"mount: mounting {argv[-2]} on {argv[-1]} failed: Operation not permitted\n")
        return 1
    for line in (shell.machine.files.read("/proc/mounts") or "").splitlines():
        source, path, system, flags = line.split(" ")[:4]
        shell.io.out(f"{source} on {path} type {system} ({flags})\n")
    return 0


def _id(shell: Shell, argv: list[str]) -> int:
    given = options("id", argv[1:], flags="ugGn")
    owner = shell.machine.files.owner
    groups = sorted({owner.gid, *owner.groups, *((10,) if owner.uid == 0 else ())})
    named = "n" in given.flags
    if "u" in given.flags:
        shell.io.out(f"{user(owner.uid) if named else owner.uid}\n")
    elif "g" in given.flags:
        shell.io.out(f"{group(owner.gid) if named else owner.gid}\n")
    elif "G" in given.flags:
        shell.io.out(" ".join(group(one) if named else str(one) for one in groups) + "\n")
    else:
        listed = ",".join(_with_name(one, GROUPS) for one in groups)
        shell.io.out(f"uid={_with_name(owner.uid, USERS)} gid={_with_name(owner.gid, GROUPS)} groups={listed}\n")
    return 0


def _with_name(number: int, names: dict[int, str]) -> str:
    return f"{number}({names[number]})" if number in names else str(number)


def _whoami(shell: Shell, argv: list[str]) -> int:
    uid = shell.machine.files.owner.uid
    if uid not in USERS:
        shell.io.err(f"whoami: unknown uid {uid}\n")
        return 1
    shell.io.out(f"{USERS[uid]}\n")
    return 0


def _ps(shell: Shell, argv: list[str]) -> int:
    """The main processes, and this command. Children of a main process are not told apart."""
    owner, found = shell.machine.files.owner, shell.machine.processes()
    shell.io.out("PID   USER     TIME  COMMAND\n")
    for pid, words in (*found.items(), (max(found) + 6, argv)):
        shell.io.out(f"{pid:5d} {user(owner.uid):<8}  0:00 {' '.join(words)}\n")
    return 0


def _free(shell: Shell, argv: list[str]) -> int:
    whole = shell.machine.setting.memory_limit // 1024 or _MEMORY_KIB
    used = (shell.machine.memory or 2 * 2**20) // 1024
    unit = 1024 if "-m" in argv[1:] else 1
    shell.io.out(f"{'':14}{'total':>12}{'used':>12}{'free':>12}\n")
    shell.io.out(f"{'Mem:':<14}{whole // unit:>12}{used // unit:>12}{(whole - used) // unit:>12}\n")
    return 0


COMMANDS: dict[str, Callable[[Shell, list[str]], int]] = {
    "df": _df,
    "du": _du,
    "free": _free,
    "id": _id,
    "mount": _mount,
    "ps": _ps,
    "whoami": _whoami,
}
