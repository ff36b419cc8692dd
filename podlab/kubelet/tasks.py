"""The Celery tasks of a node. They carry names only and may be lost, doubled or late: a sync looks at what is."""

from __future__ import annotations

from celery import current_app, shared_task
from kombu import Connection

from podlab.kubelet import node_host

# A sender gives up quickly: whoever asks has another way (`node_host.Dispatcher`). Kombu's own default is to wait for
# the broker for ever.
_GIVE_UP = {"max_retries": 1, "interval_start": 0.0, "interval_step": 0.05, "interval_max": 0.05}


def queue_of(node: str) -> str:
    return f"node.{node}"


@shared_task(name="podlab.kubelet.sync_pod", ignore_result=True)
def sync_pod(cluster: str, node: str, uid: str) -> None:
    kubelet = node_host.find(cluster, node)
    if kubelet is not None:
        kubelet.sync_pod(uid)


class SyncSender:
    """Sends `sync_pod` over a connection of its own. Not thread-safe: one dispatcher, one sender."""

    def __init__(self) -> None:
        self._connection: Connection | None = None

    def __call__(self, cluster: str, node: str, uid: str) -> None:
        """Ask the worker of the node; raises soon when the broker does not take it."""
        if self._connection is None:
            self._connection = current_app.connection_for_write(transport_options=_GIVE_UP)
        try:
            current_app.send_task(
                sync_pod.name,
                (cluster, node, uid),
                queue=queue_of(node),
                connection=self._connection,
                retry=False,
                expires=60,
            )
        except Exception:
            broken, self._connection = self._connection, None
            broken.release()
            raise
