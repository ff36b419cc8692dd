"""The pod network of a simulated cluster: each node has a subnet, written into spec.podCIDR as Kubernetes' node IPAM does,
so that it stays the same however often the cluster is opened."""

from __future__ import annotations

import ipaddress

from podlab.registry.client import Client

PODS = "10.244.{}.0/24"
SUBNETS = 256


def subnet_of(client: Client, node: str) -> int:
    """The number of the node's subnet; the lowest free one is given to a node without."""
    taken: set[int] = set()
    for stored in client.list("nodes", None).items:
        cidr = (stored.obj.get("spec") or {}).get("podCIDR")
        number = _number(cidr) if cidr else None
        if stored.key.name == node and number is not None:
            return number
        if number is not None:
            taken.add(number)
    number = next(one for one in range(SUBNETS) if one not in taken)
    cidr = PODS.format(number)
    patch = {"spec": {"podCIDR": cidr, "podCIDRs": [cidr]}}
    client.patch(
        "nodes", "", node, "application/merge-patch+json", patch, why="The node gets its share of the pod network."
    )
    return number


def _number(cidr: str) -> int | None:
    try:
        return ipaddress.ip_network(cidr).network_address.packed[2]
    except ValueError:
        return None


def address(subnet: int) -> str:
    """The address of the node itself."""
    return f"172.18.0.{subnet + 2}" if subnet < 250 else f"172.18.1.{subnet - 248}"
