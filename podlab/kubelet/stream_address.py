"""Where a worker's stream server listens and what its nodes publish: from the settings, the same after a restart.

By default a Unix socket in the data folder, which nobody but the lab's own user can open. Where the workers share no
machine with the API server, PODLAB_STREAM_BIND makes it TCP: "0.0.0.0" (ports 10250 for Docker nodes, 10251 for simulated
ones) or "0.0.0.0:4000". Published is then PODLAB_STREAM_ADDRESS, or this machine's address if it listens on all of them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings

from podlab import env
from podlab.kubelet.node_host import own_address
from podlab.kubelet.stream_server import Door, StreamServer
from podlab.registry import streams
from podlab.registry.streams import Address

DEFAULT_PORTS = {"node": 10250, "sim": 10251}  # the first is a real kubelet's
_LONGEST_PATH = 100  # sockaddr_un holds 108 bytes
_EVERYWHERE = frozenset({"0.0.0.0", "::"})


def make_server(role: str, door: Door) -> StreamServer:
    return StreamServer(listen=listening(role), key=streams.key_of(settings.SECRET_KEY), door=door)


def published(role: str) -> str:
    if settings.PODLAB_STREAM_ADDRESS:
        return str(streams.parse_address(settings.PODLAB_STREAM_ADDRESS))
    found = listening(role)
    if found.path is None and found.host in _EVERYWHERE:
        return str(Address(host=own_address(), port=found.port))
    return str(found)


def listening(role: str) -> Address:
    """Where the worker of that role ("node", "sim") listens; raises ProtocolError for a bad setting."""
    bind = settings.PODLAB_STREAM_BIND
    if not bind:
        return Address(path=socket_path(settings.PODLAB_DATA, env.text("PODLAB_PROCESS", role)))
    if bind.startswith("[") or bind.count(":") == 1:
        return streams.parse_address(bind if not bind.endswith("]") else f"{bind}:{DEFAULT_PORTS[role]}")
    return Address(host=bind, port=DEFAULT_PORTS[role])


def socket_path(data: Path, name: str) -> Path:
    """In the data folder, unless its path is too long for a socket."""
    path = data / "run" / f"streams-{name}.sock"
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"podlab-{os.getuid()}-{digest}" / path.name
