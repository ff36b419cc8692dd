"""A throw-away PostgreSQL server: its own cluster in a temporary folder, on a free port of 127.0.0.1, without fsync.

`with running() as url: …`; by hand: `python tests/storage/postgres.py <command> [argument…]` runs a command with
DATABASE_URL set. PostgreSQL refuses to run as root, so root hands it to the system's user postgres (or nobody).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 60.0


class NoPostgres(Exception):
    """There is no server program on this machine."""


def programs() -> Path:
    """The folder that has initdb and postgres: the newest of Debian's, or wherever PATH finds them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: _version(path.parent.parent.name))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise NoPostgres("initdb is neither in /usr/lib/postgresql nor on PATH (Debian: apt-get install postgresql)")
    return Path(on_path).resolve().parent


def _version(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return 0.0


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start it, give its DATABASE_URL, stop it and remove everything."""
    tools, user = programs(), _server_user()
    with tempfile.TemporaryDirectory(prefix="podlab-postgres-") as name:
        folder = Path(name)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data, port = folder / "data", _free_port()
        _run([str(tools / "initdb"), "-D", str(data), "-U", "podlab", "-A", "trust", "-E", "UTF8", "--no-sync"], user)
        command = [str(tools / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder)]
        for setting in ("listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "max_connections=100"):
            command += ["-c", setting]
        with (folder / "server.log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **_as(user))
        try:
            _wait(tools, port, server, folder / "server.log")
            yield f"postgres://podlab:podlab@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _server_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _as(user: pwd.struct_passwd | None) -> dict[str, object]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _run(command: list[str], user: pwd.struct_passwd | None) -> None:
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=PATIENCE, **_as(user))  # type: ignore[call-overload]
    if done.returncode:
        raise NoPostgres(f"{command[0]} failed: {done.stderr.strip()}")


def _wait(tools: Path, port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    ready = [str(tools / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    deadline = time.monotonic() + PATIENCE
    while subprocess.run(ready, timeout=PATIENCE).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            raise NoPostgres(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int:
    with running() as url:
        return subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main())
