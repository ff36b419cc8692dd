"""Two pods cannot have one port of the host (framework/plugins/nodeports)."""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo, host_ports_of
from podlab.scheduler.plugins.interface import Rejection

REASON = "node(s) didn't have free ports for the requested pod ports"
ANY = "0.0.0.0"


def check(pod: Manifest, node: NodeInfo) -> Rejection | None:
    for ip, protocol, port in host_ports_of(pod):
        for used_ip, used_protocol, used_port in node.host_ports:
            if (protocol, port) == (used_protocol, used_port) and (ip == used_ip or ANY in {ip, used_ip}):
                return Rejection((REASON,), resolvable=True)
    return None
