"""Makes a Celery worker a node: starts the kubelets of PODLAB_NODES with the worker and stops them with it.

`celery` adds this step when PODLAB_ROLE is `node`.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import bootsteps
from django.conf import settings

from podlab.kubelet import stream_address, tasks
from podlab.kubelet.image_gc import Policy
from podlab.kubelet.node_host import NodeHost
from podlab.kubelet.stream_server import StreamServer
from podlab.ops.prepare import lab_id
from podlab.registry.clusters import MAIN
from podlab.runtime.docker import DockerRuntime
from podlab.runtime.handlers import Handlers
from podlab.runtime.interface import MachineInfo, Runtime
from podlab.runtime.sim.beside import Beside
from podlab.storage import hub

logger = logging.getLogger(__name__)


class NodeStep(bootsteps.StartStopStep):
    """After the pool: the first syncs need somebody to do them. After the Services: pods are given the cluster's DNS."""

    requires = ("celery.worker.components:Pool", "podlab.services.bootstep:ServicesStep")

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._host: NodeHost | None = None
        self._streams: StreamServer | None = None

    def start(self, parent: Any) -> None:
        hub.hub().remember_little()
        self._host = NodeHost(
            cluster=MAIN,
            nodes=settings.PODLAB_NODES,
            make_runtime=docker_runtime,
            hub=hub.hub(),
            data=settings.PODLAB_DATA,
            send=tasks.SyncSender(),
            stream_address=stream_address.published("node"),
            host_access=frozenset(settings.PODLAB_HOST_ACCESS),
            thresholds=settings.PODLAB_EVICTION_HARD,
            image_policy=Policy(settings.PODLAB_IMAGE_GC_HIGH, settings.PODLAB_IMAGE_GC_LOW),
        )
        self._streams = stream_address.make_server("node", self._host.open_stream)
        self._streams.start()
        self._host.start()

    def stop(self, parent: Any) -> None:
        host, self._host = self._host, None
        server, self._streams = self._streams, None
        if server is not None:
            server.close()
        if host is not None:
            host.stop()

    terminate = stop


def docker_runtime(node: str) -> Runtime:
    """The node's engine, with the simulator beside it for pods whose RuntimeClass says so."""

    def simulator(machine: MachineInfo) -> Beside:
        journal = settings.PODLAB_DATA / "sim" / "beside" / f"{node}.jsonl"
        return Beside(
            cluster=MAIN, node=node, journal=journal, cpu_milli=machine.cpu_milli, memory_bytes=machine.memory_bytes
        )

    return Handlers(_engine(node), simulator)


def _engine(node: str) -> DockerRuntime:
    return DockerRuntime(
        lab=lab_id(settings.PODLAB_DATA),
        cluster=MAIN,
        node=node,
        base_url=settings.PODLAB_DOCKER_HOST,
        pause_image=settings.PODLAB_PAUSE_IMAGE,
        network=settings.PODLAB_DOCKER_NETWORK,
    )
