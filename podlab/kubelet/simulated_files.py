"""The files that a simulated node places where its containers look: volumes, laid out as on a real node's disk, and /etc/hosts
and /etc/resolv.conf. Values for the runtime; nothing is written anywhere.

Layout as in `volume_folders` (pkg/volume/util/atomic_writer.go), ownership by fsGroup as in pkg/volume/volume_linux.go. Owners
and modes are exact whoever runs the lab.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from podlab.apis.types import Manifest
from podlab.kubelet import hosts
from podlab.kubelet.claim_folders import Held
from podlab.kubelet.context import Context, PodState
from podlab.kubelet.volume_folders import IN_MEMORY, READ_ONLY, File, kind
from podlab.runtime.interface import Mount
from podlab.runtime.node_files import FILE, FOLDER, NodeFile, folder, link

Tree = Mapping[str, NodeFile]
_SETGID = 0o2000


def place(ctx: Context, state: PodState, volume: Manifest, content: list[File]) -> None:
    """Give the containers of a pod what a volume holds now."""
    if ctx.places is None or state.pod is None or kind(volume) in ("hostPath", "image"):
        return
    root, name = str(ctx.folders(state.ref.uid).of(volume)), str(volume["name"])
    now = ctx.clock.now()
    tree = of_volume(volume, content, state.pod, now=now, before=state.placed.get(name))
    state.placed[name] = tree
    ctx.places.place_files(root, tree)


def place_claim(ctx: Context, state: PodState, held: Held) -> None:
    """A volume that outlives its pods keeps what they write; its root may belong to a group."""
    if ctx.places is None or state.pod is None or held.host:
        return
    group = (state.pod["spec"].get("securityContext") or {}).get("fsGroup")
    ctx.places.place_files(str(held.path), {"": _given(folder(0o777), group, read_only=held.read_only)})


def of_volume(
    volume: Manifest, content: list[File], pod: Manifest, *, now: datetime, before: Tree | None = None
) -> Tree:
    """By path below the volume's root. `before`: what was there; it stays if the content is the same."""
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    which, at = kind(volume), now.timestamp()
    memory = which in IN_MEMORY or (volume.get("emptyDir") or {}).get("medium") == "Memory"
    root = folder(0o1777 if memory else 0o777, at=at, system="tmpfs" if memory else "")
    if which not in READ_ONLY:
        return {"": _given(root, group, read_only=False)}
    found = _atomic(content, now)
    if before is not None and _texts(before) == _texts(found):
        return before
    return {path: _given(file, group, read_only=True) for path, file in {"": root, **found}.items()}


def _atomic(content: list[File], now: datetime) -> dict[str, NodeFile]:
    """`..data` leads to a folder with the time, every top name into `..data`."""
    at = now.timestamp()
    stamp = f"/{now.strftime('..%Y_%m_%d_%H_%M_%S')}.{now.microsecond * 1000:010d}"
    found = {stamp: folder(at=at), "/..data": link(stamp[1:], at=at)}
    for file in content:
        path = PurePosixPath(file.path)
        for above in list(path.parents)[:-1]:
            found[f"{stamp}/{above}"] = folder(at=at)
        found[f"{stamp}/{path}"] = NodeFile(file.data.decode(errors="replace"), FILE, file.mode, file.owner or 0, at=at)
        found[f"/{path.parts[0]}"] = link(f"..data/{path.parts[0]}", at=at)
    return found


def _texts(tree: Tree) -> dict[str, str]:
    """What a container reads, by the path under which it is seen."""
    stamp = tree["/..data"].text
    return {path.removeprefix(f"/{stamp}"): file.text for path, file in tree.items() if file.kind == FILE}


def _given(file: NodeFile, group: object, *, read_only: bool) -> NodeFile:
    """To a group: it may read (and write) everything, and what is made later belongs to it too."""
    if group is None or file.kind not in (FILE, FOLDER):
        return file
    mode = file.mode | (0o440 if read_only else 0o660) | (_SETGID | 0o110 if file.is_folder else 0)
    return replace(file, mode=mode, gid=int(str(group)))


def host_mounts(ctx: Context, state: PodState, container: Manifest, ip: str) -> tuple[Mount, ...]:
    """/etc/hosts and /etc/resolv.conf; paths that the container mounts itself are left alone."""
    own = {str(mount["mountPath"]).rstrip("/") for mount in container.get("volumeMounts") or []}
    place_hosts(ctx, state, ip)
    base = ctx.pod_root / state.ref.uid
    return tuple(
        Mount(host_path=str(_file(base, path)), container_path=path) for path in hosts.PATHS if path not in own
    )


def place_hosts(ctx: Context, state: PodState, ip: str) -> None:
    if ctx.places is None or state.pod is None or not ip:
        return
    base, at = ctx.pod_root / state.ref.uid, ctx.clock.now().timestamp()
    for path, text in hosts.texts(state.pod, ip, ctx.cluster_dns(), node_hosts="", node_resolver="").items():
        known = state.placed.get(path)
        if known is None or known[""].text != text:
            state.placed[path] = known = {"": NodeFile(text, at=at)}
        ctx.places.place_files(str(_file(base, path)), known)


def _file(base: Path, path: str) -> Path:
    return base / "etc-hosts" if path == hosts.HOSTS else base / Path(path).name
