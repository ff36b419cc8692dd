"""Runs lifecycle hooks (preStop, postStart): exec, httpGet, sleep. The answer comes through `done`.

pkg/kubelet/lifecycle/handlers.go. `done("")` means success, otherwise the text says what went wrong, in the kubelet's words:
it is the message of a container whose postStart hook failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from podlab.apis.field_errors import go_quote
from podlab.apis.types import Manifest
from podlab.clock import Clock
from podlab.kubelet import pods
from podlab.kubelet.prober import prober
from podlab.runtime.calls import ExecResult, HttpRequest, HttpResult
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import Runtime

_NO_TLS = "http: server gave HTTP response to HTTPS client"
_UNBOUNDED = 365 * 24 * 3600.0  # a hook may take as long as it likes; what ends it is the end of the container
USER_AGENT = "kube-lifecycle/1.36"

Done = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One hook of one container. `fell_back`: a server asked by HTTPS answered by HTTP, at host:port; the hook was a success
    then."""

    handler: Manifest
    pod: Manifest
    container: Manifest
    container_id: str
    pod_ip: str
    done: Done
    fell_back: Callable[[str], None]
    timeout: float = _UNBOUNDED

    def failed(self, kind: str, what: str, error: str) -> str:
        name, title = go_quote(self.container["name"]), go_quote(pods.title(self.pod))
        return f"{kind} lifecycle hook ({what}) for Container {name} in Pod {title} failed - error: {error}"


def run(hook: Hook, *, runtime: Runtime, clock: Clock) -> None:
    """Start the hook; one that cannot be started has failed."""
    handler = hook.handler
    try:
        if handler.get("exec"):
            argv = tuple(handler["exec"].get("command") or [])
            runtime.exec_sync(
                hook.container_id, argv, hook.timeout, lambda result: hook.done(_exec_text(hook, result, argv))
            )
        elif handler.get("httpGet"):
            _get(hook, runtime)
        elif handler.get("sleep"):
            clock.call_later(float(handler["sleep"]["seconds"]), lambda: hook.done(""))
        else:
            hook.done("invalid handler: podlab runs exec, httpGet and sleep hooks")
    except RuntimeFailure as error:
        hook.done(str(error))
    except prober.BadProbe as error:
        hook.done(hook.failed("HTTP", str(handler["httpGet"].get("path") or ""), str(error)))


def _exec_text(hook: Hook, result: ExecResult, argv: tuple[str, ...]) -> str:
    command = " ".join(argv)
    if result.error:
        error = result.error
    elif result.timed_out:
        error = f"command '{command}' timed out"
    elif result.exit_code:
        error = f"command '{command}' exited with {result.exit_code}: {result.stderr}"
    else:
        return ""
    return f"{hook.failed('Exec', f'[{command}]', error)}, message: {go_quote(result.output)}"


def _get(hook: Hook, runtime: Runtime) -> None:
    """Any answer is a success, whatever its status; a server that speaks no TLS is asked again without it, and without
    a password (runHTTPHandler)."""
    request = prober.http_request(hook.handler["httpGet"], hook.container, hook.pod_ip, agent=USER_AGENT)
    path = str(hook.handler["httpGet"].get("path") or "")

    def text(result: HttpResult) -> str:
        return "" if result.status else hook.failed("HTTP", path, result.error or "no answer")

    def answered(result: HttpResult) -> None:
        if request.scheme != "HTTPS" or not result.error.endswith(_NO_TLS):
            hook.done(text(result))
            return

        def answered_plainly(again: HttpResult) -> None:
            if again.status:
                hook.fell_back(f"{request.host}:{request.port}")
            # What counts otherwise is the first error.
            hook.done("" if again.status else text(result))

        runtime.http_get(hook.container_id, _plain(request), hook.timeout, answered_plainly)

    runtime.http_get(hook.container_id, request, hook.timeout, answered)


def _plain(request: HttpRequest) -> HttpRequest:
    headers = tuple((name, value) for name, value in request.headers if name.lower() != "authorization")
    return replace(request, scheme="HTTP", headers=headers)
