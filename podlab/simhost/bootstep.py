"""Makes a Celery worker the sim worker. `celery` adds this step when PODLAB_ROLE is `sim`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery import bootsteps
from django.conf import settings

from podlab.kubelet import stream_address
from podlab.kubelet.stream_server import StreamServer
from podlab.simhost import tasks
from podlab.simhost.host import Host
from podlab.simhost.streams import Door
from podlab.storage import hub

# A burst of changes is a few turns of the world, not one for each: a turn costs more than a change.
APART_SECONDS = 0.05
TURNS_AT_ONCE = 2  # of clusters in which one change follows the other


class SimStep(bootsteps.StartStopStep):
    """After the pool: the first tasks need somebody to do them."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._host: Host | None = None
        self._turns: ThreadPoolExecutor | None = None
        self._streams: StreamServer | None = None

    def start(self, parent: Any) -> None:
        address = stream_address.published("sim")
        self._turns = turns = ThreadPoolExecutor(TURNS_AT_ONCE, thread_name_prefix="turns")
        self._host = Host(
            hub=hub.hub(),
            data=settings.PODLAB_DATA,
            send=tasks.send_run,
            follow=lambda cluster: tasks.run_here(turns, cluster),
            stream_address=address,
            apart=APART_SECONDS,
        )
        self._streams = stream_address.make_server("sim", Door(self._host))
        self._streams.start()
        tasks.play(self._host)
        self._host.start()

    def stop(self, parent: Any) -> None:
        host, self._host = self._host, None
        tasks.play(None)
        server, self._streams = self._streams, None
        if server is not None:
            server.close()
        if host is not None:
            host.stop()
        turns, self._turns = self._turns, None
        if turns is not None:
            turns.shutdown(wait=False, cancel_futures=True)

    terminate = stop
