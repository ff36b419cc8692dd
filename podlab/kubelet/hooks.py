"""Runs lifecycle hooks (preStop, postStart): exec, httpGet, sleep. The answer comes through `done`.

pkg/kubelet/lifecycle/handlers.go. `done("")` means success, otherwise the text says what went wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from podlab.apis.types import Manifest
from podlab.clock import Clock
from podlab.kubelet.prober import prober
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import ExecResult, HttpRequest, HttpResult, Runtime

_HTTP_TIMEOUT = 30.0
_NO_TLS = "http: server gave HTTP response to HTTPS client"
_UNBOUNDED = 365 * 24 * 3600.0

Done = Callable[[str], None]


def run(
    handler: Manifest,
    container: Manifest,
    *,
    container_id: str,
    pod_ip: str,
    runtime: Runtime,
    clock: Clock,
    done: Done,
    timeout: float = _UNBOUNDED,
) -> None:
    """Start the hook; one that cannot be started has failed."""
    try:
        if handler.get("exec"):
            argv = tuple(handler["exec"].get("command") or [])
            runtime.exec_sync(container_id, argv, timeout, lambda result: done(_exec_text(result, argv)))
        elif handler.get("httpGet"):
            request = prober.http_request(handler["httpGet"], container, pod_ip)
            _get(runtime, container_id, request, min(timeout, _HTTP_TIMEOUT), done)
        elif handler.get("sleep"):
            clock.call_later(float(handler["sleep"]["seconds"]), lambda: done(""))
        else:
            done("invalid handler: podlab runs exec, httpGet and sleep hooks")
    except (RuntimeFailure, prober.BadProbe) as error:
        done(str(error))


def _exec_text(result: ExecResult, argv: tuple[str, ...]) -> str:
    if result.error:
        return result.error
    if result.timed_out:
        return f"command '{' '.join(argv)}' timed out"
    if result.exit_code:
        return f"command '{' '.join(argv)}' exited with {result.exit_code}: {result.output}"
    return ""


def _get(runtime: Runtime, container_id: str, request: HttpRequest, limit: float, done: Done) -> None:
    """Any answer is a success, whatever its status; a server that speaks no TLS is asked again without it
    (runHTTPHandler)."""

    def answered(result: HttpResult) -> None:
        if request.scheme == "HTTPS" and result.error.endswith(_NO_TLS):
            plain = replace(request, scheme="HTTP")
            runtime.http_get(container_id, plain, limit, lambda again: done(_http_text(again)))
        else:
            done(_http_text(result))

    runtime.http_get(container_id, request, limit, answered)


def _http_text(result: HttpResult) -> str:
    return "" if result.status else result.error or "no answer"
