"""The host of this process, if it is the control worker's: tasks run on its pool threads and find it here."""

from __future__ import annotations

from podlab.controllers.host import ControllersHost

_host: ControllersHost | None = None


def set_host(host: ControllersHost | None) -> None:
    global _host
    _host = host


def work(cluster: str, controller: str, key: str) -> None:
    if _host is not None:
        _host.work(cluster, controller, key)
