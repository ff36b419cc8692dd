"""Where the pods' Docker network meets this machine: its bridge, and the address that pods have as their gateway.

Asked of the engine without its SDK, which a web process has no other use for.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import socket
import struct
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

SECONDS = 3.0
_SIOCGIFADDR = 0x8915


class NoPodNetwork(Exception):
    """It does not; the message says why."""


@dataclass(frozen=True, slots=True)
class PodNetwork:
    bridge: str
    gateway: str


def find(engine: str, network: str) -> PodNetwork:
    """`engine` as in DOCKER_HOST. NoPodNetwork when the network has no bridge on this machine: with another driver, or an
    engine elsewhere."""
    if not engine.startswith("unix:"):
        raise NoPodNetwork(f"the engine at {engine} is not on this machine")
    found = _inspect(engine.removeprefix("unix://"), network)
    if found.get("Driver") != "bridge":
        raise NoPodNetwork(f"the network {network} has the driver {found.get('Driver')} and no bridge")
    options = found.get("Options") or {}
    name = str(options.get("com.docker.network.bridge.name") or f"br-{str(found.get('Id'))[:12]}")
    try:
        return PodNetwork(name, _address(name))
    except OSError as error:
        raise NoPodNetwork(f"the bridge {name} of the network {network} is not here: {error.strerror}") from None


class _Engine(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


def _inspect(path: str, network: str) -> dict[str, Any]:
    engine = _Engine(path)
    try:
        engine.request("GET", f"/networks/{quote(network, safe='')}")
        answer = engine.getresponse()
        found = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoPodNetwork(f"the engine does not answer: {error}") from None
    finally:
        engine.close()
    if answer.status != 200 or not isinstance(found, dict):
        raise NoPodNetwork(f"the engine knows no network {network}")
    return found


def _address(interface: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("256s", interface.encode()[:15])
        return socket.inet_ntoa(fcntl.ioctl(probe, _SIOCGIFADDR, asked)[20:24])
