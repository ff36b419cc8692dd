"""Becomes the Celery worker of PODLAB_ROLE: `python -m podlab.ops.worker`. The supervisor and compose both use it."""

from __future__ import annotations

import os
import sys

from podlab import env

ROLES = ("control", "sim", "node")


def command(role: str) -> list[str]:
    """The argument list of a role's worker."""
    queues = role
    if role == "node":
        queues = ",".join(f"node.{name}" for name in env.names("PODLAB_NODES", "node-a,node-b"))
    process = env.text("PODLAB_PROCESS", role)
    return [
        *(sys.executable, "-m", "celery", "-A", "podlab", "worker", "-Q", queues, "-n", f"{process}@%h"),
        *("--pool", "threads", "-c", "8" if role == "node" else "4", "-l", "WARNING"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def main() -> None:
    role = env.choice("PODLAB_ROLE", "", ROLES)
    arguments = command(role)
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
