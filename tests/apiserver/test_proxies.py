"""services/proxy and nodes/proxy without a pod to talk to: who is let in, what is chosen, and how refusals read.

The bytes themselves go through a whole lab in tests/lab/kubectl_table.py.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from api_lab import make_certificate
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from podlab.apis.status_errors import ApiError
from podlab.apiserver.node_proxy import node_name
from podlab.apiserver.streams import proxy
from podlab.kubelet.stream_server import StreamServer
from podlab.registry import authorizer, clusters, identity, streams
from podlab.registry.streams import Address
from podlab.runtime.streaming import StreamSink

SERVICES = "/api/v1/namespaces/default/services"
NODE = "/api/v1/nodes/node-a/proxy"


@pytest.fixture
def world(lab: str) -> str:
    """A ready node and a service whose Endpoints name a pod that is not there; the admin's token."""
    client = clusters.client_for("main", identity.system("test"))
    if client.find("nodes", "", "node-a") is None:
        client.create("nodes", {"metadata": {"name": "node-a"}})

    def ready(node: dict[str, Any]) -> None:
        node.setdefault("status", {})["conditions"] = [{"type": "Ready", "status": "True"}]

    client.update_status("nodes", "", "node-a", ready)
    ports = [{"port": 80, "name": "http"}, {"port": 81, "name": "admin"}]
    for name in ("web", "bare"):
        client.create("services", {"metadata": {"name": name}, "spec": {"ports": ports}}, namespace="default")
    address = {"ip": "10.0.0.9", "targetRef": {"kind": "Pod", "name": "gone", "namespace": "default"}}
    subsets = [{"addresses": [address], "ports": [{"name": "http", "port": 8080}]}]
    client.create("endpoints", {"metadata": {"name": "web"}, "subsets": subsets}, namespace="default")
    return lab


REFUSALS = {
    "a port that the service has not": ("web:82/proxy/", 503, 'no service port 82 found for service "web"'),
    "a pod that is gone": ("web:80/proxy/", 503, 'no endpoints available for service "web"'),
    "a port without a pod": ("web:admin/proxy/", 503, 'no endpoints available for service "web"'),
    "a service without Endpoints": ("bare:http/proxy/", 404, 'endpoints "bare" not found'),
    "a service that is not there": ("none:80/proxy/", 404, 'services "none" not found'),
    "a digit that is no number": ("web:%C2%B2/proxy/", 503, 'no endpoints available for service "web"'),
    "more digits than are read": (f"web:{'9' * 5000}/proxy/", 503, 'no endpoints available for service "web"'),
    "a name that is none": ("a:b:c:d/proxy/", 400, 'invalid service request "a:b:c:d"'),
}


@pytest.mark.parametrize("sentence", REFUSALS)
async def test_a_service_is_refused_for(world: str, api: AsyncClient, sentence: str) -> None:
    path, code, text = REFUSALS[sentence]
    answer = await api.get(f"{SERVICES}/{path}")
    assert (answer.status_code, answer.json()["message"]) == (code, text)


async def test_the_pages_of_a_node(world: str, api: AsyncClient) -> None:
    assert (await api.get(f"{NODE}/healthz")).content == b"ok"
    pods = (await api.get(f"{NODE}/pods")).json()
    assert (pods["kind"], pods["items"]) == ("PodList", [])
    summary = (await api.get(f"{NODE}/stats/summary")).json()
    assert (summary["node"]["nodeName"], summary["pods"]) == ("node-a", [])
    assert b"kubelet_running_pods 0.0" in (await api.get(f"{NODE}/metrics")).content


async def test_what_a_node_does_not_serve_is_said(world: str, api: AsyncClient) -> None:
    answer = await api.get(f"{NODE}/configz")
    assert answer.status_code == 404
    assert "/healthz, /metrics, /metrics/resource, /pods, /stats/summary there, not" in answer.json()["message"]
    assert (await api.post(f"{NODE}/run/x", {}, content_type="application/json")).status_code == 405
    assert (await api.get("/api/v1/nodes/none/proxy/healthz")).status_code == 404


async def test_a_node_that_is_not_ready_cannot_be_reached(world: str, api: AsyncClient) -> None:
    patch = '{"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}}'
    path = "/api/v1/nodes/node-a/status"
    assert (await api.patch(path, patch, content_type="application/merge-patch+json")).status_code == 200
    assert (await api.get(f"{NODE}/healthz")).status_code == 503


@sync_to_async
def token_of(name: str, role: str, namespace: str) -> str:
    user = get_user_model().objects.create_user(name)
    identity.grant(user, role, cluster="main", namespace=namespace)
    return identity.issue_token(user, "test")


async def test_a_nodes_pages_are_for_those_who_see_every_namespace(world: str, anybody: AsyncClient) -> None:
    for name, role, namespace, code in (
        ("ada", authorizer.STUDENT, "default", 403),
        ("eve", authorizer.VIEWER, authorizer.EVERYTHING, 403),
        ("ida", authorizer.INSTRUCTOR, authorizer.EVERYTHING, 200),
    ):
        headers = {"Authorization": f"Bearer {await token_of(name, role, namespace)}"}
        assert (await anybody.get(f"{NODE}/pods", headers=headers)).status_code == code, name
        assert (await anybody.get("/api/v1/nodes/node-a", headers=headers)).status_code == 200


async def test_a_service_is_entered_by_those_who_may_in_its_namespace(world: str, anybody: AsyncClient) -> None:
    for name, role, namespace, code in (
        ("ada", authorizer.STUDENT, "default", 503),
        ("bob", authorizer.STUDENT, "kube-public", 403),
        ("eve", authorizer.VIEWER, "default", 403),
    ):
        headers = {"Authorization": f"Bearer {await token_of(name, role, namespace)}"}
        answer = await anybody.get(f"{SERVICES}/web:80/proxy/", headers=headers)
        assert answer.status_code == code, name


# TLS


class Relay:
    """A node's door that dials a port of this machine, whatever pod is meant."""

    def __init__(self, port: int, sink: StreamSink) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._sink = sink
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError):
            while data := self._socket.recv(65536):
                self._sink.output("stdout", data)
        self._sink.ended(None, "")

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close_input(self) -> None: ...

    def resize(self, width: int, height: int) -> None: ...

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Page(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(self.path.encode() + b" " + body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(params=[True, False], ids=["tls", "plain"])
def served(request: pytest.FixtureRequest, world: str, tmp_path: Path, settings: Any) -> Iterator[bool]:
    """A page server behind pod `p`; whether it speaks TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    if request.param:
        make_certificate(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    node = StreamServer(
        listen=Address(path=tmp_path / "node.sock"),
        key=streams.key_of(settings.SECRET_KEY),
        door=lambda _, sink: Relay(port, sink),
    )
    node.start()
    client = clusters.client_for("main", identity.system("test"))
    patch = {"metadata": {"annotations": {streams.ADDRESS_ANNOTATION: str(node.address)}}}
    client.patch("nodes", "", "node-a", "application/merge-patch+json", patch)
    spec = {"nodeName": "node-a", "containers": [{"name": "c", "image": "i"}]}
    client.create("pods", {"metadata": {"name": "p"}, "spec": spec}, namespace="default")
    yield request.param
    node.close()
    server.shutdown()
    server.server_close()


async def test_a_pods_server_may_speak_tls(served: bool, api: AsyncClient) -> None:
    body, path = "x" * 100_000, "/api/v1/namespaces/default/pods/https:p:443/proxy/a/b?c=d"
    answer = await api.put(path, body, content_type="text/plain")
    if served:
        said = b"".join([part async for part in answer])
        assert (answer.status_code, said) == (201, f"/a/b?c=d {body}".encode())
    else:
        assert answer.status_code == 503
        assert "error trying to reach service: tls: " in answer.json()["message"]


@pytest.mark.parametrize("port", ["\u00b2", "9" * 5000, "0", "65536", "-1"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(ApiError, match="invalid port"):
        proxy.choose_port({"spec": {"containers": []}}, port)


def test_a_node_may_be_named_with_its_port() -> None:
    assert {node_name(text) for text in ("n", "n:10250", "https:n:10250", ":n:10250")} == {"n"}
    for text in ("", "a:b:c", "ftp:n:1:2"):
        with pytest.raises(ApiError):
            node_name(text)
