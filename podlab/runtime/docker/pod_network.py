"""The Docker network of the pods as this machine sees it: its bridge, and the address that pods have as their gateway."""

from __future__ import annotations

import fcntl
import socket
import struct
from dataclasses import dataclass

from podlab.runtime.docker.client import engine_errors, shared
from podlab.runtime.errors import RuntimeFailure

_SIOCGIFADDR = 0x8915


@dataclass(frozen=True, slots=True)
class PodNetwork:
    bridge: str
    gateway: str


def find(base_url: str, network: str) -> PodNetwork:
    """RuntimeFailure when the network has no bridge on this machine: with another driver, or an engine elsewhere."""
    if not base_url.startswith("unix:"):
        raise RuntimeFailure(f"the engine at {base_url} is not on this machine")
    with engine_errors():
        found = shared(base_url).api.inspect_network(network)
    if found["Driver"] != "bridge":
        raise RuntimeFailure(f"the network {network} has the driver {found['Driver']} and no bridge")
    name = (found.get("Options") or {}).get("com.docker.network.bridge.name") or f"br-{found['Id'][:12]}"
    try:
        return PodNetwork(name, _address(name))
    except OSError as error:
        raise RuntimeFailure(f"the bridge {name} of the network {network} is not here: {error.strerror}") from None


def _address(interface: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("256s", interface.encode()[:15])
        return socket.inet_ntoa(fcntl.ioctl(probe, _SIOCGIFADDR, asked)[20:24])
