"""A registry with a password on a free port of 127.0.0.1, which Docker trusts without TLS: Debian's docker-registry."""

from __future__ import annotations

import base64
import io
import json
import shutil
import socket
import subprocess
import tarfile
import time
from pathlib import Path
from types import TracebackType

from podlab import settings
from podlab.apis.types import Manifest
from podlab.runtime.docker.client import shared

PROGRAM = "docker-registry"
USER, PASSWORD = "pupil", "s3cret"
_HASH = "$2b$04$VrAxSbaobpLDq71xgZzJ3.nJe89apKbJRVmvbOKGnQVaEtD2luU16"  # bcrypt of the password
_SOURCE = "busybox:1.36"


def _tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class ImageRegistry:
    """A context manager. Whatever was named after it is untagged in the engine when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{probe.getsockname()[1]}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ImageRegistry:
        program = shutil.which(PROGRAM)
        assert program is not None, "tests/machine.py installs docker-registry"
        (self._folder / "users").write_text(f"{USER}:{_HASH}\n")
        config = self._folder / "config.json"  # its YAML reader takes JSON
        config.write_text(
            json.dumps(
                {
                    "version": "0.1",
                    "log": {"level": "error", "accesslog": {"disabled": True}},
                    "storage": {"filesystem": {"rootdirectory": str(self._folder / "store")}},
                    "http": {"addr": self.host},
                    "auth": {"htpasswd": {"realm": "test", "path": str(self._folder / "users")}},
                }
            )
        )
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log)
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)
        api = shared(settings.PODLAB_DOCKER_HOST).api
        for image in api.images():
            for tag in image.get("RepoTags") or []:
                if tag.startswith(f"{self.host}/"):
                    api.remove_image(tag)

    def _wait(self) -> None:
        host, port = self.host.split(":")
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((host, int(port)), 1).close()
                return
            except OSError:
                assert time.monotonic() < until, (self._folder / "log").read_text()
                time.sleep(0.05)

    def push(self, name: str, *, files: dict[str, bytes] | None = None) -> str:
        """Give it busybox:1.36 with these files on top, as a layer of their own; returns its name. The engine does not keep
        it."""
        ref = f"{self.host}/{name}"
        api = shared(settings.PODLAB_DOCKER_HOST).api
        repository, _, tag = ref.rpartition(":")
        if files is None:
            api.tag(_SOURCE, repository, tag)
        else:
            made = api.create_container(_SOURCE, command=["true"])["Id"]
            api.put_archive(made, "/", _tar(files))
            api.commit(made, repository=repository, tag=tag)
            api.remove_container(made)
        told = api.push(repository, tag, auth_config={"username": USER, "password": PASSWORD})
        assert "error" not in told, told
        api.remove_image(ref)
        return ref

    def secret(self, name: str, *, where: str = "", password: str = PASSWORD) -> Manifest:
        auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
        body = json.dumps({"auths": {where or self.host: {"auth": auth}}})
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": base64.b64encode(body.encode()).decode()},
        }
