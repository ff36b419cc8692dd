"""Websockets of the API against a node that is played here: who is let in, which protocols are spoken, how streams end."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from podlab.apis.types import LogLine, Manifest
from podlab.apiserver import log
from podlab.apiserver.streams import spdy
from podlab.apiserver.streams.endpoint import application
from podlab.kubelet.stream_server import StreamServer
from podlab.logs import layout
from podlab.logs.writer import LogWriter
from podlab.registry import authorizer, clusters, identity, streams
from podlab.registry.streams import Address, OpenRequest
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.streaming import StreamSession, StreamSink

POD = "/api/v1/namespaces/default/pods/p"
V5, V4, V1 = "v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
STREAMS = b"command=cat&stdin=true&stdout=true&stderr=true"


class Node:
    """Plays every pod: says input back, ends with code 7 on "exit", dies on "die", refuses port 81."""

    def __init__(self) -> None:
        self.requests: list[OpenRequest] = []
        self.sizes: list[tuple[int, int]] = []
        self.closed = threading.Event()
        self.server: StreamServer | None = None

    def door(self, request: OpenRequest, sink: StreamSink) -> StreamSession:
        self.requests.append(request)
        if request.port == 81:
            raise RuntimeFailure("dial tcp 10.0.0.1:81: connect: connection refused")
        return _Session(self, sink)


class _Session:
    def __init__(self, node: Node, sink: StreamSink) -> None:
        self.node, self.sink = node, sink

    def write(self, data: bytes) -> None:
        if data == b"exit":
            self.sink.output("stderr", b"leaving")
            self.sink.ended(7, "")
        elif data == b"die":
            assert self.node.server is not None
            threading.Thread(target=self.node.server.close).start()
        else:
            self.sink.output("stdout", data.upper())

    def close_input(self) -> None:
        self.sink.ended(0, "")

    def resize(self, width: int, height: int) -> None:
        self.node.sizes.append((width, height))

    def close(self) -> None:
        self.node.closed.set()


@pytest.fixture
def node(lab: str, tmp_path: Path, settings: Any) -> Iterator[Node]:
    """A pod `p` that runs on node-a, whose stream server is here."""
    played = Node()
    address = Address(path=tmp_path / "node.sock")
    server = StreamServer(listen=address, key=streams.key_of(settings.SECRET_KEY), door=played.door)
    played.server = server
    server.start()
    client = clusters.client_for("main", identity.system("test"))
    patch = {"metadata": {"annotations": {streams.ADDRESS_ANNOTATION: str(address)}}}
    if client.find("nodes", "", "node-a") is None:
        client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"}})
    client.patch("nodes", "", "node-a", "application/merge-patch+json", patch)
    spec = {"nodeName": "node-a", "containers": [{"name": "c", "image": "busybox:1.36"}]}
    client.create(
        "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}, namespace="default"
    )

    def run(pod: Manifest) -> None:
        started = {"startedAt": "2026-01-01T00:00:00Z"}
        pod["status"]["containerStatuses"] = [
            {
                "name": "c",
                "image": "i",
                "imageID": "i",
                "ready": True,
                "restartCount": 0,
                "containerID": "sim://1",
                "state": {"running": started},
            }
        ]

    client.update_status("pods", "default", "p", run)
    yield played
    server.close()


class Caller:
    def __init__(self, inner: ApplicationCommunicator) -> None:
        self.inner = inner

    async def hear(self) -> Any:
        return await self.inner.receive_output(timeout=10)

    async def message(self) -> Any:
        found = await self.hear()
        assert found["type"] == "websocket.send", found
        return found.get("bytes") if found.get("bytes") is not None else found.get("text")

    async def say(self, data: bytes | str) -> None:
        kind = "text" if isinstance(data, str) else "bytes"
        await self.inner.send_input({"type": "websocket.receive", kind: data})


@asynccontextmanager
async def call(
    path: str, *offered: str, query: bytes = b"", token: str = "", accepted: bool = True
) -> AsyncIterator[Caller]:
    headers = [(b"host", b"localhost")]
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": headers,
        "subprotocols": list(offered),
        "extensions": {"websocket.http.response": {}},
    }
    inner = ApplicationCommunicator(application, scope)
    caller = Caller(inner)
    await inner.send_input({"type": "websocket.connect"})
    try:
        if accepted:
            first = await caller.hear()
            assert first["type"] == "websocket.accept", first
            assert first["subprotocol"] == (next((name for name in offered if "bearer" not in name), None))
        yield caller
        await inner.send_input({"type": "websocket.disconnect", "code": 1000})
        await inner.wait(timeout=10)
    finally:
        inner.stop(exceptions=False)


async def refusal(path: str, *offered: str, query: bytes = b"", token: str = "") -> tuple[int, Any]:
    async with call(path, *offered, query=query, token=token, accepted=False) as caller:
        start, body = await caller.hear(), await caller.hear()
    assert start["type"] == "websocket.http.response.start"
    return start["status"], json.loads(body["body"])


async def test_exec_speaks_v5(lab: str, node: Node) -> None:
    async with call(f"{POD}/exec", V5, query=STREAMS + b"&tty=true", token=lab) as caller:
        await caller.say(b'\x04{"Width":120,"Height":40}\n')
        await caller.say(b"\x00hello")
        assert await caller.message() == b"\x01HELLO"
        await caller.say(b"\xff\x00")
        assert await caller.message() == b'\x03{"metadata":{},"status":"Success"}'
        assert await caller.hear() == {"type": "websocket.close", "code": 1000}
    request = node.requests[0]
    assert (request.operation, request.container, request.command) == ("exec", "c", ("cat",))
    assert (request.stdin, request.stdout, request.stderr, request.tty) == (True, True, False, True)
    assert node.sizes == [(120, 40)]


async def test_an_exit_code_comes_last(lab: str, node: Node) -> None:
    async with call(f"{POD}/exec", V4, query=STREAMS, token=lab) as caller:
        await caller.say("\x00exit")  # the Python client sends text
        assert await caller.message() == b"\x02leaving"
        status = json.loads((await caller.message())[1:])
        assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]
        assert await caller.hear() == {"type": "websocket.close", "code": 1000}


async def test_the_first_protocol_in_base64(lab: str, node: Node) -> None:
    async with call(f"{POD}/exec", "base64.channel.k8s.io", query=STREAMS, token=lab) as caller:
        await caller.say("0" + base64.b64encode(b"hello").decode())
        assert await caller.message() == "1" + base64.b64encode(b"HELLO").decode()


async def test_a_node_that_dies_is_an_error(lab: str, node: Node) -> None:
    async with call(f"{POD}/exec", V5, query=STREAMS, token=lab) as caller:
        await caller.say(b"\x00die")
        status = json.loads((await caller.message())[1:])
        assert status["status"] == "Failure"
        assert "the node's agent" in status["message"]
        assert await caller.hear() == {"type": "websocket.close", "code": 1000}


async def test_a_node_that_is_not_there_is_an_error(lab: str, node: Node) -> None:
    assert node.server is not None
    await asyncio.to_thread(node.server.close)
    async with call(f"{POD}/exec", V5, query=STREAMS, token=lab) as caller:
        status = json.loads((await caller.message())[1:])
        assert status["message"].startswith("Internal error occurred: error dialing backend: dial unix ")


async def test_a_client_that_leaves_ends_the_session(lab: str, node: Node) -> None:
    async with call(f"{POD}/exec", V5, query=STREAMS, token=lab) as caller:
        await caller.say(b"\x00x")
        await caller.message()
    assert await asyncio.to_thread(node.closed.wait, 10)


async def test_a_browser_sends_its_token_among_the_protocols(lab: str, node: Node) -> None:
    name = "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(lab.encode()).decode().rstrip("=")
    async with call(f"{POD}/exec", name, V4, query=STREAMS) as caller:
        await caller.say(b"\x00x")
        assert await caller.message() == b"\x01X"


REFUSALS: dict[str, tuple[str, tuple[str, ...], bytes, int, str]] = {
    "a pod that is not there": (f"{POD}x/exec", (V5,), STREAMS, 404, 'pods "px" not found'),
    "no stream at all": (f"{POD}/exec", (V5,), b"command=ls", 400, "you must specify at least 1 of stdin"),
    "a protocol that nobody speaks": (f"{POD}/exec", ("v9",), STREAMS, 400, "unsupported protocol"),
    "a port that is none": (f"{POD}/portforward", (V4,), b"ports=x", 400, "unable to parse"),
    "no port": (f"{POD}/portforward", (V4,), b"", 400, 'query parameter "ports" is required'),
    "a watch": ("/api/v1/pods", (), b"watch=true", 400, "without an upgrade"),
    "a path of nobody": ("/nothing", (), b"", 404, "could not find"),
    "a group of nobody": ("/apis/x/v1/y", (), b"", 404, "could not find"),
    "another cluster": ("/clusters/none" + POD + "/exec", (V5,), STREAMS, 404, '"none" not found'),
}


@pytest.mark.parametrize("sentence", REFUSALS)
async def test_the_handshake_is_refused_for(lab: str, node: Node, sentence: str) -> None:
    path, offered, query, code, text = REFUSALS[sentence]
    found, status = await refusal(path, *offered, query=query, token=lab)
    assert found == status["code"] == code
    assert text in status["message"]


@pytest.mark.parametrize("token", ["", "podlab_wrong"])
async def test_strangers_are_not_let_in(lab: str, node: Node, token: str) -> None:
    code, status = await refusal(f"{POD}/exec", V5, query=STREAMS, token=token)
    assert (code, status["reason"]) == (401, "Unauthorized")


@sync_to_async
def token_of(name: str, role: str, namespace: str) -> str:
    user = get_user_model().objects.create_user(name)
    identity.grant(user, role, cluster="main", namespace=namespace)
    return identity.issue_token(user, "test")


@pytest.mark.parametrize("part", ["exec", "attach", "portforward"])
async def test_a_viewer_may_look_and_not_enter(lab: str, node: Node, part: str) -> None:
    token = await token_of("eve", authorizer.VIEWER, authorizer.EVERYTHING)
    code, status = await refusal(f"{POD}/{part}", V5, query=STREAMS, token=token)
    assert code == 403
    assert f'User "eve" cannot create resource "pods/{part}"' in status["message"]
    answer = await AsyncClient().post(f"{POD}/{part}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    answer = await AsyncClient().get(f"{POD}/proxy/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


async def test_a_student_enters_his_own_namespace_only(lab: str, node: Node) -> None:
    mine = await token_of("ada", authorizer.STUDENT, "default")
    async with call(f"{POD}/exec", V5, query=STREAMS, token=mine) as caller:
        await caller.say(b"\x00x")
        assert await caller.message() == b"\x01X"
    other = await token_of("bob", authorizer.STUDENT, "kube-public")
    assert (await refusal(f"{POD}/exec", V5, query=STREAMS, token=other))[0] == 403


async def test_old_kubectls_are_told_the_remedy(lab: str, node: Node) -> None:
    headers = {"Authorization": f"Bearer {lab}", "Upgrade": "SPDY/3.1", "Connection": "Upgrade"}
    for path, version in ((f"{POD}/exec?command=ls&stdout=1", "1.30"), (f"{POD}/portforward", "1.31")):
        answer = await AsyncClient().post(path, headers=headers)
        assert answer.status_code == 400
        assert f"kubectl {version} or later" in answer.json()["message"]


# Port-forward


async def test_the_python_clients_channels(lab: str, node: Node) -> None:
    async with call(f"{POD}/portforward", V4, query=b"ports=80&ports=81", token=lab) as caller:
        heads = [await caller.message() for _ in range(4)]
        assert heads == [b"\x00P\x00", b"\x01P\x00", b"\x02Q\x00", b"\x03Q\x00"]
        error = await caller.message()
        assert error[0] == 3
        assert error.endswith(b"dial tcp 10.0.0.1:81: connect: connection refused")
        await caller.say(b"\x00abc")
        assert await caller.message() == b"\x00ABC"


class Spdy:
    """kubectl's side of a tunnel."""

    def __init__(self, caller: Caller) -> None:
        self.caller, self.encoder, self.decoder = caller, spdy.Encoder(), spdy.Decoder()
        self.heard: list[spdy.Frame] = []

    async def say(self, *frames: spdy.Frame) -> None:
        data = b"".join(self.encoder.encode(frame) for frame in frames)
        for piece in (data[:5], b"", data[5:]):  # message bounds mean nothing, and empty ones occur
            await self.caller.say(piece)

    async def hear(self) -> spdy.Frame:
        while not self.heard:
            self.heard += self.decoder.feed(await self.caller.message())
        return self.heard.pop(0)


def pair(request: str, port: int, first: int) -> list[spdy.Frame]:
    headers = {"port": str(port), "requestid": request}
    return [
        spdy.SynStream(first, {"streamtype": "error", **headers}),
        spdy.Data(first, fin=True),
        spdy.SynStream(first + 2, {"streamtype": "data", **headers}),
    ]


async def test_kubectls_tunnel(lab: str, node: Node) -> None:
    async with call(f"{POD}/portforward", TUNNEL, token=lab) as caller:
        kubectl = Spdy(caller)
        await kubectl.say(*pair("0", 80, 1), spdy.Data(3, b"abc"), spdy.Ping(1))
        heard = [await kubectl.hear() for _ in range(4)]
        assert {frame.id for frame in heard if isinstance(frame, spdy.SynReply)} == {1, 3}
        assert spdy.Data(3, b"ABC") in heard
        assert spdy.Ping(1) in heard
        await kubectl.say(spdy.Data(3, fin=True))
        assert [await kubectl.hear(), await kubectl.hear()] == [spdy.Data(1, fin=True), spdy.Data(3, fin=True)]
    assert node.requests[0].port == 80


async def test_a_refused_port_is_told_on_the_error_stream(lab: str, node: Node) -> None:
    async with call(f"{POD}/portforward", TUNNEL, token=lab) as caller:
        kubectl = Spdy(caller)
        await kubectl.say(*pair("0", 81, 1))
        heard = [await kubectl.hear() for _ in range(5)]
    error = heard[2]
    assert isinstance(error, spdy.Data)
    assert error.id == 1
    assert error.payload.endswith(b": dial tcp 10.0.0.1:81: connect: connection refused")


async def test_streams_of_a_tunnel_that_make_no_sense_are_reset(lab: str, node: Node) -> None:
    bad = [
        spdy.SynStream(1, {"streamtype": "data", "port": "0", "requestid": "0"}),
        spdy.SynStream(3, {"streamtype": "video", "port": "80", "requestid": "1"}),
        spdy.SynStream(5, {}),
        spdy.SynStream(9, {"streamtype": "data", "port": "\u00b2", "requestid": "2"}),
        spdy.SynStream(11, {"streamtype": "data", "port": "9" * 5000, "requestid": "3"}),
    ]
    async with call(f"{POD}/portforward", TUNNEL, token=lab) as caller:
        kubectl = Spdy(caller)
        await kubectl.say(*bad, spdy.Data(99, b"to nobody"), spdy.Ping(7))
        heard = [await kubectl.hear() for _ in range(6)]
    assert heard == [*(spdy.Reset(number, spdy.REFUSED_STREAM) for number in (1, 3, 5, 9, 11)), spdy.Ping(7)]


async def test_noise_ends_a_tunnel(lab: str, node: Node) -> None:
    async with call(f"{POD}/portforward", TUNNEL, token=lab) as caller:
        await caller.say(b"\x80\x02" + b"\xff" * 30)
        assert isinstance(spdy.Decoder().feed(await caller.message())[0], spdy.GoAway)
        assert await caller.hear() == {"type": "websocket.close", "code": 1000}


# Log


@pytest.mark.parametrize("protocol", ["binary.k8s.io", "base64.binary.k8s.io", ""])
async def test_a_log_over_a_websocket(lab: str, node: Node, protocol: str) -> None:
    stored = await sync_to_async(clusters.client_for("main", identity.system("test")).get)("pods", "default", "p")
    pod = log._Pod("default", "p", stored.uid)
    writer = LogWriter(layout.container_log(log.log_root("main"), pod, "c", 0))
    writer.write(LogLine(datetime(2026, 1, 1, tzinfo=UTC), "stdout", "hello"))
    writer.close()
    async with call(f"{POD}/log", *([protocol] if protocol else []), token=lab) as caller:
        expected = base64.b64encode(b"hello\n").decode() if protocol.startswith("base64") else b"hello\n"
        assert await caller.message() == expected
        assert await caller.hear() == {"type": "websocket.close", "code": 1000}
