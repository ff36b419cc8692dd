"""What one row of the kubectl table is, and how it is run: a command, what is typed, what must be shown, the exit code."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import re
import select
import shlex
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.terminal import converse_with
from tests.whole_lab import Lab, free_port

SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Row:
    """`shows`: regular expressions, each found in what the command prints, in any order. `hides`: none of them is.

    `by_version`: kubectl's versions say this differently on the wire, so every version drives it; the rest is for the
    newest one. `awaited`: asked again until it is so. `endless`: the command goes on for ever; it is ended when all is
    shown. `typed`: on a terminal, pairs of what to wait for and what to type. `meanwhile`: a command that is run every
    second while an endless one goes on; `{n}` in it counts. `fetch`: a path that is then got through the port
    `{port}` on this machine, or where `kubectl proxy` says that it serves.
    """

    command: str
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    code: int = 0
    stdin: str = ""
    editor: str = ""
    by_version: bool = False
    awaited: bool = False
    endless: bool = False
    typed: tuple[tuple[str, str], ...] = ()
    meanwhile: str = ""
    fetch: str = ""


def row(command: str, *shows: str, **more: object) -> Row:
    return Row(command=command, shows=shows, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    path: str
    version: tuple[int, int, int]

    @property
    def minor(self) -> str:
        return ".".join(map(str, self.version[:2]))

    @property
    def name(self) -> str:
        return "v" + ".".join(map(str, self.version))


def installed() -> list[Kubectl]:
    """Every kubectl there is, the newest first: those in KUBECTL_BINARIES (paths, separated by colons, commas or spaces),
    the one on PATH, and the `kubectl.1.NN` that lie beside the file it is. One of each minor version."""
    paths = [Path(text) for text in re.split(r"[:,\s]+", os.environ.get("KUBECTL_BINARIES", "")) if text]
    if on_path := shutil.which("kubectl"):
        found = Path(on_path).resolve()
        paths += [found, *sorted(found.parent.glob("kubectl.1.[0-9]*"))]
    by_minor: dict[str, Kubectl] = {}
    for path in paths:
        known = _version_of(path)
        if known is not None and known.minor not in by_minor:
            by_minor[known.minor] = known
    return sorted(by_minor.values(), key=lambda item: item.version, reverse=True)


def _version_of(path: Path) -> Kubectl | None:
    """None for what lies there by that name and is no kubectl (a wrapper that finds none, say)."""
    done = subprocess.run([str(path), "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=60)
    if done.returncode:
        return None
    found = re.match(r"v(\d+)\.(\d+)\.(\d+)", json.loads(done.stdout)["clientVersion"]["gitVersion"])
    if found is None:
        return None
    major, minor, patch = map(int, found.groups())
    return Kubectl(path=str(path), version=(major, minor, patch))


@dataclass(frozen=True)
class Desk:
    """A kubectl, a lab, and a folder of manifests with a kubeconfig whose namespace is `namespace`."""

    lab: Lab
    kubectl: Kubectl
    folder: Path
    namespace: str
    port: int = field(default_factory=free_port)

    def environment(self, editor: str = "") -> dict[str, str]:
        more = {"KUBE_EDITOR": editor} if editor else {}
        return {
            **os.environ,
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "KUBECACHEDIR": str(self.folder / "cache"),
            **more,
        }

    def arguments(self, command: str) -> list[str]:
        filled = command.replace("{port}", str(self.port)).replace("{ns}", self.namespace)
        return [self.kubectl.path, *shlex.split(filled)]

    def run(self, row: Row) -> str:
        """What is wrong about it, "" if nothing."""
        try:
            return self._run(row)
        except subprocess.TimeoutExpired as expired:
            return f"did not end in {SECONDS} s; it showed: {expired.output!r} {expired.stderr!r}"
        except AssertionError as problem:
            return str(problem)

    def _run(self, row: Row) -> str:
        if row.typed:
            code, shown = converse_with(self.arguments(row.command), self.environment(), row.typed)
            return judge(row, code, shown)
        if row.endless:
            return self._endless(row)
        deadline = time.monotonic() + SECONDS
        while True:
            problem = self._once(row)
            if not (problem and row.awaited and time.monotonic() < deadline):
                return problem
            time.sleep(0.3)

    def _once(self, row: Row) -> str:
        done = subprocess.run(
            self.arguments(row.command),
            input=row.stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            cwd=self.folder,
            env=self.environment(row.editor),
        )
        return judge(row, done.returncode, done.stdout + done.stderr)

    def _endless(self, row: Row) -> str:
        process = subprocess.Popen(
            self.arguments(row.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=self.environment(),
        )
        try:
            return self._followed(row, process)
        finally:
            process.kill()
            process.communicate()

    def _fetched(self, shown: str, path: str) -> str:
        """A page through the port or socket that the command names, or through `{port}`."""
        if found := re.search(r"^Starting to serve on (\S+\.sock)$", shown, re.MULTILINE):
            connection = _SocketConnection("localhost", timeout=20)
            connection.host = str(self.folder / found.group(1))
            connection.request("GET", path, headers={"Host": "localhost"})
            return connection.getresponse().read().decode()
        chosen = re.search(r"^Starting to serve on 127\.0\.0\.1:(\d+)$", shown, re.MULTILINE)
        port = chosen.group(1) if chosen else self.port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return str(answer.read().decode())

    def _followed(self, row: Row, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETFL, os.O_NONBLOCK)
        shown, fetching, rounds = "", row.fetch, 0
        begin = time.monotonic()
        while time.monotonic() < begin + SECONDS:
            if row.meanwhile and time.monotonic() > begin + rounds:
                rounds += 1
                if problem := self._once(Row(command=row.meanwhile.replace("{n}", str(rounds)))):
                    return f"meanwhile: {problem}"
            if shown and fetching:
                shown += self._fetched(shown, fetching)
                fetching = ""
            if not judge(row, row.code, shown):
                return ""
            if select.select([process.stdout], [], [], 0.1)[0]:
                data = process.stdout.read()
                if not data:
                    return f"ended with {process.wait()}; it showed: {shown!r}"
                shown += data.decode(errors="replace")
        return judge(row, row.code, shown)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over the Unix socket `host`."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


def judge(row: Row, code: int, shown: str) -> str:
    missing = [text for text in row.shows if not re.search(text, shown, re.MULTILINE)]
    surplus = [text for text in row.hides if re.search(text, shown, re.MULTILINE)]
    if code == row.code and not missing and not surplus:
        return ""
    parts = [f"exit code {code} instead of {row.code}"] if code != row.code else []
    parts += [f"does not show {text!r}" for text in missing] + [f"shows {text!r}" for text in surplus]
    return f"{'; '.join(parts)}. It showed:\n{shown}"


def drive(desk: Desk, rows: Sequence[Row]) -> list[str]:
    """Run rows in their order; a description of every one that went wrong."""
    return [f"$ kubectl {item.command}\n{problem}" for item in rows if (problem := desk.run(item))]
