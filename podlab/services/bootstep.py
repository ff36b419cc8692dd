"""Runs the service proxy and the cluster's DNS in the node worker, before its kubelets start. `celery` adds this step."""

from __future__ import annotations

import logging
from ipaddress import IPv4Network
from typing import Any

from celery import bootsteps
from django.conf import settings

from podlab.clock import RealClock
from podlab.ops import pod_network
from podlab.ops.pod_network import NoPodNetwork
from podlab.registry.clusters import MAIN
from podlab.services.host import ServicesHost, tell
from podlab.services.iptables import CannotProxy
from podlab.storage import hub

logger = logging.getLogger(__name__)


class ServicesStep(bootsteps.StartStopStep):
    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._host: ServicesHost | None = None

    def start(self, parent: Any) -> None:
        try:
            self._host = _start()
        except (CannotProxy, NoPodNetwork) as problem:
            clock = RealClock()
            tell(MAIN, settings.PODLAB_NODES, str(problem), clock)
            clock.close()

    def stop(self, parent: Any) -> None:
        host, self._host = self._host, None
        if host is not None:
            host.stop()

    terminate = stop


def _start() -> ServicesHost:
    if not settings.PODLAB_SERVICE_RULES:
        raise CannotProxy(f"another lab uses the service network {settings.PODLAB_SERVICE_NETWORK}")
    pods = pod_network.find(settings.PODLAB_DOCKER_HOST, settings.PODLAB_DOCKER_NETWORK)
    network = IPv4Network(settings.PODLAB_SERVICE_NETWORK)
    host = ServicesHost(cluster=MAIN, network=network, bridge=pods.bridge, gateway=pods.gateway, hub=hub.hub())
    try:
        host.start()
    except CannotProxy:
        host.stop()
        raise
    return host
