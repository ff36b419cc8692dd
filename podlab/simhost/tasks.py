"""The Celery task of the sim worker. It carries a name only and may be lost, doubled or late."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from celery import shared_task

from podlab.simhost.host import Host
from podlab.storage import database

logger = logging.getLogger(__name__)

QUEUE = "sim"
EXPIRES = 60

# The host of this process, set by the boot step.
_hosts: list[Host] = []


def play(host: Host | None) -> None:
    """Make `host` the one that this process's tasks run, or none."""
    _hosts[:] = [] if host is None else [host]


@shared_task(name="podlab.simhost.run_cluster", ignore_result=True)
def run_cluster(name: str) -> None:
    for host in list(_hosts):
        host.run(name)


def run_here(threads: ThreadPoolExecutor, name: str) -> None:
    """The same on a thread of this process, without the broker."""
    threads.submit(_run, name)


def _run(name: str) -> None:
    database.let_go()
    try:
        run_cluster.run(name)
    except Exception:
        logger.exception("a turn of cluster %s failed", name)
    finally:
        database.let_go()


def send_run(name: str) -> None:
    """Raises when the broker does not take it."""
    run_cluster.apply_async((name,), queue=QUEUE, retry=False, expires=EXPIRES)
