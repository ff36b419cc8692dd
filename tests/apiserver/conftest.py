"""A lab in this process for `AsyncClient`, and one behind a TLS port for real clients."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import api_lab
import pytest
from django.test import AsyncClient
from kubectl_server import Server

from podlab.registry import clusters
from podlab.storage import hub

HERE = Path(__file__).parent
START_SECONDS = 60


@pytest.fixture
def lab(transactional_db: None, settings: Any) -> Iterator[str]:
    """Cluster main with its first namespaces and the API's own URLs; an admin's token."""
    settings.ROOT_URLCONF = "api_urls"
    settings.MIDDLEWARE = []
    clusters.ensure_main("sim")
    yield api_lab.admin_token()
    hub.close()


class BearerClient(AsyncClient):
    """Sends a token with every request; default headers of an AsyncClient would not arrive."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    def generic(self, *arguments: Any, headers: dict[str, str] | None = None, **more: Any) -> Any:
        given = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return super().generic(*arguments, headers=given, **more)


@pytest.fixture
def api(lab: str) -> AsyncClient:
    """A client of the API with the admin's token."""
    return BearerClient(lab)


@pytest.fixture
def anybody(lab: str) -> AsyncClient:
    """A client without a token."""
    return AsyncClient()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[str, Path]]:
    """The URL and data folder of the API in a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="podlab-api-"))
    port = _free_port()
    environment = {**os.environ, "PODLAB_DATA": str(folder), "PYTHONPATH": str(HERE.parents[1])}
    with (folder / "server.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "api_lab.py"), str(port)],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_ready(process, folder)
        yield f"https://127.0.0.1:{port}", folder
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _await_ready(process: subprocess.Popen[bytes], folder: Path) -> None:
    from podlab.clock import monotonic, pause

    give_up = monotonic() + START_SECONDS
    while not (folder / "ready").exists():
        assert process.poll() is None, (folder / "server.log").read_text()
        assert monotonic() < give_up, (folder / "server.log").read_text()
        pause(0.05)


def kubectls() -> list[str]:
    """The oldest version that speaks websockets and the newest, of those beside the kubectl on PATH; else that one. Every
    version is driven in tests/lab/test_kubectl_table.py."""
    found = shutil.which("kubectl")
    if found is None:
        return []
    beside = sorted(Path(found).resolve().parent.glob("kubectl.1.[0-9]*"))
    wanted = [str(path) for path in beside if _minor(path) >= 30]
    return list(dict.fromkeys((wanted[0], wanted[-1]))) if wanted else [found]


def _minor(path: Path) -> int:
    text = path.name.removeprefix("kubectl.1.")
    return int(text) if text.isdigit() else 0


@pytest.fixture(params=kubectls() or ["kubectl"], ids=lambda path: Path(path).name)
def server(request: pytest.FixtureRequest, served: tuple[str, Path]) -> Server:
    url, folder = served
    return Server(url, (folder / "token").read_text(), folder, request.param)


@pytest.fixture
def namespace(server: Server) -> Iterator[str]:
    """A namespace of its own; deleting it is the business of other workers, which do not run here."""
    name = f"test-{os.urandom(4).hex()}"
    server.run("create", "-f", "-", stdin=f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
    return name
