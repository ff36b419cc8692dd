"""How one probe is made and read: exec, httpGet, tcpSocket, grpc. `manager` calls `run`; the answer comes through `done`.

pkg/kubelet/prober/prober.go and pkg/probe/{exec,http,tcp,grpc}: what to dial, which headers, which words a failure has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from podlab.apis.field_errors import go_quote
from podlab.apis.probing import Outcome
from podlab.apis.types import Manifest
from podlab.kubelet.environment import expand
from podlab.kubelet.pods import go_duration
from podlab.runtime.calls import ExecResult, GrpcResult, HttpRequest, HttpResult, TcpResult
from podlab.runtime.interface import Runtime

USER_AGENT = "kube-probe/1.36"
_MOST_OUTPUT = 10 * 1024  # bytes of a command's output (pkg/probe/exec maxReadLength)


@dataclass(frozen=True, slots=True)
class Result:
    outcome: Outcome
    message: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Everything one probe needs. In exec commands $(VAR) means an env entry with a literal value."""

    probe: Manifest
    container: Manifest
    container_id: str
    pod_ip: str
    timeout: int


class BadProbe(ValueError):
    """The probe cannot be made as it is written; the message says why."""


def run(runtime: Runtime, attempt: Attempt, done: Callable[[Result], None]) -> None:
    """Start the probe. A probe that cannot be made is an error, not a failure."""
    try:
        _start(runtime, attempt, done)
    except BadProbe as bad:
        done(Result(Outcome.ERROR, str(bad), 0.0))


def _start(runtime: Runtime, attempt: Attempt, done: Callable[[Result], None]) -> None:
    probe, timeout = attempt.probe, float(attempt.timeout)
    if probe.get("exec"):
        static = {e["name"]: e["value"] for e in attempt.container.get("env") or [] if "value" in e}
        argv = tuple(expand(word, static) for word in probe["exec"].get("command") or [])
        runtime.exec_sync(
            attempt.container_id, argv, timeout, lambda result: done(_read_exec(result, argv, attempt.timeout))
        )
    elif probe.get("httpGet"):
        request = http_request(probe["httpGet"], attempt.container, attempt.pod_ip)
        runtime.http_get(attempt.container_id, request, timeout, lambda result: done(_read_http(result)))
    elif probe.get("tcpSocket"):
        socket = probe["tcpSocket"]
        port = find_port(socket.get("port"), attempt.container)
        host = socket.get("host") or attempt.pod_ip
        runtime.tcp_connect(attempt.container_id, host, port, timeout, lambda result: done(_read_tcp(result)))
    elif probe.get("grpc"):
        grpc = probe["grpc"]
        runtime.grpc_check(
            attempt.container_id,
            attempt.pod_ip,
            int(grpc["port"]),
            str(grpc.get("service") or ""),
            timeout,
            lambda result: done(_read_grpc(result)),
        )
    else:
        raise BadProbe(f"missing probe handler for container {attempt.container['name']}")


def find_port(port: object, container: Manifest) -> int:
    """A port by number or by the name of a container port; a name that no port has is taken for a number (pkg/probe/util.go
    ResolveContainerPort)."""
    if isinstance(port, int):
        number = port
    else:
        named = {p.get("name"): int(p["containerPort"]) for p in container.get("ports") or []}
        number = named.get(str(port), -1)
        if number < 0:
            number = int(str(port)) if str(port).isascii() and str(port).isdigit() else -1
        if number < 0:
            raise BadProbe(f"strconv.Atoi: parsing {go_quote(str(port))}: invalid syntax")
    if not 0 < number < 65536:
        raise BadProbe(f"invalid port number: {number}")
    return number


def http_request(http: Manifest, container: Manifest, pod_ip: str, *, agent: str = USER_AGENT) -> HttpRequest:
    """The request of an httpGet (pkg/probe/http/request.go): its headers win over the kubelet's own."""
    headers = [(str(h["name"]), str(h.get("value", ""))) for h in http.get("httpHeaders") or []]
    given = {name.lower() for name, _ in headers}
    if "user-agent" not in given:
        headers.append(("User-Agent", agent))
    if "accept" not in given:
        headers.append(("Accept", "*/*"))
    path = http.get("path") or "/"
    return HttpRequest(
        scheme=str(http.get("scheme") or "HTTP").upper(),
        host=http.get("host") or pod_ip,
        port=find_port(http.get("port"), container),
        path=path if path.startswith("/") else f"/{path}",
        # An empty Accept header means: send none.
        headers=tuple((name, value) for name, value in headers if not (name.lower() == "accept" and not value)),
    )


def _read_exec(result: ExecResult, argv: tuple[str, ...], timeout: int) -> Result:
    if result.error:
        return Result(Outcome.ERROR, result.error, result.seconds)
    if result.timed_out:
        text = f'command timed out: "{" ".join(argv)}" timed out after {go_duration(timeout)}'
        return Result(Outcome.FAILURE, text, result.seconds)
    outcome = Outcome.SUCCESS if result.exit_code == 0 else Outcome.FAILURE
    return Result(outcome, result.output.encode()[:_MOST_OUTPUT].decode("utf-8", "ignore"), result.seconds)


def _read_http(result: HttpResult) -> Result:
    if result.error or not result.status:
        return Result(Outcome.FAILURE, result.error, result.seconds)
    if 300 <= result.status < 400:
        # Redirects within the host were followed; what is left is one that leaves it, or one without an aim.
        return Result(Outcome.WARNING, f"Probe terminated redirects, Response body: {result.body}", result.seconds)
    if 200 <= result.status < 300:
        return Result(Outcome.SUCCESS, result.body, result.seconds)
    return Result(Outcome.FAILURE, f"HTTP probe failed with statuscode: {result.status}", result.seconds)


def _read_grpc(result: GrpcResult) -> Result:
    return Result(Outcome.SUCCESS if result.ok else Outcome.FAILURE, result.message, result.seconds)


def _read_tcp(result: TcpResult) -> Result:
    return Result(Outcome.SUCCESS if result.ok else Outcome.FAILURE, result.error, result.seconds)
