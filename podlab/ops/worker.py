"""The Celery worker of PODLAB_ROLE: `python -m podlab.ops.worker`. The supervisor and compose both use it.

It makes the worker itself: Celery's command line would import a terminal shell and whatever else a person at a prompt may want, in
each process of a lab and at each start.
"""

from __future__ import annotations

import os
import sys
from socket import gethostname

from podlab import env

ROLES = ("control", "sim", "node")


def command() -> list[str]:
    """The argument list of a worker; its role is PODLAB_ROLE."""
    return [sys.executable, "-m", "podlab.ops.worker"]


def queues(role: str) -> list[str]:
    """What a worker of this role takes tasks from. A node worker plays all of PODLAB_NODES."""
    return [f"node.{name}" for name in env.names("PODLAB_NODES", "node-a,node-b")] if role == "node" else [role]


def main() -> int:
    """Work until TERM; returns the exit code."""
    role = env.choice("PODLAB_ROLE", "", ROLES)
    # Django's checks import every page, which no worker needs; `make check` makes them.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    from podlab.celery import app

    worker = app.Worker(
        hostname=f"{env.text('PODLAB_PROCESS', role)}@{gethostname()}",
        queues=queues(role),
        pool_cls="threads",
        concurrency=8 if role == "node" else 4,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return worker.exitcode or 0


if __name__ == "__main__":
    raise SystemExit(main())
