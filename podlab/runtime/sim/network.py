"""Answers to HTTP and TCP probes of simulated containers. Pure, given who listens and what the container is told.

Failure texts are those of Go's net/http and net, because Kubernetes shows them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from podlab.apis.times import go_duration
from podlab.runtime.calls import PURPOSE, ExecResult, GrpcResult, HttpRequest, HttpResult, TcpResult
from podlab.runtime.sim import chance
from podlab.runtime.sim.behaviour import duration
from podlab.runtime.sim.container import SimContainer
from podlab.runtime.sim.machine import SECOND, Site
from podlab.runtime.sim.script_servers import ScriptSite, probe_headers
from podlab.runtime.sim.servers import anything

MAX_BODY = 10 * 1024
MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What answers on the port: nobody (`open` False), something that speaks no HTTP (`site` None), or a site."""

    open: bool
    site: Site | None = None
    micros: int = 0  # since the listening container's start


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`outcome`: what an annotation says about this probe, or ""."""

    outcome: str
    latency: float
    timeout: float

    @property
    def hangs(self) -> bool:
        return self.outcome == "hang" or self.latency >= self.timeout

    @property
    def seconds(self) -> float:
        return self.timeout if self.hangs else self.latency


def call_into(container: SimContainer | None, timeout: float, seed: int) -> Call:
    """How a call into a container turns out that begins now, as its annotations and the PURPOSE say. Seconds."""
    if container is None or not container.running:
        return Call(outcome="", latency=0.001, timeout=timeout)
    micros, said = container.micros(), container.behaviour
    # From the time and not from a count: a restarted worker goes on in the same way.
    latency = chance.between(0.0005, 0.004, seed, container.id, micros)
    if said.latency is not None:
        latency = duration(said.latency.at(micros)) / SECOND
    return Call(outcome=said.outcome(PURPOSE.get(), micros), latency=latency, timeout=timeout)


def url(request: HttpRequest) -> str:
    """As Go writes it in its errors."""
    return f"{request.scheme.lower()}://{request.host}:{request.port}{request.path}"


def http(call: Call, request: HttpRequest, listener: Listener) -> HttpResult:
    """The answer to a GET; what an annotation says about the call comes first. Redirects on the same host are followed."""
    get = f'Get "{url(request)}": '
    if call.hangs:
        text = f"{get}context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return HttpResult(0, "", call.seconds, text)
    if call.outcome:
        status = {"ok": 200, "fail": 500}.get(call.outcome) or int(call.outcome)
        return HttpResult(status, "ok\n" if status < 400 else "error\n", call.seconds)
    if not listener.open:
        text = f"{get}dial tcp {request.host}:{request.port}: connect: connection refused"
        return HttpResult(0, "", call.seconds, text)
    if listener.site is None:
        return HttpResult(0, "", call.seconds, f"{get}EOF")
    if request.scheme.upper() == "HTTPS":
        return HttpResult(0, "", call.seconds, f"{get}http: server gave HTTP response to HTTPS client")
    if isinstance(listener.site, ScriptSite):
        return _scripted(call, request, listener.site)
    status, body = listener.site(listener.micros, request.path)
    return HttpResult(status, body[:MAX_BODY], call.seconds)


def _scripted(call: Call, request: HttpRequest, site: ScriptSite) -> HttpResult:
    """As the kubelet follows redirects: to the same host name, and where they lead elsewhere it stops."""
    path, seconds = request.path, call.seconds
    headers = probe_headers(request.host, request.port, request.headers)
    get = f'Get "{url(request)}": '
    for _ in range(MAX_REDIRECTS):
        reply = site.reply(path, headers)
        seconds += (reply.micros or 0) / SECOND
        if reply.micros is None or seconds >= call.timeout:
            text = f"{get}context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return HttpResult(0, "", call.timeout, text)
        if not reply.status:
            told = "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
            first = reply.body.strip().partition("\n")[0]
            return HttpResult(0, "", seconds, f'{get}{told} "{first}"' if first else f"{get}EOF")
        if reply.status not in REDIRECTS or not reply.location:
            return HttpResult(reply.status, reply.body[:MAX_BODY], seconds)
        target = urlsplit(urljoin(url(request), reply.location))
        if target.hostname != request.host:
            return HttpResult(reply.status, reply.body[:MAX_BODY], seconds, redirect_host=target.hostname or "")
        path = target.path + (f"?{target.query}" if target.query else "")
    return HttpResult(0, "", seconds, f"{get}stopped after {MAX_REDIRECTS} redirects")


def tcp(call: Call, host: str, port: int, listener: Listener) -> TcpResult:
    """Whether a connection is made; what an annotation says about the call comes first."""
    dial = f"dial tcp {host}:{port}: "
    if call.hangs:
        return TcpResult(False, call.seconds, f"{dial}i/o timeout")
    refused = call.outcome == "fail" or (call.outcome.isdigit() and int(call.outcome) >= 400)
    if refused or (not call.outcome and not listener.open):
        return TcpResult(False, call.seconds, f"{dial}connect: connection refused")
    return TcpResult(True, call.seconds)


def grpc(call: Call, host: str, port: int, listener: Listener) -> GrpcResult:
    """Whatever answers everything in HTTP is taken for a server that speaks gRPC as well; others are not."""
    if call.hangs:
        return GrpcResult(
            False, f"timeout: health rpc did not complete within {go_duration(call.timeout)}", call.seconds
        )
    healthy = call.outcome == "ok" or (call.outcome.isdigit() and int(call.outcome) < 400)
    if call.outcome and not healthy:
        return GrpcResult(False, 'service unhealthy (responded with "NOT_SERVING")', call.seconds)
    if not healthy and listener.site is not anything:
        address = f'"{host}:{port}"'
        text = f"timeout: failed to connect service {address} within {go_duration(call.timeout)}: context deadline exceeded"
        return GrpcResult(False, text, call.timeout)
    return GrpcResult(True, "service healthy", call.seconds)


def told_exec(call: Call) -> ExecResult:
    """An exec probe whose outcome is told by an annotation."""
    if call.hangs:
        return ExecResult(-1, "", call.seconds, timed_out=True)
    failed = call.outcome == "fail" or (call.outcome.isdigit() and int(call.outcome) >= 400)
    return ExecResult(int(failed), "simulated failure\n" if failed else "", call.seconds)
