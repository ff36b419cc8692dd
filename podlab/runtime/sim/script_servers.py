"""Servers whose answers a script writes: netcat with `-e` or a text on its input, and busybox httpd's /cgi-bin.

The script runs at once, to its end; the time that it would have slept is the time that its answer takes.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from podlab.runtime.sim.machine import SECOND
from podlab.runtime.sim.shell import Exit, Io, LoopControl, Return, Shell
from podlab.runtime.sim.shell_tree import Unsupported

Headers = Sequence[tuple[str, str]]
MAX_SECONDS = 600
_USER_AGENT = "kube-probe/1.36"


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` 0: what came is no HTTP. `micros` that it took; None = it never comes."""

    status: int
    body: str
    location: str = ""
    micros: int | None = 0


@dataclass(frozen=True, slots=True)
class ScriptSite:
    """A Site that can also be asked with headers."""

    reply: Callable[[str, Headers], Reply]

    def __call__(self, micros: int, path: str) -> tuple[int, str]:
        found = self.reply(path, ())
        return found.status, found.body


def probe_headers(host: str, port: int, given: Headers) -> Headers:
    """As the kubelet sends them."""
    names = {name.lower() for name, _ in given}
    usual = (("Host", f"{host}:{port}"), ("User-Agent", _USER_AGENT), ("Accept", "*/*"), ("Connection", "close"))
    return (*(one for one in usual if one[0].lower() not in names), *given)


def netcat(shell: Shell, argv: Sequence[str]) -> ScriptSite | None:
    """None: what listens says nothing."""
    if "-e" in argv[:-1]:
        command = list(argv[argv.index("-e") + 1 :])
        return ScriptSite(lambda path, headers: _parsed(*_run(shell, command, _request(path, headers), {})))
    text = shell.io.stdin or ""
    return ScriptSite(lambda path, headers: _parsed(text, 0)) if text else None


def cgi(shell: Shell, root: str, files: Callable[[int, str], tuple[int, str]]) -> ScriptSite:
    """What lies below /cgi-bin is run, everything else is a file."""

    def reply(path: str, headers: Headers) -> Reply:
        name, _, query = path.partition("?")
        script = posixpath.normpath(f"{root}/{name}")
        if not name.startswith("/cgi-bin/") or shell.machine.files.find(script) is None:
            return Reply(*files(shell.machine.now, path))
        env = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "REQUEST_URI": path, "SCRIPT_NAME": name}
        env |= {f"HTTP_{key.upper().replace('-', '_')}": value for key, value in headers}
        env |= {"SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1"}
        text, micros = _run(shell, [script], "", env, folder=posixpath.dirname(script))
        status = re.match(r"Status: *(.*)", text)
        head = f"HTTP/1.1 {status[1].strip()}\n" if status else "" if text.startswith("HTTP/") else "HTTP/1.1 200 OK\n"
        return _parsed(head + text, micros)

    return ScriptSite(reply)


def _request(path: str, headers: Headers) -> str:
    return f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"


def _run(shell: Shell, argv: list[str], text: str, env: Mapping[str, str], folder: str = "") -> tuple[str, int | None]:
    out: list[str] = []
    machine = shell.machine
    io = Io(out=out.append, err=lambda told: machine.out("stderr", told), stdin=text)
    variables = {**machine.setting.environment(), **env}
    inner = replace(
        shell, io=io, variables=variables, exported=set(variables), pid1=False, traps={}, depth=shell.depth + 1
    )
    inner.folder = folder or shell.folder
    program = shell.run_command(inner, argv)
    micros = 0
    try:
        while micros <= MAX_SECONDS * SECOND:
            wait = program.send(None)
            if wait.micros is None:
                break
            micros += wait.micros
        program.close()
        return "".join(out), None
    except (StopIteration, Exit, Return, LoopControl):
        return "".join(out), micros
    except Unsupported:
        return "", None


def _parsed(text: str, micros: int | None) -> Reply:
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.split("\n")
    match = re.match(r"HTTP/1\.[01] (\d{3})", first)
    if match is None:
        return Reply(0, text, micros=micros)
    found = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Reply(int(match[1]), body, found.get("location", ""), micros)
