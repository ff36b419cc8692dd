"""Where pods meet this machine, as an engine tells it."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podlab.ops import pod_network
from podlab.ops.pod_network import NoPodNetwork, PodNetwork

BRIDGE = {"Driver": "bridge", "Id": "0123456789abcdef", "Options": {"com.docker.network.bridge.name": "lo"}}
NETWORKS: dict[str, Any] = {
    "bridge": BRIDGE,
    "own": {**BRIDGE, "Options": {}},
    "host": {"Driver": "host", "Id": "0"},
}


class _Answer(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        name = self.rfile.readline().split()[1].decode().rpartition("/")[2]
        body = json.dumps(NETWORKS.get(name, {"message": "no such network"})).encode()
        status = b"200 OK" if name in NETWORKS else b"404 Not Found"
        self.wfile.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "engine.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), _Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"unix://{path}"
        server.shutdown()


def test_the_gateway_is_the_bridge_s_own_address(engine: str) -> None:
    assert pod_network.find(engine, "bridge") == PodNetwork("lo", "127.0.0.1")


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("host", "the network host has the driver host and no bridge"),
        ("own", "the bridge br-0123456789ab of the network own is not here: No such device"),
        ("nope", "the engine knows no network nope"),
    ],
)
def test_there_may_be_none(engine: str, network: str, reason: str) -> None:
    with pytest.raises(NoPodNetwork) as caught:
        pod_network.find(engine, network)
    assert str(caught.value) == reason


def test_an_engine_elsewhere_or_nowhere(tmp_path: Path) -> None:
    with pytest.raises(NoPodNetwork, match="is not on this machine"):
        pod_network.find("tcp://192.0.2.1:2375", "bridge")
    with pytest.raises(NoPodNetwork, match="does not answer"):
        pod_network.find(f"unix://{tmp_path}/nothing.sock", "bridge")
