"""Does a Docker engine answer? Asked by the supervisor before anything heavy is imported."""

from __future__ import annotations

import socket
from urllib.parse import urlparse

SECONDS = 2.0


def docker_answers(host: str) -> bool:
    """True if `GET /_ping` at DOCKER_HOST (unix:// or tcp://) gives 200."""
    parts = urlparse(host)
    try:
        if parts.scheme == "unix":
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            link.settimeout(SECONDS)
            link.connect(parts.path)
        else:
            link = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 2375), SECONDS)
        with link:
            link.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return link.recv(64).startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
    except OSError:
        return False
