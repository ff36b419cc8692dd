"""Which name server pods are given with dnsPolicy ClusterFirst: the kubelet's clusterDNS, which here is asked of the store.

What was found once stays: a pod keeps its resolv.conf for life, and all pods of a node are to have the same.
"""

from __future__ import annotations

from podlab.registry import cluster_dns
from podlab.registry.client import Client


class ClusterDns:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._found = ""

    def __call__(self) -> str:
        """The address; "" while the cluster has no DNS that works here."""
        if not self._found:
            self._found = cluster_dns.address(self._client)
        return self._found
