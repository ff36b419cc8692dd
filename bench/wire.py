"""A client that costs little: requests on kept connections, and many watches on one thread. What it spends runs on the same
cores as the lab."""

from __future__ import annotations

import http.client
import json
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.whole_lab import Lab

PODS = "/api/v1/namespaces/{}/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


class Wire:
    """One kept connection to the Kubernetes API with the admin's token."""

    def __init__(self, lab: Lab) -> None:
        self._connection = http.client.HTTPSConnection("127.0.0.1", lab.api_port, timeout=120, context=trust(lab))
        self._head = {"Authorization": f"Bearer {lab.token}"}

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[float, bytes]:
        """Seconds until the whole answer is here, and the answer. An answer of 400 and more is an error."""
        head = {**self._head, "Content-Type": "application/json"}
        head.update((name.replace("_", "-"), value) for name, value in headers.items())
        begin = time.perf_counter()
        self._connection.request(method, path, body, head)
        answer = self._connection.getresponse()
        data = answer.read()
        seconds = time.perf_counter() - begin
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return seconds, data

    def close(self) -> None:
        self._connection.close()


def trust(lab: Lab) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(lab.data / "pki" / "ca.crt"))


def together(lab: Lab, threads: int, work: Callable[[Wire, int], list[float]]) -> tuple[float, list[float]]:
    """`work(wire, number of the thread)` on several threads at once: seconds that it took, and what each of them returned."""
    found: list[list[float]] = [[] for _ in range(threads)]
    wires = [Wire(lab) for _ in range(threads)]
    for wire in wires:
        wire.call("GET", "/version")  # the handshake is not what is measured
    problems: list[Exception] = []

    def run(number: int) -> None:
        try:
            found[number] = work(wires[number], number)
        except Exception as problem:
            problems.append(problem)

    all_threads = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    begin = time.perf_counter()
    for thread in all_threads:
        thread.start()
    for thread in all_threads:
        thread.join()
    seconds = time.perf_counter() - begin
    for wire in wires:
        wire.close()
    if problems:
        raise problems[0]
    return seconds, [one for part in found for one in part]


class Watchers:
    """Open watches of one path, each on a connection of its own, read by one thread."""

    def __init__(self, lab: Lab, path: str, count: int, accept: str = "application/json") -> None:
        self._selector = selectors.DefaultSelector()
        context = trust(lab)
        request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {lab.token}\r\nAccept: {accept}\r\n\r\n"
        ).encode()
        self._sockets = [self._open(lab, context, request) for _ in range(count)]

    def _open(self, lab: Lab, context: ssl.SSLContext, request: bytes) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", lab.api_port), timeout=60)
        opened = context.wrap_socket(plain, server_hostname="127.0.0.1")
        opened.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            head += opened.recv(4096)
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"the watch was refused: {head[:200]!r}")
        opened.setblocking(False)
        self._selector.register(opened, selectors.EVENT_READ)
        return opened

    def arrivals(self, mark: bytes, seconds: float = 20) -> list[float]:
        """When `mark` came to each of them (perf_counter), in the order of arrival."""
        waiting = dict.fromkeys(self._sockets, b"")
        found: list[float] = []
        deadline = time.perf_counter() + seconds
        while waiting:
            left = deadline - time.perf_counter()
            if left <= 0:
                raise RuntimeError(f"{len(waiting)} watches never saw {mark!r}")
            for key, _ in self._selector.select(left):
                opened = key.fileobj
                assert isinstance(opened, ssl.SSLSocket)
                data = waiting.get(opened, b"") + _available(opened)
                if opened not in waiting:
                    continue
                if mark in data:
                    found.append(time.perf_counter())
                    del waiting[opened]
                else:
                    waiting[opened] = data[-len(mark) :]
        return found

    def close(self) -> None:
        self._selector.close()
        for opened in self._sockets:
            opened.close()


def _available(opened: ssl.SSLSocket) -> bytes:
    """What can be read without waiting."""
    parts = []
    while True:
        try:
            part = opened.recv(65536)
        except ssl.SSLWantReadError:
            return b"".join(parts)
        if not part:
            raise RuntimeError("a watch ended")
        parts.append(part)


@contextmanager
def wire_to(lab: Lab) -> Iterator[Wire]:
    wire = Wire(lab)
    try:
        wire.call("GET", "/version")
        yield wire
    finally:
        wire.close()


def pod(name: str, labels: Sequence[str] = ("bench",)) -> dict[str, Any]:
    """A pod that no scheduler takes."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": labels[0]}},
        "spec": {
            "schedulerName": "golden-none",
            "containers": [{"name": "app", "image": "busybox:1.36", "command": ["sleep", "3600"]}],
        },
    }


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()
