"""Starts a lab's processes in order, keeps them running, stops them in reverse: `make up` and `make down`.

It imports no Django, so that it stays small. What the processes say goes to $PODLAB_DATA/process-logs/.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from podlab import clock, env
from podlab.ops import embedded_redis, service_network, worker
from podlab.ops.children import Child, stop_leftover
from podlab.ops.docker_probe import docker_answers

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 90.0
TICK = 0.1


class CannotStart(Exception):
    """The lab cannot start; the message says why and what to do."""


def _thrift() -> dict[str, str]:
    """What the C library is told about memory, unless somebody has told it already. Each heap that it gives a thread keeps what was
    freed in it; two serve all threads in turn. Left alone it also keeps larger and larger blocks once one was freed: after
    a list of 10,000 pods or 200 watches the web process held twice of what it uses."""
    wanted = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "1048576"}
    return {name: os.environ.get(name, value) for name, value in wanted.items()}


class Supervisor:
    """One lab. `children` are in start order."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.stopping = False
        self.children: list[Child] = []
        self._lock: IO[str] | None = None
        self.runtime = _runtime()
        self.began = clock.monotonic()

    # -- the way up

    def up(self) -> int:
        self._claim()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        try:
            self._check_ports()
            self._start_all()
            if not self.stopping:
                self._greet()
                self._watch()
        finally:
            self._stop_all()
        return 0

    def _ask_to_stop(self, *_: object) -> None:
        self.stopping = True

    def _claim(self) -> None:
        """One supervisor per data folder; clear what a killed one left."""
        for folder in ("run", "pids", "process-logs"):
            (self.data / folder).mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        lock = (self.data / "run" / "supervisor.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(f"a lab with data in {self.data} is running already; `make down` stops it") from None
        self._lock = lock
        for pid_file in (self.data / "pids").glob("*.pid"):
            stop_leftover(pid_file, self.data)
        (self.data / "pids" / "supervisor.pid").write_text(f"{os.getpid()}\n")
        docker = self.runtime == "docker"
        self._services = service_network.claim(self.data) if docker else service_network.unclaimed(self.data)

    def _check_ports(self) -> None:
        bind = env.text("PODLAB_BIND", "127.0.0.1")
        for name, default in (("PODLAB_PORT", 8000), ("PODLAB_API_PORT", 8443)):
            port = env.integer(name, default, low=1, high=65535)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((bind, port))
                except OSError as problem:
                    raise CannotStart(f"port {port} on {bind} is not free ({problem}); set {name}") from None

    def _start_all(self) -> None:
        if not os.environ.get("REDIS_URL", "").strip():
            self._add("redis", embedded_redis.command(self.data), stop_seconds=5)
            self._until("Redis answers", lambda: embedded_redis.answers(self.data))
        if not self._schema_is_current():
            _say("preparing the database …")
            self._start_web()
            self._until("the database is ready", self._schema_is_current)
        for role in ("control", "sim", "node") if self.runtime == "docker" else ("control", "sim"):
            self._add(role, worker.command(), stop_seconds=10)
        if not any(child.role == "web" for child in self.children):
            self._start_web()
        waiting = [child for child in self.children if child.role != "redis"]
        self._until("all processes are ready", lambda: all(child.ready() for child in waiting))

    def _start_web(self) -> None:
        self._add("web", [sys.executable, "-m", "podlab.ops.server"], stop_seconds=6)

    def _add(self, role: str, command: list[str], *, stop_seconds: float) -> None:
        if self.stopping:
            return
        environment = {
            **os.environ,
            "PODLAB_DATA": str(self.data),
            "PODLAB_ROLE": role,
            "PODLAB_RUNTIME": self.runtime,
            "PODLAB_SERVICE_NETWORK": self._services.network,
            "PODLAB_SERVICE_RULES": "true" if self._services.held else "false",
            "DJANGO_SETTINGS_MODULE": "podlab.settings",
            "PYTHONUNBUFFERED": "1",
            **_thrift(),
            "PYTHONPATH": str(ROOT),
            "C_FORCE_ROOT": "1",
        }
        child = Child(role, command, environment=environment, data=self.data, stop_seconds=stop_seconds)
        self.children.append(child)
        child.start()

    def _schema_is_current(self) -> bool:
        """The web process leaves this stamp when migrations and first objects are in place."""
        stamp = self.data / "run" / "prepared"
        return stamp.exists() and stamp.read_text() == migrations_digest()

    def _until(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = clock.monotonic() + READY_SECONDS
        while not self.stopping and not condition():
            self._tend()
            if clock.monotonic() > deadline:
                tails = "\n".join(f"--- {child.role}\n{child.log_tail()}" for child in self.children)
                raise CannotStart(f"waited {READY_SECONDS:.0f} s in vain until {what}\n{tails}")
            clock.pause(0.02)

    def _greet(self) -> None:
        greeting = json.loads((self.data / "run" / "greeting.json").read_text())
        seconds = clock.monotonic() - self.began
        words = "containers run on Docker" if self.runtime == "docker" else "pods are SIMULATED (no Docker)"
        print(
            f"\npodlab is ready ({seconds:.1f} s)\n"
            f"  open       {greeting['login']}   (works once; `manage.py login_link` makes another)\n"
            f"  runtime    {self.runtime}: {words}\n"
            f"  kubectl    export KUBECONFIG={greeting['kubeconfig']}\n"
            f"  API        {greeting['api']}\n"
            f"  data       {self.data}\n"
            "  stop       Ctrl-C or `make down`\n",
            flush=True,
        )
        (self.data / "run" / "greeting.json").unlink()

    # -- while it runs

    def _watch(self) -> None:
        while not self.stopping:
            self._tend()
            clock.pause(TICK)

    def _tend(self) -> None:
        for child in self.children:
            sentence = child.tend()
            if sentence:
                _say(sentence)

    # -- the way down

    def _stop_all(self) -> None:
        if self.children:
            _say("stopping …")
        for child in reversed(self.children):
            child.stop()
        (self.data / "pids" / "supervisor.pid").unlink(missing_ok=True)
        if self.children:
            _say("stopped")


def migrations_digest() -> str:
    """Changes whenever a migration is added or the code's own version of the first objects changes."""
    import hashlib

    names = sorted(path.name for path in (ROOT / "podlab" / "storage" / "migrations").glob("0*.py"))
    contents = [(ROOT / "podlab" / "storage" / "migrations" / name).read_bytes() for name in names]
    return hashlib.sha256(b"\0".join(contents) + os.environ.get("DATABASE_URL", "").encode()).hexdigest()


def _runtime() -> str:
    """docker or sim. `auto` asks the engine."""
    wanted = env.choice("PODLAB_RUNTIME", "auto", ("auto", "docker", "sim"))
    if wanted == "sim":
        return "sim"
    answers = docker_answers(env.text("DOCKER_HOST", "unix:///var/run/docker.sock"))
    if wanted == "docker" and not answers:
        raise CannotStart("PODLAB_RUNTIME=docker, but no Docker engine answers; start it or use PODLAB_RUNTIME=sim")
    return "docker" if answers else "sim"


def _say(sentence: str) -> None:
    print(f"podlab: {sentence}", flush=True)


def down(data: Path) -> int:
    """Ask the supervisor of this data folder to stop and wait for it."""
    pid_file = data / "pids" / "supervisor.pid"
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        leftovers = [path.stem for path in (data / "pids").glob("*.pid") if stop_leftover(path, data)]
        _say(f"killed leftovers: {', '.join(leftovers)}" if leftovers else "no lab is running")
        return 0
    deadline = clock.monotonic() + 60
    while clock.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists() or not pid_file.exists():
            return 0
        clock.pause(0.05)
    _say(f"the supervisor (pid {pid}) did not stop within 60 s")
    return 1


def main(arguments: list[str]) -> int:
    if arguments not in (["up"], ["down"]):
        print("usage: python -m podlab.ops.supervisor up|down", file=sys.stderr)
        return 2
    data = env.folder("PODLAB_DATA", ROOT / ".podlab")
    try:
        return down(data) if arguments == ["down"] else Supervisor(data).up()
    except (CannotStart, env.BadEnvironment) as problem:
        print(f"podlab: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
