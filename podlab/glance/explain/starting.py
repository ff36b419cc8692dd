"""What holds a pod up before and beside its containers: init containers, sidecars, gates, resize. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from podlab.apis import times
from podlab.glance import sentences
from podlab.glance.explain.case import Case, Container, Finding, Situation, Try, finding, of_run, of_status, of_yaml
from podlab.glance.sentences import gettext_noop

_LOGS = ("logs", "{pod}", "-c", "{container}")

SITUATIONS = (
    Situation(
        "init-failing",
        gettext_noop("An init container fails"),
        gettext_noop("The init container {container} ended with exit code {code}; the containers after it are not started."),
        gettext_noop("Init containers run one after the other, and each must end with 0 before the next begins. It is tried again with growing waits."),
        Try(gettext_noop("Read its log."), ("logs", "{pod}", "-c", "{container}", "{previous}")),
        (Try(gettext_noop("Correct it, or what it waits for."), path="{path}"),),
    ),
    Situation(
        "init-failed-for-good",
        gettext_noop("An init container failed, and that was all"),
        gettext_noop("The init container {container} ended with exit code {code}, and restartPolicy Never makes that the end of the pod."),
        gettext_noop("The app containers were never started."),
        Try(gettext_noop("Read its log."), _LOGS),
        (Try(gettext_noop("Use OnFailure, if a second try can help."), path="spec.restartPolicy"),),
    ),
    Situation(
        "init-waiting",
        gettext_noop("An init container is still at work"),
        gettext_noop("{container} ({position} of {all}) has been running for {since}; everything after it waits."),
        gettext_noop("Most often it waits for a service, a file or a database that is not there yet."),
        Try(gettext_noop("Read what it waits for."), _LOGS),
        (
            Try(gettext_noop("Create what it waits for; it goes on by itself."), ("get", "services,endpoints")),
            Try(gettext_noop("Check the name that it asks for."), path="{path}.command"),
        ),
        level="waiting",
    ),
    Situation(
        "sidecar-not-started",
        gettext_noop("A sidecar holds the others up"),
        gettext_noop("The sidecar {container} has not started, so the containers after it wait."),
        gettext_noop("A restartable init container must count as started (its startup probe, if it has one) before the next one begins."),
        Try(gettext_noop("Read its log."), _LOGS),
        (Try(gettext_noop("Look at its startup probe and its command."), path="{path}"),),
        level="waiting",
    ),
    Situation(
        "readiness-gate",
        gettext_noop("A readiness gate is not open"),
        gettext_noop("All containers are ready, but the pod is not: the condition {gate} is {value}."),
        gettext_noop("A condition named in readinessGates is set by something outside, through the pod's status. Nothing in Kubernetes sets it by itself."),
        Try(gettext_noop("Look at the conditions."), ("describe", "pod", "{pod}")),
        (Try(gettext_noop("Find out who should set it, or leave the gate away."), path="spec.readinessGates"),),
        level="waiting",
    ),
    Situation(
        "resize-infeasible",
        gettext_noop("The new size does not fit the node"),
        gettext_noop("The containers keep their old resources: {message}"),
        gettext_noop("The node can never give what the resize asks for."),
        Try(gettext_noop("Compare with the node."), ("describe", "node", "{node}")),
        (Try(gettext_noop("Ask for less, or create the pod again so that it is placed elsewhere."), path="{path}.resources"),),
    ),
    Situation(
        "resize-deferred",
        gettext_noop("The new size has to wait"),
        gettext_noop("The containers keep their old resources for now: {message}"),
        gettext_noop("Other pods on the node use what the resize needs; it is tried again when they leave."),
        Try(gettext_noop("Look who is on the node."), ("get", "pods", "--all-namespaces", "-o", "wide")),
        (Try(gettext_noop("Make room on the node, or ask for less."), path="{path}.resources"),),
        level="waiting",
    ),
)  # fmt: skip

_PATIENCE = timedelta(seconds=10)


def find(case: Case) -> Iterator[Finding]:
    if case.gone or case.deleting:
        return
    yield from _init(case)
    if case.over:
        return
    yield from _gates(case)
    yield from _resize(case)


def _init(case: Case) -> Iterator[Finding]:
    before = [one for one in case.containers() if one.spec.sort in {"init", "sidecar"}]
    for position, container in enumerate(before, 1):
        if container.spec.sort == "sidecar":
            held = any(not later.status.get("started") and later.waiting for later in before[position:]) or any(
                other.waiting.get("reason") == "PodInitializing" for other in case.containers()
            )
            if container.running is not None and not container.status.get("started") and held and not case.over:
                told = of_status(f"{container.name}: started=false")
                yield finding("sidecar-not-started", case, told, of_yaml(container.path), container=container)
            continue
        yield from _init_container(case, container, position, len(before))


def _init_container(case: Case, container: Container, position: int, count: int) -> Iterator[Finding]:
    code = container.ended.get("exitCode")
    path = of_yaml(container.path)
    if case.status.get("phase") == "Failed":
        if code and case.spec.get("restartPolicy") == "Never":
            policy = of_yaml("spec.restartPolicy", "restartPolicy: Never")
            yield finding("init-failed-for-good", case, of_run(container), policy, container=container, code=code)
    elif container.running is not None:
        since = case.now - times.parse(str(container.running.get("startedAt") or case.meta["creationTimestamp"]))
        if since >= _PATIENCE:
            fields = {"since": sentences.seconds_text(since), "position": position, "all": count}
            told = of_status(f"{container.name}: running")
            yield finding("init-waiting", case, told, path, container=container, **fields)
    elif code and not container.status.get("ready"):
        yield finding("init-failing", case, of_run(container), path, container=container, code=code)


def _gates(case: Case) -> Iterator[Finding]:
    if case.condition("ContainersReady").get("status") != "True":
        return
    for index, gate in enumerate(case.spec.get("readinessGates") or ()):
        type = str(gate.get("conditionType") or "")
        found = case.condition(type)
        if found.get("status") != "True":
            told = of_status(f"{type}: {found.get('status', '?')}", "status.conditions")
            place = of_yaml(f"spec.readinessGates[{index}]")
            yield finding("readiness-gate", case, told, place, gate=type, value=found.get("status", "not set"))


def _resize(case: Case) -> Iterator[Finding]:
    pending = case.condition("PodResizePending")
    id = {"Infeasible": "resize-infeasible", "Deferred": "resize-deferred"}.get(str(pending.get("reason") or ""))
    if id is None or pending.get("status") != "True":
        return
    message = str(pending.get("message") or pending["reason"])
    told = of_status(message, "status.conditions")
    changed = next((one for one in case.containers() if one.spec.spec.get("resources")), None)
    place = of_yaml(f"{changed.path}.resources" if changed else "spec.containers")
    fields: dict[str, Any] = {
        "message": message,
        "node": case.spec.get("nodeName") or "",
        "path": changed.path if changed else "",
    }
    yield finding(id, case, told, place, **fields)
