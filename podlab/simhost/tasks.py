"""The Celery task of the sim worker. It carries a name only and may be lost, doubled or late."""

from __future__ import annotations

from celery import shared_task

from podlab.simhost.host import Host

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


def send_run(name: str) -> None:
    """Raises when the broker does not take it."""
    run_cluster.apply_async((name,), queue=QUEUE, retry=False, expires=EXPIRES)
