"""The Celery tasks of a node. They carry names only and may be lost, doubled or late: a sync looks at what is."""

from __future__ import annotations

from celery import shared_task

from podlab.kubelet import node_host


def queue_of(node: str) -> str:
    return f"node.{node}"


@shared_task(name="podlab.kubelet.sync_pod", ignore_result=True)
def sync_pod(cluster: str, node: str, uid: str) -> None:
    kubelet = node_host.find(cluster, node)
    if kubelet is not None:
        kubelet.sync_pod(uid)


def send_sync(cluster: str, node: str, uid: str) -> None:
    """Ask the worker of the node; raises when the broker does not take it."""
    sync_pod.apply_async((cluster, node, uid), queue=queue_of(node), retry=False, expires=60)
