"""Probes and lifecycle hooks (validateProbe, validateHandler in pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from podlab.apis import names
from podlab.apis.field_errors import forbidden, invalid, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, not_negative, port

NO_HANDLER = "must specify a handler type"
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def liveness(path: str, probe: Manifest | None, grace: int) -> Errors:
    """For startup probes too: both must succeed once."""
    if probe is None:
        return
    yield from _probe(path, probe, grace)
    if (probe.get("successThreshold") or 0) != 1:
        yield invalid(f"{path}.successThreshold", probe.get("successThreshold") or 0, "must be 1")


def readiness(path: str, probe: Manifest | None, grace: int) -> Errors:
    if probe is None:
        return
    yield from _probe(path, probe, grace, own_grace=False)
    if probe.get("terminationGracePeriodSeconds") is not None:
        own = probe["terminationGracePeriodSeconds"]
        yield invalid(f"{path}.terminationGracePeriodSeconds", own, "must not be set for readinessProbes")


def _probe(path: str, probe: Manifest, grace: int, *, own_grace: bool = True) -> Errors:
    yield from handler(path, probe, grace)
    for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        yield from not_negative(path, probe, field)
    own = probe.get("terminationGracePeriodSeconds")
    if own is not None and own <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", own, "must be greater than 0")


def lifecycle(path: str, hooks: Manifest | None, grace: int) -> Errors:
    for name in ("postStart", "preStop"):
        if hooks and hooks.get(name) is not None:
            yield from handler(f"{path}.{name}", hooks[name], grace)


def handler(path: str, holder: Manifest, grace: int) -> Errors:
    given = [name for name in _HANDLERS if holder.get(name) is not None]
    if not given:
        yield required(path, NO_HANDLER)
        return
    yield from _HANDLER[given[0]](f"{path}.{given[0]}", holder[given[0]], grace)
    for name in given[1:]:
        yield forbidden(f"{path}.{name}", "may not specify more than 1 handler type")


def _exec(path: str, action: Manifest, grace: int) -> Errors:
    if not action.get("command"):
        yield required(f"{path}.command")


def _http(path: str, action: Manifest, grace: int) -> Errors:
    if not action.get("path"):
        yield required(f"{path}.path")
    yield from port(f"{path}.port", action.get("port"))
    if action.get("scheme") not in ("HTTP", "HTTPS"):
        yield not_supported(f"{path}.scheme", action.get("scheme") or "", ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or []:
        for problem in names.http_header_name(header.get("name", "")):
            yield invalid(f"{path}.httpHeaders", header.get("name", ""), problem)


def _tcp(path: str, action: Manifest, grace: int) -> Errors:
    yield from port(f"{path}.port", action.get("port"))


def _sleep(path: str, action: Manifest, grace: int) -> Errors:
    seconds = action.get("seconds") or 0
    if seconds < 0 or seconds > grace:
        detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        yield invalid(path, seconds, detail)


_HANDLER = {"exec": _exec, "httpGet": _http, "tcpSocket": _tcp, "grpc": _tcp, "sleep": _sleep}
