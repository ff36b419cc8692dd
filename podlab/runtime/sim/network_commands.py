"""wget, curl, nc, nslookup and ping of simulated containers: they find Services and pods of their cluster, and nobody else.

Words and exit codes are busybox's and curl's. There is no world outside: its names do not exist.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import NamedTuple

from podlab.runtime.sim import chance, script_servers, servers
from podlab.runtime.sim.machine import SECOND, Program, Wait
from podlab.runtime.sim.outside import LOOPBACK
from podlab.runtime.sim.shell import Shell

NDOTS = 5
DNS_NAME = "ns.dns.cluster.local"
QUICK, SLOW = SECOND // 1000, 3 * SECOND
REFUSED, NO_ROUTE, BAD_ADDRESS = "Connection refused", "No route to host", "bad address"
REASONS = {200: "OK", 301: "Moved Permanently", 404: "Not Found", 500: "Internal Server Error"}


class Reached(NamedTuple):
    """`failure` "" = connected. `shown`: the address that was called, `ip` and `port` where the call ended."""

    failure: str
    shown: str = ""
    ip: str = ""
    port: int = 0


@dataclass(slots=True)
class Options:
    """Words of a command line: flags, values of options, and the rest."""

    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)


def options(argv: list[str], with_value: str, long_with_value: frozenset[str] = frozenset()) -> Options:
    """`with_value`: letters of the options that take one."""
    found, words = Options(), list(argv[1:])
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if equals or (name in long_with_value and words):
                found.values[name] = value if equals else words.pop(0)
            else:
                found.flags.add(name)
        elif word.startswith("-") and len(word) > 1:
            for at, letter in enumerate(word[1:], start=1):
                if letter in with_value:
                    glued = word[at + 1 :]
                    found.values[letter] = glued or (words.pop(0) if words else "")
                    break
                found.flags.add(letter)
        else:
            found.rest.append(word)
    return found


def search_order(host: str, namespace: str) -> list[str]:
    """The full names to ask for, as a resolver with a pod's resolv.conf asks."""
    if host.endswith("."):
        return [host.rstrip(".")]
    searched = [f"{host}.{end}" for end in (f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local")]
    return [*searched, host] if host.count(".") < NDOTS else [host, *searched]


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def find(shell: Shell, host: str) -> list[str]:
    """The addresses of a host; none when nobody knows it."""
    machine = shell.machine
    if host in ("localhost", machine.setting.hostname):
        return [LOOPBACK]
    if _is_address(host):
        return [host]
    for name in search_order(host, machine.setting.namespace):
        if found := machine.outside.lookup(name, "A"):
            return found
    return []


def reach(shell: Shell, host: str, port: int) -> Generator[Wait, str | None, Reached]:
    """Find and call. A Service leads to one of its endpoints, to another one each time unless it is sticky."""
    machine = shell.machine
    addresses = find(shell, host)
    if not addresses:
        yield Wait(micros=SECOND // 10)
        return Reached(BAD_ADDRESS)
    yield Wait(micros=QUICK)
    shown = _choose(addresses, machine.setting.seed, host, machine.now)
    route = machine.outside.route(LOOPBACK if shown == machine.setting.ip else shown, port)
    if route.to is None:
        yield Wait(micros=SLOW)
        return Reached(NO_ROUTE, shown)
    if not route.to:
        return Reached(REFUSED, shown)
    ends = [f"{ip} {number}" for ip, number in route.to]
    ip, _, number = _choose(ends, machine.setting.seed, shown, "" if route.sticky else machine.now).partition(" ")
    if ip == machine.setting.ip:
        ip = LOOPBACK
    if not machine.outside.route(ip, int(number)).to:
        return Reached(REFUSED, shown)
    return Reached("", shown, ip, int(number))


def _choose(among: list[str], *why: object) -> str:
    return among[int(chance.fraction(*why, "choose") * len(among))]


class Url(NamedTuple):
    host: str
    port: int
    path: str
    secure: bool


def url(text: str) -> Url:
    match = re.fullmatch(r"(?:(\w+)://)?([^/:?]+)(?::(\d+))?([/?].*)?", text)
    if match is None:
        return Url(text, 80, "/", False)
    secure = match[1] == "https"
    path = match[4] or "/"
    return Url(match[2], int(match[3] or (443 if secure else 80)), path if path[0] == "/" else f"/{path}", secure)


# wget


_WGET_LONG = frozenset({"timeout", "header", "post-data", "user-agent", "output-document"})


def wget(shell: Shell, argv: list[str]) -> Program:
    given = options(argv, "OTtUPY", _WGET_LONG)
    if not given.rest:
        shell.io.err("wget: missing URL\n")
        return 1
    quiet, target = "q" in given.flags, url(given.rest[0])
    reached = yield from reach(shell, target.host, target.port)
    if reached.failure == BAD_ADDRESS:
        shell.io.err(f"wget: bad address '{target.host}'\n")
        return 1
    if not quiet:
        shell.io.err(f"Connecting to {_place(target)} ({reached.shown}:{target.port})\n")
    if reached.failure:
        shell.io.err(f"wget: can't connect to remote host ({reached.shown}): {reached.failure}\n")
        return 1
    answer = shell.machine.outside.fetch(reached.ip, reached.port, target.path)
    if answer is None or answer[0] == 0 or target.secure:
        shell.io.err("wget: error getting response\n")
        return 1
    status, body = answer
    if status >= 400:
        shell.io.err(f"wget: server returned error: HTTP/1.1 {status} {REASONS.get(status, 'Error')}\n")
        return 1
    if "spider" in given.flags:
        if not quiet:
            shell.io.err("remote file exists\n")
        return 0
    return _save(shell, given, target, body, quiet=quiet)


def _save(shell: Shell, given: Options, target: Url, body: str, *, quiet: bool) -> int:
    file = given.values.get("O", given.values.get("output-document", ""))
    if file == "-":
        if not quiet:
            shell.io.err("writing to stdout\n")
        shell.io.out(body)
        if not quiet:
            shell.io.err("written to stdout\n")
        return 0
    name = file or posixpath.basename(target.path.partition("?")[0]) or "index.html"
    if not file and shell.machine.files.read(shell.path(name)) is not None:
        shell.io.err(f"wget: can't open '{name}': File exists\n")
        return 1
    if name != "/dev/null" and not shell.machine.files.write(shell.path(name), body):
        shell.io.err(f"wget: can't open '{name}': Read-only file system\n")
        return 1
    if not quiet:
        shell.io.err(f"saving to '{name}'\n'{name}' saved\n")
    return 0


def _place(target: Url) -> str:
    return target.host if target.port == (443 if target.secure else 80) else f"{target.host}:{target.port}"


# curl


_CURL_LONG = frozenset(
    {"max-time", "connect-timeout", "output", "header", "data", "request", "user-agent", "write-out", "retry"}
)


def curl(shell: Shell, argv: list[str]) -> Program:
    given = options(argv, "omHdXAuwe", _CURL_LONG)
    if not given.rest:
        shell.io.err("curl: no URL specified!\n")
        return 2
    silent = given.flags & {"s", "silent"} and not given.flags & {"S", "show-error"}
    target = url(given.rest[0])
    reached = yield from reach(shell, target.host, target.port)
    answer = None
    if not reached.failure:
        answer = shell.machine.outside.fetch(reached.ip, reached.port, target.path)
    code, complaint = _curl_failure(target, reached, answer, fail=bool(given.flags & {"f", "fail"}))
    if code and not silent:
        shell.io.err(f"curl: ({code}) {complaint}\n")
    status, body = answer if answer is not None and not code else (answer[0] if answer else 0, "")
    head = f"HTTP/1.1 {status} {REASONS.get(status, '')}\r\n\r\n" if given.flags & {"i", "I", "head", "include"} else ""
    text = head + ("" if given.flags & {"I", "head"} else body)
    file = given.values.get("o", given.values.get("output", ""))
    if file and file != "-" and not code:
        if file != "/dev/null":
            shell.machine.files.write(shell.path(file), text)
    else:
        shell.io.out(text)
    written = given.values.get("w", given.values.get("write-out", ""))
    shell.io.out(written.replace("%{http_code}", f"{status:03}").replace("\\n", "\n"))
    return code


def _curl_failure(target: Url, reached: Reached, answer: tuple[int, str] | None, *, fail: bool) -> tuple[int, str]:
    if reached.failure == BAD_ADDRESS:
        return 6, f"Could not resolve host: {target.host}"
    if reached.failure or answer is None:
        return 7, f"Failed to connect to {target.host} port {target.port} after 1 ms: Couldn't connect to server"
    if target.secure:
        return 35, "OpenSSL/3.0.0: error:0A00010B:SSL routines::wrong version number"
    if answer[0] == 0:
        return 52, "Empty reply from server"
    return (22, f"The requested URL returned error: {answer[0]}") if fail and answer[0] >= 400 else (0, "")


# The rest


def nc(shell: Shell, argv: list[str]) -> Program:
    given = options(argv, "wpise")
    if "l" in given.flags:
        server = replace(servers.netcat(argv), site=script_servers.netcat(shell, argv))
        return (yield from servers.serve(shell.machine, server, direct=False))
    if len(given.rest) < 2 or not given.rest[1].isdigit():
        shell.io.err("nc: usage: nc [-z] [-v] [-w SECONDS] HOST PORT\n")
        return 1
    host, port = given.rest[0], int(given.rest[1])
    reached = yield from reach(shell, host, port)
    if reached.failure == BAD_ADDRESS:
        shell.io.err(f"nc: bad address '{host}'\n")
        return 1
    if reached.failure:
        shell.io.err(f"nc: {host} ({reached.shown}:{port}): {reached.failure}\n")
        return 1
    if "v" in given.flags:
        shell.io.err(f"{host} ({reached.shown}:{port}) open\n")
    words = (shell.io.stdin or "").split()
    if "z" not in given.flags and len(words) > 1 and words[0] in ("GET", "HEAD"):
        answer = shell.machine.outside.fetch(reached.ip, reached.port, words[1])
        if answer is not None and answer[0]:
            shell.io.out(f"HTTP/1.1 {answer[0]} {REASONS.get(answer[0], '')}\r\n\r\n{answer[1]}")
    return 0


def nslookup(shell: Shell, argv: list[str]) -> Program:
    """busybox': a name with a dot is asked for as it is, others with every part of the search list."""
    given = options(argv, "")
    if not given.rest:
        shell.io.err("nslookup: usage: nslookup NAME\n")
        return 1
    yield Wait(micros=QUICK)
    name, outside = given.rest[0], shell.machine.outside
    kinds = [value.upper() for key, value in given.values.items() if key == "type"]
    kinds += [flag for flag in given.flags if flag in ("A", "AAAA")]
    servers_found = outside.lookup(DNS_NAME, "A")
    if not servers_found:
        yield Wait(micros=SLOW)
        shell.io.out(";; connection timed out; no servers could be reached\n\n")
        return 1
    shell.io.out(f"Server:\t\t{servers_found[0]}\nAddress:\t{servers_found[0]}:53\n\n")
    if _is_address(name):
        return _backwards(shell, name)
    plain = name.rstrip(".")
    asked = [plain] if "." in name else search_order(name, shell.machine.setting.namespace)[:3]
    missing = False
    for kind in kinds or ["A", "AAAA"]:
        for one in asked:
            found = outside.lookup(one, kind)
            if found is None:
                missing = True
                shell.io.out(f"** server can't find {one}: NXDOMAIN\n")
            for data in found or ():
                shell.io.out(_told(one, kind, data))
            shell.io.out("\n")
    return int(missing)


def _told(name: str, kind: str, data: str) -> str:
    if kind in ("A", "AAAA"):
        return f"Name:\t{name}\nAddress: {data}\n"
    words = {"SRV": "service =", "CNAME": "canonical name =", "PTR": "name ="}
    return f"{name}\t{words.get(kind, f'{kind.lower()} =')} {data}\n"


def _backwards(shell: Shell, address: str) -> int:
    pointer = ip_address(address).reverse_pointer
    found = shell.machine.outside.lookup(pointer, "PTR")
    if found is None:
        shell.io.out(f"** server can't find {pointer}: NXDOMAIN\n\n")
        return 1
    for name in found:
        shell.io.out(_told(pointer, "PTR", name))
    shell.io.out("\n")
    return 0


def ping(shell: Shell, argv: list[str]) -> Program:
    """Pods answer; the address of a Service is nobody's."""
    given = options(argv, "cwWiIs")
    host = given.rest[0] if given.rest else ""
    found = find(shell, host) if host else []
    if not found:
        shell.io.err(f"ping: bad address '{host}'\n")
        return 1
    ip = found[0]
    count = int(given.values["c"]) if given.values.get("c", "").isdigit() else 10**9
    shell.io.out(f"PING {host} ({ip}): 56 data bytes\n")
    answered = 0
    for number in range(count):
        here = ip in (LOOPBACK, shell.machine.setting.ip) or shell.machine.outside.lookup(ip, "PING") is not None
        if here:
            answered += 1
            shell.io.out(f"64 bytes from {ip}: seq={number} ttl=64 time=0.052 ms\n")
        if number < count - 1 or not here:
            yield Wait(micros=SECOND)
    lost = round(100 * (count - answered) / max(count, 1))
    shell.io.out(
        f"\n--- {host} ping statistics ---\n"
        f"{count} packets transmitted, {answered} packets received, {lost}% packet loss\n"
    )
    return int(not answered)


COMMANDS = {"wget": wget, "curl": curl, "nc": nc, "nslookup": nslookup, "ping": ping}
