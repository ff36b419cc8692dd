"""`python -m podlab.ops.health`: exit code 0 when the process of PODLAB_ROLE in this container is healthy."""

from __future__ import annotations

import socket
import sys
import urllib.request
from pathlib import Path

from podlab import env
from podlab.ops.ready import is_ready, process_name

SECONDS = 4.0


def healthy(role: str, data: Path) -> bool:
    if role == "redis":
        with socket.create_connection(("127.0.0.1", 6379), SECONDS) as link:
            link.sendall(b"PING\r\n")
            return link.recv(16).startswith(b"+PONG")
    if role == "web":
        port = env.integer("PODLAB_PORT", 8000, low=1, high=65535)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=SECONDS) as answer:
            return bool(answer.status == 200)
    return is_ready(data, process_name() or role)


def main() -> int:
    role = env.text("PODLAB_ROLE", "web")
    try:
        return 0 if healthy(role, env.folder("PODLAB_DATA", Path(".podlab"))) else 1
    except OSError as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
