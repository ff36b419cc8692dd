"""default/kubernetes: how pods find the API server. The Service with the first address of the service network, and the
Endpoints and the EndpointSlice with the address at which this lab serves.

Called by `clusters` when a cluster is made or taken up. Source: pkg/controlplane/controller/kubernetesservice,
pkg/controlplane/reconcilers.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address

from django.conf import settings

from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.registry.service_network import KUBERNETES, network

NAME = "kubernetes"
NAMESPACE = "default"
PORT = 443
_WHY = "Every cluster has a Service for its API."


def ensure(client: Client, address: str = "") -> None:
    """Make what is missing, and point it at where the lab serves now: `address`, or what others reach of this machine."""
    if client.find("services", NAMESPACE, NAME) is None:
        client.create("services", _service(str(network(client.cluster)[KUBERNETES])), namespace=NAMESPACE, why=_WHY)
    address = address or advertised()
    if not address:
        return
    for resource, wanted in (("endpoints", _endpoints(address)), ("endpointslices.discovery.k8s.io", _slice(address))):
        found = client.find(resource, NAMESPACE, NAME)
        if found is None:
            client.create(resource, wanted, namespace=NAMESPACE, why=_WHY)
        elif any(found.obj.get(field) != wanted[field] for field in wanted if field != "metadata"):
            body = {**wanted, "metadata": {**found.obj["metadata"], "labels": wanted["metadata"]["labels"]}}
            client.update(resource, NAMESPACE, NAME, body, why="The lab serves at another address.")


def advertised() -> str:
    """The address under which others reach this machine; "" when it has none but its own loopback."""
    bound = settings.PODLAB_BIND
    candidates = [bound, *_own_addresses()]
    return next((text for text in candidates if _is_usable(text)), "")


def _own_addresses() -> list[str]:
    """The address that the machine would speak from to the outside. Nothing is sent: connecting a datagram socket only
    chooses a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # an address for documentation (RFC 5737)
        except OSError:
            return []
        return [str(probe.getsockname()[0])]


def _is_usable(text: str) -> bool:
    """What the validation of endpoints lets through."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    wrong = address.is_unspecified or address.is_loopback or address.is_link_local or address.is_multicast
    return address.version == 4 and not wrong


def _service(address: str) -> Manifest:
    port = {"name": "https", "protocol": "TCP", "port": PORT, "targetPort": settings.PODLAB_API_PORT}
    labels = {"component": "apiserver", "provider": "kubernetes"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "labels": labels},
        "spec": {"clusterIP": address, "ports": [port], "type": "ClusterIP"},
    }


def _endpoints(address: str) -> Manifest:
    port = {"name": "https", "port": settings.PODLAB_API_PORT, "protocol": "TCP"}
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": NAME, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{"addresses": [{"ip": address}], "ports": [port]}],
    }


def _slice(address: str) -> Manifest:
    port = {"name": "https", "port": settings.PODLAB_API_PORT, "protocol": "TCP"}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": NAME, "labels": {"kubernetes.io/service-name": NAME}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [port],
    }
