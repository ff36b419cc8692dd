"""Calls into a container: what a probe or a hook asks by exec, HTTP, TCP or gRPC, and what comes back. Values only.

Times are seconds of the runtime's clock.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

# What an exec, HTTP, TCP or gRPC call is for: "liveness", "readiness", "startup" or "". Set around the call. No part of it,
# because a real engine answers all alike; the simulator is told by annotations how each probe shall turn out.
PURPOSE: ContextVar[str] = ContextVar("purpose", default="")


@dataclass(frozen=True, slots=True)
class ExecResult:
    """`output`: standard output, then standard error, which `stderr` has once more. `error` is set when the command could
    not be run at all (an errored probe, not a failed one)."""

    exit_code: int
    output: str
    seconds: float
    timed_out: bool = False
    error: str = ""
    stderr: str = ""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A GET of a probe or a hook. `path` with its query; headers in their order, names may repeat."""

    scheme: str  # HTTP | HTTPS
    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HttpResult:
    """`status` 0 with `error` when no answer came. `redirect_host` is set if it redirected to another host, where
    probing stops. `body` at most 10 KiB."""

    status: int
    body: str
    seconds: float
    error: str = ""
    redirect_host: str = ""


@dataclass(frozen=True, slots=True)
class TcpResult:
    """`error`: Go's words when the connection was not made."""

    ok: bool
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class GrpcResult:
    """Of a health check: `message` is the kubelet's sentence, also of a success."""

    ok: bool
    message: str
    seconds: float
