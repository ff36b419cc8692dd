"""A whole lab for tests: the supervisor as a process, on free ports, with a data folder of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: str, condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Ask until it is true; returns the true value. For conditions in other processes, which no clock of ours drives."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last: {value!r})")
        time.sleep(0.1)


class Lab:
    def __init__(self, data: Path, runtime: str, **environment: str) -> None:
        self.data = data
        self.port, self.api_port = free_port(), free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PODLAB_", "DJANGO_"))},
            "PODLAB_DATA": str(data),
            "PODLAB_RUNTIME": runtime,
            "PODLAB_PORT": str(self.port),
            "PODLAB_API_PORT": str(self.api_port),
            **environment,
        }
        self.command = [sys.executable, "-m", "podlab.ops.supervisor", "up"]
        self.process: subprocess.Popen[str] | None = None
        self.said = ""
        self.seconds_to_ready = 0.0

    # -- life

    def start(self) -> Lab:
        begin = time.monotonic()
        log = (self.data.parent / f"{self.data.name}-supervisor.log").open("w+")
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

        def ready() -> bool:
            log.flush()
            self.said = Path(log.name).read_text()
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the lab did not start:\n{self.said}")
            return "podlab is ready" in self.said and "stop  " in self.said

        eventually("the lab is ready", ready, START_SECONDS)
        self.seconds_to_ready = time.monotonic() - begin
        return self

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process = None

    def pid(self, role: str) -> int:
        return int((self.data / "pids" / f"{role}.pid").read_text())

    def kill(self, role: str) -> None:
        """kill -9 one process; wait until the supervisor has it running and ready again."""
        old = self.pid(role)
        os.kill(old, signal.SIGKILL)
        eventually(f"{role} has a new process", lambda: self._new_pid(role, old), 60)
        if role != "redis":
            eventually(f"{role} is ready again", lambda: (self.data / "run" / f"ready-{role}").exists(), 60)

    def _new_pid(self, role: str, old: int) -> bool:
        try:
            return self.pid(role) != old
        except (OSError, ValueError):
            return False

    # -- doors

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        return self.data / "kubeconfig"

    @property
    def token(self) -> str:
        found = re.search(r"token: (\S+)", self.kubeconfig.read_text())
        assert found
        return found.group(1).strip("\"'")

    def login_link(self) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", "login_link"], cwd=ROOT, env=self.environment, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def api(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> tuple[int, Any]:
        """A request to the Kubernetes API over TLS with the admin's token: (status code, decoded JSON)."""
        context = ssl.create_default_context(cafile=str(self.data / "pki" / "ca.crt"))
        data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.api_port}{path}",
            data,
            {"Authorization": f"Bearer {self.token}", "Content-Type": content_type},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as problem:
            with problem:
                return problem.code, json.loads(problem.read() or b"null")

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True, binary: str = "kubectl") -> str:
        done = subprocess.run(
            [binary, "--kubeconfig", str(self.kubeconfig), *arguments],
            input=stdin,
            text=True,
            capture_output=True,
            timeout=90,
            env={**os.environ, "HOME": str(self.data), "KUBECACHEDIR": str(self.data / "kubecache")},
        )
        if check:
            assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def pod(self, name: str, namespace: str = "default") -> dict[str, Any] | None:
        code, answer = self.api("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")
        return answer if code == 200 else None

    def end_pods(self) -> None:
        """Delete every pod at once; until none of this lab's containers is left on Docker."""
        spaces = self.api("GET", "/api/v1/namespaces")[1]["items"]
        for name in (space["metadata"]["name"] for space in spaces):
            self.api("DELETE", f"/api/v1/namespaces/{name}/pods?gracePeriodSeconds=0")
        eventually("no container is left", lambda: not self.containers(), 60)

    def containers(self) -> list[str]:
        """Names of this lab's Docker containers, running or not."""
        lab = (self.data / "lab-id").read_text().strip()
        done = subprocess.run(
            ["docker", "ps", "-a", "--filter", f"label=podlab.dev/lab={lab}", "--format", "{{.Names}}"],
            text=True,
            capture_output=True,
            check=True,
        )
        return done.stdout.split()
