"""kube-system/kube-dns: the Service under whose address the pods of a cluster find its DNS.

As kubeadm's, but without a selector: no pod serves it. Whoever does says so in its Endpoints (`services.host` on Docker);
a cluster whose kube-dns has none has no DNS. Called by `clusters` when a cluster is made or taken up.
"""

from __future__ import annotations

import logging

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.registry.service_network import CLUSTER_DNS, network

logger = logging.getLogger(__name__)

NAME = "kube-dns"
NAMESPACE = "kube-system"
PORT = 53
_LABELS = {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}


def ensure(client: Client) -> None:
    """Make the Service if there is none."""
    if client.find("services", NAMESPACE, NAME) is not None:
        return
    try:
        service = _service(str(network(client.cluster)[CLUSTER_DNS]))
        client.create("services", service, namespace=NAMESPACE, why="Every cluster has a Service for its DNS.")
    except ApiError as error:  # somebody's Service has the address already
        logger.warning("cluster %s has no DNS: %s", client.cluster, error.message)


def serve_at(client: Client, address: str, port: int) -> None:
    """Say where the DNS is served; an empty `address`: nowhere."""
    subsets = [{"addresses": [{"ip": address}], "ports": _ports(port)}] if address else []
    found = client.find("endpoints", NAMESPACE, NAME)
    if found is None:
        body: Manifest = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": NAME, "labels": _LABELS}}
        body["subsets"] = subsets
        client.create("endpoints", body, namespace=NAMESPACE, why="The lab serves the cluster's DNS.")
    elif (found.obj.get("subsets") or []) != subsets:
        client.update(
            "endpoints",
            NAMESPACE,
            NAME,
            {**found.obj, "subsets": subsets},
            why="The cluster's DNS is served elsewhere.",
        )


def address(client: Client) -> str:
    """The address that pods are to ask; "" while nobody serves."""
    endpoints = client.find("endpoints", NAMESPACE, NAME)
    if endpoints is None or not any(one.get("addresses") for one in endpoints.obj.get("subsets") or []):
        return ""
    service = client.find("services", NAMESPACE, NAME)
    return "" if service is None else str((service.obj.get("spec") or {}).get("clusterIP") or "")


def _ports(number: int) -> list[Manifest]:
    return [
        {"name": "dns", "port": number, "protocol": "UDP"},
        {"name": "dns-tcp", "port": number, "protocol": "TCP"},
    ]


def _service(address: str) -> Manifest:
    ports = [{**port, "targetPort": PORT} for port in _ports(PORT)]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "labels": _LABELS},
        "spec": {"clusterIP": address, "ports": ports, "type": "ClusterIP"},
    }
