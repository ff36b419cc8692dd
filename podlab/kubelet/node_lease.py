"""The Lease of a node in kube-node-lease: the cheap sign of life that a kubelet renews. `agent` calls `renew`.

Sources: pkg/kubelet/util/nodelease.go, component-helpers/apimachinery/lease/controller.go. A simulated node only makes it:
an idle cluster costs nothing, and its story must not depend on how often it was taken up.
"""

from __future__ import annotations

import logging

from podlab.apis import times
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.storage.errors import StorageError

logger = logging.getLogger(__name__)

NAMESPACE = "kube-node-lease"
DURATION_SECONDS = 40
RENEW_SECONDS = 10.0  # a quarter of the duration
_LEASES = "leases.coordination.k8s.io"


def renew(client: Client, node: str) -> None:
    """Say that the node lives; make its Lease if there is none. A failure is logged: the next try comes soon."""
    try:
        if not make(client, node):
            patch, why = {"spec": _spec(client, node)}, "the agent of the node lives"
            client.patch(_LEASES, NAMESPACE, node, "application/merge-patch+json", patch, why=why)
    except (ApiError, StorageError) as error:
        logger.warning("lease of node %s: %s", node, error)


def make(client: Client, node: str) -> bool:
    """Make the Lease unless there is one; whether it was made. Raises what the API says."""
    if client.find(_LEASES, NAMESPACE, node) is not None:
        return False
    uid = client.get("nodes", "", node).obj["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid}
    lease: Manifest = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": node, "namespace": NAMESPACE, "ownerReferences": [owner]},
        "spec": _spec(client, node),
    }
    client.create(_LEASES, lease, namespace=NAMESPACE, why="the agent of the node has come for the first time")
    return True


def _spec(client: Client, node: str) -> Manifest:
    return {
        "holderIdentity": node,
        "leaseDurationSeconds": DURATION_SECONDS,
        "renewTime": times.rfc3339_micro(client.now()),
    }
