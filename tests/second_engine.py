"""A Docker engine of a test's own, beside the machine's: one that may be restarted. It takes root, dockerd and unshare.

It lives in a network namespace of its own: two engines on one network would take each other's bridge away.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from podlab.ops.docker_probe import docker_answers
from tests.whole_lab import eventually

IMAGE = "busybox:1.36"


class SecondEngine:
    """Its own socket, folders and network: what runs there reaches neither the machine nor the agent by address."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="engine-"))  # short: sockets lie in it
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"unix://{self._folder}/docker.sock"

    def __enter__(self) -> SecondEngine:
        try:
            self._start()
            saved = subprocess.run(["docker", "save", IMAGE], check=True, capture_output=True).stdout
            subprocess.run(["docker", "--host", self.host, "load"], input=saved, check=True, capture_output=True)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if ids := self.containers():
            subprocess.run(["docker", "--host", self.host, "rm", "--force", *ids], check=True, capture_output=True)
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def restart(self) -> None:
        self._stop()
        self._start()

    def containers(self) -> list[str]:
        command = ["docker", "--host", self.host, "ps", "--all", "--quiet"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    def _start(self) -> None:
        places = ["--data-root", "data", "--exec-root", "exec", "--pidfile", "pid"]
        words = [str(self._folder / one) if not one.startswith("--") else one for one in places]
        command = ["unshare", "--net", "dockerd", "--host", self.host, *words, "--iptables=false"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        eventually("the second engine answers", lambda: docker_answers(self.host), 60)

    def _stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
