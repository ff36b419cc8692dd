"""Probes: what they found, what that caused, and what is odd about how they are set. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.glance.explain.case import (
    PROBE_FIELDS,
    SPLICED,
    Case,
    Container,
    Evidence,
    Finding,
    Probe,
    Situation,
    Try,
    finding,
    of_event,
    of_probe,
    of_status,
    of_yaml,
)
from podlab.glance.sentences import gettext_noop

_DESCRIBE = ("describe", "pod", "{pod}")
_LOGS = ("logs", "{pod}", "-c", "{container}")
_SPEC = "{path}.{field}"
_EVENTS = Try(gettext_noop("Read what the probe answers."), _DESCRIBE)

SITUATIONS = (
    Situation(
        "liveness-kills-slow-start",
        gettext_noop("The liveness probe kills it while it starts"),
        gettext_noop("{container} is killed after {after} although it has never been up yet: its liveness probe failed {threshold} times."),
        gettext_noop("The probe begins {delay} s after the start and gives up after {threshold} failures, {period} s apart. What needs longer is restarted for ever."),
        Try(gettext_noop("Look how long the program needs."), ("logs", "{pod}", "-c", "{container}", "{previous}", "--timestamps")),
        (
            Try(gettext_noop("Add a startupProbe: while it has not succeeded, liveness and readiness wait."), path="{path}"),
            Try(gettext_noop("Or wait longer at the beginning: initialDelaySeconds."), path=_SPEC),
        ),
    ),
    Situation(
        "liveness-kills",
        gettext_noop("The liveness probe restarts it"),
        gettext_noop("{container} was up, then its liveness probe failed {threshold} times in a row, and the kubelet restarted it."),
        gettext_noop("The last answer was: {message}"),
        Try(gettext_noop("Read the log before the restart."), ("logs", "{pod}", "-c", "{container}", "{previous}")),
        (
            Try(gettext_noop("If a restart does not help, the probe asks for the wrong thing: liveness must not depend on other services."), path=_SPEC),
            Try(gettext_noop("If it is only slow at times: raise timeoutSeconds or failureThreshold."), path=_SPEC),
        ),
    ),
    Situation(
        "startup-kills",
        gettext_noop("It does not start in time"),
        gettext_noop("{container} was killed because its startup probe did not succeed within {threshold} tries."),
        gettext_noop("It has failureThreshold × periodSeconds to come up: {threshold} × {period} s. The last answer was: {message}"),
        Try(gettext_noop("Look how far it came."), ("logs", "{pod}", "-c", "{container}", "{previous}", "--timestamps")),
        (Try(gettext_noop("Raise failureThreshold of the startup probe, or make the start quicker."), path=_SPEC),),
    ),
    Situation(
        "startup-waiting",
        gettext_noop("Waiting for the startup probe"),
        gettext_noop("{container} runs but does not count as started: its startup probe has not succeeded yet."),
        gettext_noop("Until then readiness and liveness are not asked, and the pod is not ready. The last answer was: {message}"),
        _EVENTS,
        (Try(gettext_noop("Wait, or look what the program is doing."), _LOGS),),
        level="waiting",
    ),
    Situation(
        "readiness-never",
        gettext_noop("It never became ready"),
        gettext_noop("{container} runs, but its readiness probe has not succeeded once; so Services send it nothing."),
        gettext_noop("The last answer was: {message}"),
        _EVENTS,
        (
            Try(gettext_noop("Ask it yourself from inside."), ("exec", "{pod}", "-c", "{container}", "--", "sh")),
            Try(gettext_noop("Compare path and port of the probe with what the program serves."), path=_SPEC),
        ),
    ),
    Situation(
        "readiness-lost",
        gettext_noop("No longer ready"),
        gettext_noop("{container} was ready and is not any more: its readiness probe failed {threshold} times in a row."),
        gettext_noop("It keeps running and Services leave it out until the probe succeeds again. The last answer was: {message}"),
        _EVENTS,
        (Try(gettext_noop("Look what the program is doing."), _LOGS),),
    ),
    Situation(
        "readiness-flapping",
        gettext_noop("Readiness comes and goes"),
        gettext_noop("{container} changed between ready and not ready {times} times."),
        gettext_noop("Each time Services take it in and throw it out. The probe is near its limit: slow answers, or a dependency that comes and goes."),
        Try(gettext_noop("Look at the latency of the ticks on the timeline."), _DESCRIBE),
        (
            Try(gettext_noop("Raise timeoutSeconds, or failureThreshold to bridge short gaps."), path=_SPEC),
            Try(gettext_noop("Let the probe ask only for what this container answers for itself."), path=_SPEC),
        ),
    ),
    Situation(
        "probe-port-differs",
        gettext_noop("The probe asks at another port"),
        gettext_noop("The {probe} probe of {container} asks at port {port}, but the container names {ports}."),
        gettext_noop("containerPort opens nothing, yet it tells where the program is meant to listen; the two do not fit."),
        Try(gettext_noop("Look where the program listens."), ("exec", "{pod}", "-c", "{container}", "--", "netstat", "-ltn")),
        (Try(gettext_noop("Use the same port in both, best by its name."), path=_SPEC),),
    ),
    Situation(
        "probe-refused",
        gettext_noop("Nobody listens at the probed port"),
        gettext_noop("The {probe} probe of {container} is refused: {message}"),
        gettext_noop("Nothing listens at that port on the pod's address: another port, not up yet, or only on 127.0.0.1 inside the container."),
        Try(gettext_noop("Look where the program listens."), ("exec", "{pod}", "-c", "{container}", "--", "netstat", "-ltn")),
        (
            Try(gettext_noop("Let the program listen on 0.0.0.0, not on 127.0.0.1."), path="{path}.command"),
            Try(gettext_noop("Correct the port of the probe."), path=_SPEC),
        ),
    ),
    Situation(
        "probe-status",
        gettext_noop("The probed page answers with an error"),
        gettext_noop("The {probe} probe of {container} gets an answer, but not a good one: {message}"),
        gettext_noop("From 200 to 399 counts as success. 404 is a wrong path, 401 and 403 want a log-in that a probe does not have, 5xx is the program's own trouble."),
        Try(gettext_noop("Ask for the same page."), ("port-forward", "pod/{pod}", "8080:{port}")),
        (Try(gettext_noop("Correct the path, or add a page that needs no log-in."), path=_SPEC),),
    ),
    Situation(
        "probe-timeout",
        gettext_noop("The probe gets no answer in time"),
        gettext_noop("The {probe} probe of {container} waits {timeout} s for an answer, and that is too short: {message}"),
        gettext_noop("timeoutSeconds is 1 unless you say otherwise. A program that is short of CPU answers late as well."),
        Try(gettext_noop("Look at the latency of the ticks on the timeline, and at the CPU it gets."), ("top", "pod", "{pod}", "--containers")),
        (
            Try(gettext_noop("Raise timeoutSeconds."), path=_SPEC),
            Try(gettext_noop("Give it more CPU."), path="{path}.resources"),
        ),
    ),
    Situation(
        "probe-exec-failed",
        gettext_noop("The probe's command says no"),
        gettext_noop("The command of the {probe} probe of {container} ends with an error: {message}"),
        gettext_noop("Exit code 0 is success, every other one failure; what it prints is the message."),
        Try(gettext_noop("Run the same command."), ("exec", "{pod}", "-c", "{container}", "--", SPLICED)),
        (Try(gettext_noop("Correct the command, or what it looks for."), path=_SPEC),),
    ),
    Situation(
        "probe-cannot-run",
        gettext_noop("The probe itself cannot be carried out"),
        gettext_noop("The {probe} probe of {container} ends in an error of its own, which counts neither way: {message}"),
        gettext_noop("The command is not in the image, or the probe names a port that the container does not have."),
        _EVENTS,
        (Try(gettext_noop("Correct the probe."), path=_SPEC),),
    ),
    Situation(
        "probe-too-early",
        gettext_noop("The probe begins too early"),
        gettext_noop("The {probe} probe of {container} failed {count} times before the program was up, then it was well."),
        gettext_noop("That does no harm while it stays below the threshold of {threshold}, but it fills the events and leaves little room."),
        Try(gettext_noop("Look at the first ticks on the timeline."), _DESCRIBE),
        (Try(gettext_noop("Set initialDelaySeconds, or a startup probe."), path=_SPEC),),
        level="note",
    ),
)  # fmt: skip

_DEFAULTS = {"failureThreshold": 3, "periodSeconds": 10, "timeoutSeconds": 1, "initialDelaySeconds": 0}
_MANY_CHANGES = 4
_RECENT = timedelta(minutes=10)


def find(case: Case) -> Iterator[Finding]:
    if case.gone or case.deleting or case.over:
        return
    for container in case.containers():
        for probe, field in PROBE_FIELDS.items():
            spec = container.spec.spec.get(field)
            if spec:
                yield from _probe(case, container, probe, spec)


def _fields(container: Container, probe: str, spec: Manifest, last: Probe | None) -> dict[str, Any]:
    numbers = {name: spec.get(name) or otherwise for name, otherwise in _DEFAULTS.items()}
    return {
        "probe": probe,
        "field": PROBE_FIELDS[probe],
        "threshold": numbers["failureThreshold"],
        "period": numbers["periodSeconds"],
        "timeout": numbers["timeoutSeconds"],
        "delay": numbers["initialDelaySeconds"],
        "port": _port(container, spec),
        "command": shlex.join((spec.get("exec") or {}).get("command") or ()),
        "message": (last.message.strip() if last is not None else "") or "–",
    }


def _probe(case: Case, container: Container, probe: str, spec: Manifest) -> Iterator[Finding]:
    results = case.probes_of(container.name, probe)
    now = [one for one in results if one.attempt == container.restarts] if container.running is not None else []
    bad = [one for one in results if one.outcome in {"failure", "error"}]
    last = bad[-1] if bad else None
    path = of_yaml(f"{container.path}.{PROBE_FIELDS[probe]}")
    fields = _fields(container, probe, spec, last)
    told = of_probe(last, of_event(case.event("Unhealthy", container=container.name), path))
    yield from _port_differs(case, container, spec, path, fields)
    troubled = list(_effect(case, container, probe, results, now, fields))
    yield from troubled
    if last is not None and (troubled or (now and now[-1].outcome in {"failure", "error"})):
        id = _cause(last)
        if id:
            yield finding(id, case, told, path, container=container, **fields)
    early = _early(now)
    if early and not troubled:
        first = of_probe(now[0], path)
        yield finding("probe-too-early", case, first, path, container=container, **fields | {"count": early})


def _effect(
    case: Case, container: Container, probe: str, results: list[Probe], now: list[Probe], fields: dict[str, Any]
) -> Iterator[Finding]:
    path = of_yaml(f"{container.path}.{PROBE_FIELDS[probe]}")
    kills = [one for one in results if one.caused == "restart"]
    if kills and kills[-1].attempt >= container.restarts - 1 and case.now - kills[-1].at < _RECENT:
        yield _killed(case, container, probe, kills[-1], results, fields)
    elif probe == "startup" and container.running is not None and not container.status.get("started"):
        last = of_probe(now[-1] if now else None, of_status("started: false"))
        yield finding("startup-waiting", case, last, path, container=container, **fields)
    elif probe == "readiness" and container.running is not None:
        yield from _readiness(case, container, results, now, path, fields)


def _killed(
    case: Case, container: Container, probe: str, kill: Probe, results: list[Probe], fields: dict[str, Any]
) -> Finding:
    path = of_yaml(f"{container.path}.{PROBE_FIELDS[probe]}")
    of_run = [one for one in results if one.attempt == kill.attempt]
    told = of_probe(kill, path)
    fields = fields | {"message": kill.message.strip() or "–"}
    if probe == "startup":
        return finding("startup-kills", case, told, path, container=container, **fields)
    if not any(one.outcome == "success" for one in of_run):
        began = _began(case, container, kill.attempt)
        after = f"{(kill.at - began).total_seconds():.0f} s" if began is not None else "?"
        return finding("liveness-kills-slow-start", case, told, path, container=container, **fields | {"after": after})
    return finding("liveness-kills", case, told, path, container=container, **fields)


def _began(case: Case, container: Container, attempt: int) -> datetime | None:
    for run in case.runs:
        if run.container == container.name and run.attempt == attempt:
            return run.started_at
    began = container.ended.get("startedAt")
    return times.parse(began) if began else None


def _readiness(
    case: Case,
    container: Container,
    results: list[Probe],
    now: list[Probe],
    path: Evidence,
    fields: dict[str, Any],
) -> Iterator[Finding]:
    changes = [one for one in now if one.caused in {"ready", "unready"}]
    if len(changes) >= _MANY_CHANGES:
        told = of_probe(changes[-1], path)
        yield finding("readiness-flapping", case, told, path, container=container, **fields | {"times": len(changes)})
    elif not container.status.get("ready") and now:
        id = "readiness-lost" if any(one.caused == "unready" for one in now) else "readiness-never"
        if now[-1].outcome != "success":
            yield finding(id, case, of_probe(now[-1], path), path, container=container, **fields)


def _cause(last: Probe) -> str:
    """What the probe itself ran into, by the words of pkg/probe/{http,tcp,exec,grpc} and the kubelet's prober."""
    message = last.message
    if last.outcome == "error":
        return "probe-cannot-run"
    if "statuscode" in message:
        return "probe-status"
    if "connection refused" in message or "connect: " in message:
        return "probe-refused"
    if "deadline exceeded" in message or "timeout" in message or "timed out" in message:
        return "probe-timeout"
    return "probe-exec-failed" if "HTTP" not in message else ""


def _early(now: list[Probe]) -> int:
    """How many failures the run began with, if it has succeeded since and not failed again."""
    count = 0
    for one in now:
        if one.outcome == "success":
            break
        count += 1
    return count if count and all(one.outcome == "success" for one in now[count:]) and len(now) > count else 0


def _handler_port(spec: Manifest) -> object:
    for handler in ("httpGet", "tcpSocket", "grpc"):
        if spec.get(handler):
            return spec[handler].get("port")
    return None


def _port(container: Container, spec: Manifest) -> object:
    """The number that the probe asks at; a name is looked up."""
    port = _handler_port(spec)
    for one in container.spec.spec.get("ports") or ():
        if port is not None and port == one.get("name"):
            return one.get("containerPort")
    return port if port is not None else "–"


def _port_differs(
    case: Case, container: Container, spec: Manifest, path: Evidence, fields: dict[str, Any]
) -> Iterator[Finding]:
    ports = [one.get("containerPort") for one in container.spec.spec.get("ports") or ()]
    asked = _port(container, spec)
    if not container.status.get("ready") and ports and isinstance(asked, int) and asked not in ports:
        named = of_yaml(f"{container.path}.ports")
        listed = ", ".join(str(port) for port in ports)
        yield finding("probe-port-differs", case, path, named, container=container, **fields | {"ports": listed})
