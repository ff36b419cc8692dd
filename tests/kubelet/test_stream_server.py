"""The stream server of a worker: who may call, what passes through it, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from podlab.apiserver.streams import node_connection
from podlab.apiserver.streams.node_connection import NodeConnection, Unreachable
from podlab.clock import monotonic, pause
from podlab.kubelet import stream_address, stream_server
from podlab.kubelet.stream_server import StreamServer
from podlab.registry import streams
from podlab.registry.streams import Address, End, OpenRequest
from podlab.runtime.errors import NotFound
from podlab.runtime.streaming import StreamSession, StreamSink

REQUEST = OpenRequest(
    operation=streams.EXEC, cluster="main", node="node-a", namespace="default", pod="web", uid="u", command=("cat",)
)


class Echo:
    """A pod that says everything back in capitals. `jam` makes it stop reading."""

    def __init__(self, sink: StreamSink) -> None:
        self.sink = sink
        self.sizes: list[tuple[int, int]] = []
        self.closed = threading.Event()
        self.jammed = False

    def write(self, data: bytes) -> None:
        if data == b"jam":
            self.jammed = True
            self.closed.wait(20)
        else:
            self.sink.output("stdout", data.upper())

    def close_input(self) -> None:
        self.sink.output("stderr", b"bye")
        self.sink.ended(5, "")

    def resize(self, width: int, height: int) -> None:
        self.sizes.append((width, height))

    def close(self) -> None:
        self.closed.set()


class House:
    def __init__(self) -> None:
        self.sessions: list[Echo] = []
        self.requests: list[OpenRequest] = []

    def door(self, request: OpenRequest, sink: StreamSink) -> StreamSession:
        self.requests.append(request)
        if request.pod == "nobody":
            raise NotFound('container not found ("app")')
        session = Echo(sink)
        self.sessions.append(session)
        return session


@pytest.fixture(params=["unix", "tcp"])
def listen(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    return Address(path=tmp_path / "s.sock") if request.param == "unix" else Address(host="127.0.0.1", port=0)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def server(listen: Address, house: House, settings: Any) -> Iterator[StreamServer]:
    before = threading.active_count()
    made = StreamServer(listen=listen, key=streams.key_of(settings.SECRET_KEY), door=house.door)
    made.start()
    yield made
    made.close()
    eventually(lambda: threading.active_count() <= before)


def eventually(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    until = monotonic() + seconds
    while not condition():
        assert monotonic() < until
        pause(0.02)


async def all_of(connection: NodeConnection) -> tuple[bytes, bytes, End]:
    out = {streams.STDOUT: b"", streams.STDERR: b""}
    async for frame in connection.frames():
        if frame.channel == streams.END:
            return out[streams.STDOUT], out[streams.STDERR], streams.read_end(frame)
        out[frame.channel] += frame.payload
    raise AssertionError("a stream without an end")


async def test_bytes_sizes_and_the_end_pass_through(server: StreamServer, house: House) -> None:
    async with await NodeConnection.open(server.address, REQUEST) as connection:
        await connection.send(streams.resize_frame(80, 24))
        await connection.send_input(b"abc" * 100_000)
        await connection.send(streams.close_input_frame())
        stdout, stderr, end = await all_of(connection)
    assert stdout == b"ABC" * 100_000
    assert (stderr, end) == (b"bye", End(5))
    assert house.requests == [REQUEST]
    assert house.sessions[0].sizes == [(80, 24)]
    eventually(house.sessions[0].closed.is_set)


async def test_a_refusal_is_told(server: StreamServer) -> None:
    request = OpenRequest(operation=streams.EXEC, cluster="main", node="a", namespace="d", pod="nobody", uid="u")
    async with await NodeConnection.open(server.address, request) as connection:
        assert await all_of(connection) == (b"", b"", End(None, 'container not found ("app")'))


async def test_a_caller_without_the_key_gets_nowhere(server: StreamServer, house: House, settings: Any) -> None:
    settings.SECRET_KEY = "guessed"
    with pytest.raises(Unreachable):
        await NodeConnection.open(server.address, REQUEST)
    assert house.requests == []


async def test_who_hangs_up_ends_the_session_even_while_the_pod_does_not_read(
    server: StreamServer, house: House
) -> None:
    async with await NodeConnection.open(server.address, REQUEST) as connection:
        await connection.send_input(b"jam")
        await asyncio.to_thread(eventually, lambda: house.sessions and house.sessions[0].jammed)
        sending = asyncio.create_task(connection.send_input(bytes(20_000_000)))
        await asyncio.sleep(0.1)
        assert not sending.done()
        sending.cancel()
    await asyncio.to_thread(eventually, house.sessions[0].closed.is_set, 5)


async def test_a_server_that_stops_ends_its_streams_with_an_error(server: StreamServer, house: House) -> None:
    async with await NodeConnection.open(server.address, REQUEST) as connection:
        await connection.send_input(b"x")
        server.close()
        stdout, _, end = await all_of(connection)
    assert end.exit_code is None
    assert "went away" in end.error or "broke off" in end.error
    assert house.sessions[0].closed.is_set()


@pytest.mark.parametrize("noise", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x10\x00\x00\x00\x05hello", b"\xff" * 5000])
def test_strangers_are_hung_up_on(server: StreamServer, house: House, noise: bytes) -> None:
    address = server.address
    family = socket.AF_INET if address.path is None else socket.AF_UNIX
    with socket.socket(family) as stranger:
        stranger.settimeout(5)
        stranger.connect((address.host, address.port) if address.path is None else str(address.path))
        stranger.sendall(noise)
        stranger.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while data := stranger.recv(4096):
                received += data
        except ConnectionError:
            pass
    assert len(received) <= streams.HELLO_BYTES
    assert house.requests == []


def test_more_callers_than_are_borne_are_hung_up_on(
    server: StreamServer, monkeypatch: pytest.MonkeyPatch, house: House
) -> None:
    monkeypatch.setattr(stream_server, "MAX_CONNECTIONS", 1)

    async def both() -> None:
        async with await NodeConnection.open(server.address, REQUEST):
            with pytest.raises(Unreachable):
                await NodeConnection.open(server.address, REQUEST)

    asyncio.run(both())
    assert len(house.requests) == 1


async def test_nobody_listens_at_a_stale_address(tmp_path: Path) -> None:
    stale = Address(path=tmp_path / "gone.sock")
    with pytest.raises(Unreachable, match=r"^dial unix .*gone.sock: connect: no such file or directory$"):
        await NodeConnection.open(stale, REQUEST)


async def test_something_else_that_listens_there_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_connection, "CONNECT_SECONDS", 0.5)
    received: list[bytes] = []

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP ready, what do you want from me today?\r\n")
        received.append(await reader.read(100))
        writer.close()

    path = tmp_path / "other.sock"
    async with await asyncio.start_unix_server(other, path):
        with pytest.raises(Unreachable, match="not a node of this lab"):
            await NodeConnection.open(Address(path=path), REQUEST)
        async with asyncio.timeout(5):
            while not received:
                await asyncio.sleep(0.01)
    assert received == [b""]  # not a word was said to it


def test_a_socket_that_a_killed_worker_left_is_taken_over(tmp_path: Path, house: House) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = StreamServer(listen=Address(path=path), key=b"k", door=house.door)
    server.start()
    assert path.stat().st_mode & 0o777 == 0o600
    server.close()
    assert not path.exists()


WHERE = {
    "nothing said": ("", "", None),
    "all interfaces": ("0.0.0.0", "", "{own}:10250"),
    "all interfaces and a port": ("0.0.0.0:4000", "", "{own}:4000"),
    "one address": ("10.1.2.3:4000", "", "10.1.2.3:4000"),
    "IPv6": ("[::1]", "", "[::1]:10250"),
    "another name outside": ("0.0.0.0", "node-a:10250", "node-a:10250"),
}


@pytest.mark.parametrize("sentence", WHERE)
def test_a_node_publishes_where_it_can_be_reached(sentence: str, settings: Any) -> None:
    settings.PODLAB_STREAM_BIND, settings.PODLAB_STREAM_ADDRESS, expected = WHERE[sentence]
    published = stream_address.published("node")
    if expected is None:
        assert published == f"unix:{stream_address.socket_path(settings.PODLAB_DATA, 'node')}"
    else:
        assert published == expected.format(own=stream_address.own_address())


def test_both_kinds_of_workers_find_a_port_on_one_machine(settings: Any) -> None:
    settings.PODLAB_STREAM_BIND = "127.0.0.1"
    assert [stream_address.published(role) for role in ("node", "sim")] == ["127.0.0.1:10250", "127.0.0.1:10251"]


def test_a_deep_data_folder_gets_a_short_socket() -> None:
    deep = Path("/data") / ("x" * 120)
    path = stream_address.socket_path(deep, "node")
    assert len(str(path)) < 100
    assert path != stream_address.socket_path(deep / "y", "node")
